"""The command that loads the published prices."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.usecases.import_prices import InvalidPriceSystem, import_prices


class Command(BaseCommand):
    help = "Load a price system: create the meters it prices, and a new version of each price that has changed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="a price system as JSON")
        parser.add_argument(
            "--from",
            dest="valid_from",
            metavar="YYYY-MM-DD",
            type=_day,
            help="first day of new and changed prices; without it new prices are valid from ever",
        )

    def handle(self, *args: Any, file: str, valid_from: date | None, **options: Any) -> None:
        try:
            with Path(file).open("rb") as stream:
                report = import_prices(stream=stream, valid_from=valid_from)
        except OSError as error:
            raise CommandError(f"Cannot read {file}: {error.strerror}.") from error
        except InvalidPriceSystem as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"zone: {report.zone}, currency: {report.currency}, new meters: {report.new_meters}")
        self.stdout.write(
            f"prices: {report.new_prices} new, {report.changed_prices} changed, {report.unchanged_prices} unchanged"
        )


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not a day: write YYYY-MM-DD.") from error
    if not 1970 <= day.year <= 9998 or len(text) != 10:
        raise ArgumentTypeError(f"{text!r} is not a day: write YYYY-MM-DD.")
    return day
