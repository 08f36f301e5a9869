"""Vendor consumption: what organizations consumed at another provider, from that provider's dataset."""

import csv
import sys
from argparse import ArgumentParser
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from billing.usecases.import_vendor_usage import import_vendor_usage


class Command(BaseCommand):
    help = "Load another provider's cost dataset as consumption of organizations; the same file again changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="a FOCUS dataset (CSV, UTF-8); - reads standard input")
        parser.add_argument("--format", choices=["focus"], default="focus", help="how the file is written")
        parser.add_argument(
            "--map",
            metavar="FILE",
            help="lines of ACCOUNT,ORGANIZATION: whose the provider's billing and sub accounts are; an account that is "
            "not listed is an organization's identifier",
        )

    def handle(self, *args: Any, file: str, map: str | None, **options: Any) -> None:  # noqa: A002  # the option's name
        accounts = {} if map is None else _read_map(map)
        try:
            with nullcontext(sys.stdin.buffer) if file == "-" else Path(file).open("rb") as stream:
                report = import_vendor_usage(stream=stream, accounts=accounts, at=timezone.now())
        except OSError as error:
            raise CommandError(f"Cannot read {file}: {error.strerror}.") from error
        for number, reason in report.refusals:
            self.stdout.write(f"line {number}: {reason}")
        self.stdout.write(
            f"accepted: {report.accepted}, unchanged: {report.unchanged}, rejected: {len(report.refusals)}"
        )
        if len(report.refusals):
            sys.exit(1)


def _read_map(file: str) -> dict[str, str]:
    accounts: dict[str, str] = {}
    try:
        with Path(file).open(encoding="utf-8-sig", newline="") as lines:
            for number, cells in enumerate(csv.reader(lines, strict=True), start=1):
                if not cells:
                    continue
                if len(cells) != 2 or not all(cell.strip() for cell in cells):
                    raise CommandError(f"{file}, line {number}: write ACCOUNT,ORGANIZATION.")
                account, organization = (cell.strip() for cell in cells)
                if accounts.setdefault(account, organization) != organization:
                    raise CommandError(f"{file}, line {number}: {account} belongs to another organization above.")
    except OSError as error:
        raise CommandError(f"Cannot read {file}: {error.strerror}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise CommandError(f"{file} is no CSV in UTF-8.") from error
    return accounts
