"""Checks every promise that stored data must keep."""

import sys
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing.queries.snapshot import read_snapshot
from billing.queries.verification import PROMISES, Promise
from billing.queries.verification._promises import Broken
from billing.queries.verification.anchors import Anchor, UnreadableAnchor, broken_anchors, load_anchors, read_anchors

LISTED = 20


class Command(BaseCommand):
    help = (
        "Check every promise that stored data must keep; exit status 1 when something is broken. The last document of "
        "each series is printed as an anchor: kept elsewhere, it proves later that nothing before it was changed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--anchors", type=Path, metavar="FILE", help="check that the series still contain what an earlier run wrote"
        )
        parser.add_argument(
            "--write-anchors", type=Path, metavar="FILE", help="write the anchors there, if nothing is broken"
        )

    def handle(self, *args: Any, anchors: Path | None, write_anchors: Path | None, **options: Any) -> None:
        earlier = [] if anchors is None else self._read(anchors)
        with read_snapshot():
            broken = sum(self._check(promise) for promise in PROMISES)
            if earlier:
                checked = f"The series contain what was written down before. ({len(earlier)} anchors)"
                broken += self._report(checked, broken_anchors(earlier))
            heads = load_anchors()
        for head in heads:
            self.stdout.write(str(head))
        summary = f"promises checked: {len(PROMISES)}, broken things: {broken}"
        self.stdout.write(self.style.ERROR(summary) if broken else self.style.SUCCESS(summary))
        if broken:
            sys.exit(1)
        if write_anchors is not None:
            self._write(write_anchors, heads)

    def _read(self, path: Path) -> list[Anchor]:
        try:
            anchors = read_anchors(path.read_text(encoding="utf-8").splitlines())
        except (OSError, UnicodeDecodeError, UnreadableAnchor) as error:
            raise CommandError(f"The anchors cannot be read: {error}") from error
        if not anchors:
            raise CommandError(f"There is no anchor in {path}.")
        return anchors

    def _write(self, path: Path, anchors: Sequence[Anchor]) -> None:
        try:
            path.write_text("".join(f"{anchor}\n" for anchor in anchors), encoding="utf-8")
        except OSError as error:
            raise CommandError(f"The anchors cannot be written: {error}") from error

    def _check(self, promise: Promise) -> int:
        """Print what is checked, on how many rows and what breaks it; return how many do."""
        checked = f"{promise.sentence} ({promise.population().count()} {promise.things})"
        return self._report(checked, promise.find())

    def _report(self, checked: str, found: Iterable[Broken]) -> int:
        findings = iter(found)
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
