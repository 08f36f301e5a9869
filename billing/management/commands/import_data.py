"""The command of the platform's exports."""

import sys
from argparse import ArgumentParser
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from billing.usecases.import_data import ImportReport, import_data


class Command(BaseCommand):
    help = "Load organizations, resources, usage, prices, charges, credits and payments from a file of JSON lines."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="one JSON object a line, UTF-8; - reads standard input")

    def handle(self, *args: Any, file: str, **options: Any) -> None:
        try:
            with nullcontext(sys.stdin.buffer) if file == "-" else Path(file).open("rb") as stream:
                report = import_data(stream=stream, at=timezone.now())
        except OSError as error:
            raise CommandError(f"Cannot read {file}: {error.strerror}.") from error
        self._print(report)
        if len(report.refusals):
            sys.exit(1)

    def _print(self, report: ImportReport) -> None:
        for number, reason in report.refusals:
            self.stdout.write(f"line {number}: {reason}")
        self.stdout.write(
            f"accepted: {report.accepted}, unchanged: {report.unchanged}, rejected: {len(report.refusals)}"
        )
