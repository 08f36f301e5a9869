"""Checks every promise that stored data must keep."""

import sys
from itertools import islice
from typing import Any

from django.core.management.base import BaseCommand

from billing.queries.snapshot import read_snapshot
from billing.queries.verification import PROMISES, Promise

LISTED = 20


class Command(BaseCommand):
    help = "Check every promise that stored data must keep; exit status 1 when something is broken."

    def handle(self, *args: Any, **options: Any) -> None:
        with read_snapshot():
            broken = sum(self._check(promise) for promise in PROMISES)
        summary = f"promises checked: {len(PROMISES)}, broken things: {broken}"
        self.stdout.write(self.style.ERROR(summary) if broken else self.style.SUCCESS(summary))
        if broken:
            sys.exit(1)

    def _check(self, promise: Promise) -> int:
        """Print what is checked, on how many rows and what breaks it; return how many do."""
        checked = f"{promise.sentence} ({promise.population().count()} {promise.things})"
        findings = promise.find()
        listed = list(islice(findings, LISTED))
        if not listed:
            self.stdout.write(f"ok      {checked}")
            return 0
        self.stdout.write(self.style.ERROR(f"BROKEN  {checked}"))
        for subject, sentence in listed:
            self.stdout.write(f"        {subject}: {sentence}")
        unlisted = sum(1 for _ in findings)
        if unlisted:
            self.stdout.write(f"        and {unlisted} more, {len(listed) + unlisted} in all")
        return len(listed) + unlisted
