"""`manage.py render_documents [YYYY-MM]`: make the files of what is issued and has none yet."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from billing.documents.rendering import render
from billing.domain.periods import Month
from billing.queries.archive import failed_documents, unfinished_documents
from billing.queries.months import billing_zone
from billing.usecases.retry_documents import retry_documents
from billing.usecases.work_on_documents import work_on_documents


class Command(BaseCommand):
    """Render documents, what failed before included."""

    help = "Render issued documents that have no files yet; exit status 1 when one could not be rendered."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Of which month."""
        parser.add_argument("month", metavar="YYYY-MM", nargs="?", help="the consumption month (all by default)")

    def handle(self, *args: Any, month: str | None, **options: Any) -> None:
        """Render and report."""
        try:
            first_day = None if month is None else Month.parse(month, billing_zone()).first_day
        except ValueError as error:
            raise CommandError(str(error)) from error
        begun = timezone.now()
        retry_documents(month=first_day, actor=None, at=begun)
        stored = 0
        while (worked := work_on_documents(render=render, at=timezone.now(), due_by=begun, month=first_day)).taken:
            stored += worked.stored
            self._progress(stored)
        failed = 0
        for document in failed_documents(first_day).iterator():
            failed += 1
            invoice = document.invoice
            self.stdout.write(f"failed: {invoice.number} {invoice.organization.external_id}: {document.error}")
        elsewhere = unfinished_documents(first_day).count() - failed
        self.stdout.write(
            f"stored: {stored}, failed: {failed}" + (f", left to other workers: {elsewhere}" if elsewhere else "")
        )
        if failed:
            sys.exit(1)

    def _progress(self, stored: int) -> None:
        if sys.stderr.isatty():
            self.stderr.write(f"\r{stored} documents stored", ending="")
