"""Plays a story on the real system, through its management commands alone, and on the calculator, and compares."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from io import StringIO
from pathlib import Path

from django.core.management import call_command

from tests.builders.focus import billed_by_document, export_focus, totals_of
from tests.integration.oracle.basics import Json, Month
from tests.integration.oracle.differences import differences
from tests.integration.oracle.model import Oracle


@dataclass(frozen=True)
class ImportPrices:
    text: str
    valid_from: date | None = None


@dataclass(frozen=True)
class ImportData:
    lines: list[Json]


@dataclass(frozen=True)
class Close:
    month: Month
    only: list[str] | None = None


@dataclass(frozen=True)
class Issue:
    month: Month
    date: date
    only: list[str] | None = None


type Step = ImportPrices | ImportData | Close | Issue


class Disagreement(AssertionError):
    """The system and the calculator part; the text names the first differences."""


@dataclass
class Platform:
    """The real system, reached only as a person at a terminal reaches it."""

    folder: Path
    files: int = 0
    numbers: dict[tuple[str, str], str] = field(default_factory=dict)

    def apply(self, step: Step) -> str:
        """What the command printed."""
        match step:
            case ImportPrices(text, valid_from):
                since = ["--from", valid_from.isoformat()] if valid_from else []
                return self._run("import_prices", self._file(text), *since)
            case ImportData(lines):
                return self._import(lines)
            case Close(month, only):
                return self._run("close_month", str(month), *_options(only))
            case Issue(month, day, only):
                return self._run("issue_invoices", str(month), "--date", day.isoformat(), *_options(only))

    def rehearse(self, step: Close) -> None:
        """``--dry-run`` writes nothing."""
        before = self._run("export_invoices", str(step.month))
        self._run("close_month", str(step.month), "--dry-run", *_options(step.only))
        if self._run("export_invoices", str(step.month)) != before:
            raise Disagreement(f"close_month {step.month} --dry-run changed invoices")

    def verify(self) -> None:
        self._run("verify")

    def export(self, month: Month) -> list[Json]:
        documents: list[Json] = [json.loads(line) for line in self._run("export_invoices", str(month)).splitlines()]
        for document in documents:
            if document["type"] == "invoice" and document["number"]:
                self.numbers[document["organization"], document["consumption_month"]] = document["number"]
        return documents

    def _import(self, lines: list[Json]) -> str:
        texts = [json.dumps(self._with_number(line), ensure_ascii=False) for line in lines]
        printed = self._run("import_data", self._file("".join(text + "\n" for text in texts)))
        counts = re.search(r"accepted: ([\d,]+), unchanged: ([\d,]+), rejected: ([\d,]+)", printed)
        if counts is None or counts[3] != "0":
            raise Disagreement(f"import_data refused lines that are good:\n{printed[-4000:]}")
        return printed

    def _with_number(self, line: Json) -> Json:
        """The stories name an invoice by its organization and month; the system knows it by the number it gave it."""
        if line["kind"] == "payment" and line.get("invoice") is not None:
            organization, month = line["invoice"]
            return {**line, "invoice": self.numbers[organization, month]}
        return line

    def _file(self, text: str) -> str:
        self.files += 1
        path = self.folder / f"{self.files:04d}.json"
        path.write_text(text, encoding="utf-8")
        return str(path)

    def _run(self, command: str, *arguments: str) -> str:
        out, errors = StringIO(), StringIO()
        try:
            call_command(command, *arguments, stdout=out, stderr=errors)
        except SystemExit as stop:
            if stop.code not in {0, None}:
                words = " ".join(arguments)
                text = out.getvalue()[-3000:] + errors.getvalue()[-3000:]
                raise Disagreement(f"{command} {words} ended with status {stop.code}:\n{text}") from stop
        return out.getvalue()


def _options(only: Iterable[str] | None) -> list[str]:
    return [word for name in only or () for word in ("--organization", name)]


def tell(oracle: Oracle, step: Step) -> None:
    """The same step for the calculator."""
    match step:
        case ImportPrices(text, valid_from):
            oracle.import_prices(text, valid_from)
        case ImportData(lines):
            oracle.import_lines(lines)
        case Close(month, only):
            oracle.close(month, only)
        case Issue(month, day, only):
            oracle.issue(month, day, only)


def play(story: Iterable[Step], oracle: Oracle, folder: Path, *, rehearse: bool = False, show: int = 40) -> None:
    """Compare after every close and every issue, and once more every month at the end.

    Raises:
        Disagreement: with the first ``show`` differences.
    """
    platform = Platform(folder)
    months: set[Month] = set()
    counted: set[Month] = set()
    for number, step in enumerate(story):
        if isinstance(step, Close) and rehearse:
            platform.rehearse(step)
        printed = platform.apply(step)
        tell(oracle, step)
        if isinstance(step, Close) and step.only is None and step.month not in counted:
            counted.add(step.month)
            _counted(step.month, oracle, printed)
        if isinstance(step, Close | Issue):
            months.add(step.month)
            _agree(f"step {number}, {type(step).__name__} {step.month}", oracle, platform, [step.month], show)
    _agree("at the end", oracle, platform, sorted(months), show)
    _gapless(platform.numbers.values())
    for month in sorted(months):
        _datasets(month)
    platform.verify()


def _counted(month: Month, oracle: Oracle, printed: str) -> None:
    """``invoices: N, nil: N, blocked: N`` of a first close."""
    counts = re.search(r"invoices: ([\d,]+), nil: ([\d,]+), blocked: ([\d,]+)", printed)
    kinds = [outcomes[month].kind for outcomes in oracle.outcomes.values() if month in outcomes]
    expected = [kinds.count(kind) for kind in ("draft", "nil", "blocked")]
    got = [int(count.replace(",", "")) for count in counts.groups()] if counts else None
    if got != expected:
        raise Disagreement(f"close_month {month}: expected {expected} (invoices, nil, blocked), got {got}:\n{printed}")


def _agree(when: str, oracle: Oracle, platform: Platform, months: list[Month], show: int) -> None:
    found: list[str] = []
    for month in months:
        found += differences(str(month), oracle.export(month), platform.export(month))
    if found:
        shown = "\n".join(found[:show])
        raise Disagreement(f"{when}: {len(found)} differences\n{shown}")


def _datasets(month: Month) -> None:
    """Every issued document is a FOCUS dataset of the same total."""
    billed, totals = billed_by_document(export_focus(str(month))), totals_of(str(month))
    if billed != totals:
        raise Disagreement(f"export_focus {month}: expected {totals}, got {billed}")


def _gapless(numbers: Iterable[str]) -> None:
    """The counters at the end of the numbers have neither a hole nor a double (§7)."""
    counters = sorted(int(re.findall(r"\d+", number)[-1]) for number in numbers)
    if counters != list(range(counters[0], counters[0] + len(counters))) if counters else False:
        raise Disagreement(f"numbers are not gapless: {sorted(numbers)[:50]}")
