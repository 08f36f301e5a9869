"""`manage.py check_e_invoices`: check the e-invoices of drafts now, instead of waiting for a worker."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from billing.documents.e_invoice.validation import CheckerUnavailable, validate
from billing.models import DraftCheck
from billing.queries.draft_checks import failed_checks
from billing.queries.e_invoice_words import failure_sentence
from billing.usecases.check_drafts import check_drafts


class Command(BaseCommand):
    """Check what is due, and name what is wrong."""

    help = "Check the e-invoices of drafts whose customers must get one; exit status 1 when one is not valid."

    def handle(self, *args: Any, **options: Any) -> None:
        """Check and report."""
        checked = 0
        try:
            while worked := check_drafts(check=validate, at=timezone.now()):
                checked += worked
        except CheckerUnavailable as error:
            raise CommandError(str(error)) from error
        failed = 0
        for check in failed_checks():
            failed += 1
            self._report(check)
        self.stdout.write(f"checked: {checked}, not valid: {failed}")
        if failed:
            sys.exit(1)

    def _report(self, check: DraftCheck) -> None:
        organization = check.invoice.organization
        for failure in check.failures:
            sentence = failure_sentence(failure)
            self.stdout.write(
                f"{organization.external_id} {organization.name}, {check.invoice.consumption_month:%Y-%m}: {sentence}"
            )
