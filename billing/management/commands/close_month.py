"""`manage.py close_month YYYY-MM`: generate the drafts of a consumption month."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import override

from billing.domain.money import format_cents
from billing.domain.periods import Month
from billing.queries.close_reports import CloseReport, Difference
from billing.queries.months import billing_zone
from billing.queries.reasons import reason_sentence
from billing.usecases.close_month import UnableToClose, close_month


class Command(BaseCommand):
    """Close a month; closing it again refreshes its drafts."""

    help = "Generate the draft invoices of a consumption month; closing it again refreshes them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The month, and what of it."""
        parser.add_argument("month", metavar="YYYY-MM", help="the consumption month")
        parser.add_argument("--organization", action="append", metavar="ID", help="only this one (repeatable)")
        parser.add_argument("--dry-run", action="store_true", help="write nothing, print what would change")

    def handle(self, *args: Any, **options: Any) -> None:
        """Close and report."""
        try:
            month = Month.parse(options["month"], billing_zone())
        except ValueError as error:
            raise CommandError(str(error)) from error
        try:
            report = close_month(
                month=month,
                at=timezone.now(),
                organization_ids=options["organization"],
                dry_run=options["dry_run"],
                on_progress=lambda progress: self._progress(f"batch {progress.done} of {progress.total}"),
            )
        except UnableToClose as error:
            raise CommandError(str(error)) from error
        self._progress("", end="\n")
        with override("en"):
            self._print(report, dry_run=options["dry_run"])

    def _progress(self, text: str, end: str = "") -> None:
        if sys.stderr.isatty():
            self.stderr.write(f"\r{text:<40}{end}", ending="")

    def _print(self, report: CloseReport, *, dry_run: bool) -> None:
        for organization in report.blocked_organizations:
            sentence = reason_sentence(organization.reason_code, organization.reason_values)
            self.stdout.write(f"blocked: {organization.external_id} {organization.name}: {sentence}")
        for difference in report.differences:
            self.stdout.write(_difference(difference))
        self.stdout.write(f"invoices: {report.invoices}, nil: {report.nil}, blocked: {report.blocked}")
        for currency, totals in sorted(report.totals.items()):
            self.stdout.write(
                f"subtotal: {format_cents(totals.subtotal_cents)} {currency}, VAT: {format_cents(totals.vat_cents)}"
                f" {currency}, total: {format_cents(totals.total_cents)} {currency}"
            )
        if dry_run:
            self.stdout.write(f"dry run: nothing was written, {len(report.differences)} drafts would change")


def _difference(difference: Difference) -> str:
    before, after = (
        "none" if cents is None else f"{format_cents(cents)} {difference.currency}"
        for cents in (difference.before_cents, difference.after_cents)
    )
    return f"draft: {difference.external_id} {difference.name}: {before} -> {after}"
