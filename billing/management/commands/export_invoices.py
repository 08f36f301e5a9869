"""The invoices of a month as NDJSON, for finance's scripts."""

import sys
from argparse import ArgumentParser
from io import TextIOWrapper
from typing import Any

import msgspec
from django.core.management.base import BaseCommand, CommandError

from billing.domain.periods import Month
from billing.queries.exports import export_documents
from billing.queries.months import billing_zone
from billing.queries.snapshot import read_snapshot


class Command(BaseCommand):
    help = "Write the invoices and credit notes of a consumption month to standard output, one JSON object a line."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("month", metavar="YYYY-MM", help="consumption month")

    def handle(self, *args: Any, month: str, **options: Any) -> None:
        try:
            wanted = Month.parse(month, billing_zone())
        except ValueError as error:
            raise CommandError(str(error)) from error
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8")  # whatever the terminal's language
        with read_snapshot():
            for document in export_documents(wanted):
                self.stdout.write(msgspec.json.encode(document).decode())
