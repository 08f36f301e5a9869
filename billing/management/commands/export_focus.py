"""What was invoiced for a month as a FOCUS 1.2 dataset, for customers' and finance's cost tools."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from io import TextIOWrapper
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.domain.periods import Month
from billing.queries.focus import (
    FocusMismatch,
    FocusRow,
    focus_file,
    focus_of_month,
    focus_of_organization,
)
from billing.queries.months import billing_zone
from billing.queries.snapshot import read_snapshot
from organizations.models import Organization

CHARACTERS_AT_ONCE = 2**16


class Command(BaseCommand):
    help = "Write what was issued for a consumption month to standard output, as a FOCUS 1.2 dataset (CSV)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("month", metavar="YYYY-MM", help="consumption month")
        parser.add_argument("--organization", metavar="ID", help="only of this paying organization")

    def handle(self, *args: Any, month: str, organization: str | None, **options: Any) -> None:
        try:
            wanted = Month.parse(month, billing_zone())
        except ValueError as error:
            raise CommandError(str(error)) from error
        with read_snapshot():
            try:
                self._write(_rows(wanted, organization))
            except FocusMismatch as error:
                raise CommandError(str(error)) from error

    def _write(self, rows: Iterable[FocusRow]) -> None:
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8")  # whatever the terminal's language
        with TextIOWrapper(focus_file(rows).file, encoding="utf-8", newline="") as file:
            while text := file.read(CHARACTERS_AT_ONCE):
                self.stdout.write(text, ending="")


def _rows(month: Month, organization: str | None) -> Iterable[FocusRow]:
    if organization is None:
        return focus_of_month(month)
    found = Organization.objects.filter(external_id=organization).select_related("parent").first()
    if found is None:
        raise CommandError(f"There is no organization {organization}.")
    if found.parent is not None:
        raise CommandError(f"{organization} is billed on the invoice of {found.parent.external_id}: ask for that one.")
    return focus_of_organization(found.pk, month)
