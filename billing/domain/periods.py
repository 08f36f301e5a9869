"""Months as half-open intervals in a time zone, and the split of a quantity over time.

    October 2026 in Europe/Paris
    local  10-01 00:00 +02:00                     11-01 00:00 +01:00
           [----------------- 745 h ------------------)
    UTC    09-30 22:00                            10-31 23:00

Instants are subtracted in UTC only: the difference of two datetimes of the same ZoneInfo is wall-clock time.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Self
from zoneinfo import ZoneInfo

import msgspec

from billing.domain.money import divide_half_away

FIRST_YEAR, LAST_YEAR = 1970, 9998

_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, order=True)
class Month:
    """A calendar month of a time zone, `[start, end)`; months of one zone are ordered in time.

    It remembers its days and its neighbours: a close asks for them a million times.
    """

    year: int
    number: int
    zone: ZoneInfo

    def __post_init__(self) -> None:
        if not 1 <= self.number <= 12 or not FIRST_YEAR <= self.year <= LAST_YEAR:
            raise ValueError(f"There is no month {self.number} of {self.year} here.")

    @classmethod
    def parse(cls, text: str, zone: ZoneInfo) -> Self:
        """Read "2026-10". Raises ValueError, with a sentence, for anything else."""
        match = _MONTH.fullmatch(text)
        # Of the last year there would be no month after, to which a provision could belong.
        if match is None or not FIRST_YEAR <= int(match[1]) < LAST_YEAR:
            raise ValueError(f"{text!r:.40} is not a month: write YYYY-MM, such as 2026-10.")
        return cls(int(match[1]), int(match[2]), zone)

    @classmethod
    def containing(cls, instant: datetime, zone: ZoneInfo) -> Self:
        """Return the month in which an instant lies. Raises ValueError for a datetime without a time zone."""
        local = _utc(instant).astimezone(zone)
        month = cls(local.year, local.month, zone)
        # Clocks set back just after midnight of the 1st (St. John's did) show the old month again for an hour.
        return month if instant < month.end else month.next

    @classmethod
    def of_day(cls, day: date, zone: ZoneInfo) -> Self:
        """Return the month of a calendar day."""
        return cls(day.year, day.month, zone)

    @property
    def start(self) -> datetime:
        """The first instant, in UTC."""
        return _month_start(self.year, self.number, self.zone)

    @property
    def end(self) -> datetime:
        """The first instant of the next month, in UTC: no longer in this one."""
        return self.next.start

    @cached_property
    def first_day(self) -> date:
        """The 1st."""
        return date(self.year, self.number, 1)

    @cached_property
    def last_day(self) -> date:
        """The 28th to the 31st: still in the month."""
        return self.next.first_day - timedelta(days=1)

    @property
    def days(self) -> int:
        """The number of calendar days."""
        return self.last_day.day

    @property
    def seconds(self) -> int:
        """The real length in seconds: 743 h for March 2026 in Paris, 745 h for October."""
        return (self.end - self.start) // timedelta(seconds=1)

    @cached_property
    def next(self) -> Self:
        """The month after."""
        return self.shift(1)

    @cached_property
    def previous(self) -> Self:
        """The month before."""
        return self.shift(-1)

    def shift(self, months: int) -> Self:
        """Return the month that lies `months` later (earlier, when negative)."""
        year, index = divmod(self.year * 12 + self.number - 1 + months, 12)
        return type(self)(year, index + 1, self.zone)

    def back(self, months: int) -> Self:
        """Return the month that lies `months` earlier, or the first one there is."""
        return self.shift(-min(months, (self.year - FIRST_YEAR) * 12 + self.number - 1))

    def contains(self, instant: datetime) -> bool:
        """Tell whether an instant lies in the month; its end does not."""
        return self.start <= instant < self.end

    def has_ended(self, at: datetime) -> bool:
        """Tell whether the month is over at an instant, and may be closed."""
        return at >= self.end

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"


class Part(msgspec.Struct, frozen=True):
    """The share of a quantity, in millionths, that falls on `[start, end)`."""

    start: datetime
    end: datetime
    quantity_micro: int


def split_quantity(quantity_micro: int, start: datetime, end: datetime, cuts: Iterable[datetime]) -> list[Part]:
    """Split a quantity in proportion to time at each cut strictly between start and end; the parts sum to it exactly.

        start        cut 1              cut 2      end
        [-- round(q1) -)[- round(q1+q2) - q1 -)[- rest -)

    Each part is the difference of two rounded running totals: the first is rounded, the last is what is left, none is
    negative, and cutting at one more instant moves nothing across the others. Instants come back in UTC. Raises
    ValueError when the end lies before the start or a datetime has no time zone.
    """
    start, end = _utc(start), _utc(end)
    if end < start:
        raise ValueError("A quantity cannot be split over time that ends before it starts.")
    inside = sorted({cut for cut in map(_utc, cuts) if start < cut < end})
    duration = (end - start) // _MICROSECOND
    # The last running total is the whole itself, also when start and end are one instant and nothing can be divided.
    running = [divide_half_away(quantity_micro * ((cut - start) // _MICROSECOND), duration) for cut in inside]
    edges, totals = pairwise([start, *inside, end]), pairwise([0, *running, quantity_micro])
    return [Part(left, right, after - before) for (left, right), (before, after) in zip(edges, totals, strict=True)]


def months_between(start: datetime, end: datetime, zone: ZoneInfo) -> list[datetime]:
    """Return the starts of months strictly between two instants, in UTC: where a usage record is split on arrival."""
    starts = []
    month = Month.containing(start, zone).next
    while month.start < end:
        starts.append(month.start)
        month = month.next
    return starts


@lru_cache(maxsize=1024)
def _month_start(year: int, number: int, zone: ZoneInfo) -> datetime:
    # fold=0: where midnight comes twice the first one counts, where it is skipped the moment of the jump.
    return datetime(year, number, 1, tzinfo=zone).astimezone(UTC)


def _utc(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError(f"{instant.isoformat()} is not an instant: it has no time zone.")
    return instant.astimezone(UTC)
