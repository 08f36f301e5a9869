"""Money, months and time: the words that the calculator is written in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

type Json = dict[str, Any]

PARIS = ZoneInfo("Europe/Paris")


def exact(text: str | int | Decimal) -> Fraction:
    """The number that a decimal text names, without any loss."""
    return Fraction(Decimal(text))


def half_away_from_zero(value: Fraction) -> int:
    whole = (abs(value) * 2 + 1) // 2
    return int(-whole if value < 0 else whole)


def to_cents(value: Fraction) -> int:
    return half_away_from_zero(value * 100)


def to_millionth(value: Fraction) -> Fraction:
    return Fraction(half_away_from_zero(value * 1_000_000), 1_000_000)


def cents_of(text: str | None) -> int | None:
    """The cents of an amount as people write it (``"20.00"``)."""
    if text is None:
        return None
    cents = exact(text) * 100
    assert cents.denominator == 1, text
    return int(cents)


def money(cents: int) -> str:
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def number(value: Fraction) -> str:
    """A decimal without trailing zeros; compared as a number."""
    if value.denominator == 1:
        return str(value.numerator)
    scaled = value * 10**15
    assert scaled.denominator == 1, value
    digits = str(scaled.numerator).rjust(16, "0")
    return f"{digits[:-15]}.{digits[-15:]}".rstrip("0").rstrip(".")


def instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    assert moment.tzinfo is not None, text
    return moment.astimezone(UTC)


def midnight(day: date) -> datetime:
    """00:00 of that day in Paris, as an instant."""
    return datetime(day.year, day.month, day.day, tzinfo=PARIS).astimezone(UTC)


def microseconds(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


@dataclass(frozen=True, order=True)
class Month:
    """``[first day 00:00, first day of the next month 00:00)`` in Paris."""

    year: int
    number: int

    @classmethod
    def of(cls, text: str) -> Month:
        return cls(int(text[:4]), int(text[5:7]))

    @classmethod
    def holding(cls, moment: datetime) -> Month:
        local = moment.astimezone(PARIS)
        return cls(local.year, local.month)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"

    def plus(self, months: int) -> Month:
        total = self.year * 12 + self.number - 1 + months
        return Month(total // 12, total % 12 + 1)

    @property
    def next(self) -> Month:
        return self.plus(1)

    @cached_property
    def first_day(self) -> date:
        return date(self.year, self.number, 1)

    @cached_property
    def last_day(self) -> date:
        return self.next.first_day - timedelta(days=1)

    @property
    def days(self) -> int:
        return self.last_day.day

    @cached_property
    def start(self) -> datetime:
        return midnight(self.first_day)

    @property
    def end(self) -> datetime:
        return self.next.start

    @property
    def hours(self) -> Fraction:
        """743 in March, 745 in October: counted between instants, never on the clock on the wall."""
        return Fraction(microseconds(self.end - self.start), 3_600_000_000)
