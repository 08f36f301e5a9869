"""`manage.py issue_invoices YYYY-MM`: issue the month's drafts."""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import override

from billing.domain.periods import Month
from billing.queries.months import billing_zone
from billing.queries.reasons import reason_sentence
from billing.usecases.issue_invoices import UnableToIssue, issue_invoices


class Command(BaseCommand):
    """Issue drafts."""

    help = "Issue the draft invoices of a consumption month that are ready; name the others and why."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The month, whose, and the date on the invoices."""
        parser.add_argument("month", metavar="YYYY-MM", help="the consumption month")
        parser.add_argument("--organization", action="append", metavar="ID", help="only this one (repeatable)")
        parser.add_argument("--date", metavar="YYYY-MM-DD", help="the issue date (today by default)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Issue and report."""
        try:
            month, issue_date = Month.parse(options["month"], billing_zone()), _day(options["date"])
        except ValueError as error:
            raise CommandError(str(error)) from error
        try:
            report = issue_invoices(
                month=month, at=timezone.now(), issue_date=issue_date, organization_ids=options["organization"]
            )
        except UnableToIssue as error:
            raise CommandError(str(error)) from error
        with override("en"):
            for refused in report.not_issued:
                sentence = reason_sentence(refused.reason.code, refused.reason.values)
                self.stdout.write(f"not issued: {refused.external_id} {refused.name}: {sentence}")
        self.stdout.write(f"issued: {len(report.numbers)}, not issued: {len(report.not_issued)}")


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text!r:.40} is not a day: write YYYY-MM-DD, such as 2026-11-01.") from error
