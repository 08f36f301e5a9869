"""The four months that the demo shows, the one in progress, and the spans over which usage is reported."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, cached_property
from typing import Self
from zoneinfo import ZoneInfo

from billing.domain.periods import Month

MONTHS = 4
LAST = MONTHS - 1
"""Index of the month that is left as drafts."""

IN_PROGRESS = MONTHS
"""Index of the month after them: it has usage up to the day on which the demo is loaded, and nothing else."""

A_MONTH = 31
"""Days of a span that covers any month."""

ISSUE_DAY = 3
"""Finance issues a month on this day of the next one."""


@dataclass(frozen=True, slots=True)
class Span:
    """A time span of one usage record: whole days of one month, as NDJSON writes instants."""

    first_day: date
    last_day: date
    start: str
    end: str
    seconds: int
    weekend_days: int

    @property
    def days(self) -> int:
        """The number of days."""
        return (self.last_day - self.first_day).days + 1


@dataclass(frozen=True)
class FourMonths:
    """Four months in a row, oldest first; a month is named by its index 0..3."""

    first: Month

    @classmethod
    def ending_before(cls, at: datetime, zone: ZoneInfo) -> Self:
        """The four months up to the last one that has ended at an instant."""
        return cls(Month.containing(at, zone).previous.shift(-LAST))

    @cached_property
    def months(self) -> tuple[Month, ...]:
        """The months, oldest first."""
        return tuple(self.first.shift(index) for index in range(MONTHS))

    @property
    def in_progress(self) -> Month:
        """The month after them."""
        return self.first.shift(IN_PROGRESS)

    def day(self, index: int, number: int) -> date:
        """Return a day of a month; `number` counts from 1 and must exist in February too."""
        return self.months[index].first_day.replace(day=number)

    def before(self, months: int, number: int = 1) -> date:
        """Return a day of a month before the first one."""
        return self.first.shift(-months).first_day.replace(day=number)

    def last_day(self, index: int) -> date:
        """Return the last day of a month."""
        return self.months[index].last_day

    def known_after(self, index: int) -> datetime:
        """The instant, early on the 1st, at which everything about a month has been reported."""
        return self.months[index].end + timedelta(hours=2)

    def issued_on(self, index: int) -> date:
        """The day on which a month's invoices are issued."""
        return self.months[index].next.first_day.replace(day=ISSUE_DAY)

    @cache  # noqa: B019  # there is one of these in a process
    def spans(self, days: int) -> tuple[tuple[Span, ...], ...]:
        """Per month, also the one in progress, the spans of so many days; the last one of a month may be shorter."""
        return tuple(_spans(month, days) for month in (*self.months, self.in_progress))


def office_hour(day: date, month: Month) -> datetime:
    """Return half past nine of a day where the month's clock hangs, as an instant."""
    return datetime.combine(day, time(9, 30), month.zone).astimezone(UTC)


def _spans(month: Month, days: int) -> tuple[Span, ...]:
    spans = []
    for number in range(1, month.days + 1, days):
        first = month.first_day.replace(day=number)
        last = min(first + timedelta(days=days - 1), month.last_day)
        start, end = _midnight(first, month), _midnight(last + timedelta(days=1), month)
        covered = [first + timedelta(days=offset) for offset in range((last - first).days + 1)]
        spans.append(
            Span(
                first_day=first,
                last_day=last,
                start=_text(start),
                end=_text(end),
                seconds=(end - start) // timedelta(seconds=1),
                weekend_days=sum(day.weekday() >= 5 for day in covered),
            )
        )
    return tuple(spans)


def _midnight(day: date, month: Month) -> datetime:
    return datetime.combine(day, time(), month.zone).astimezone(UTC)


def _text(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"


def within(spans: Sequence[Span], since: date, until: date | None) -> Sequence[Span]:
    """Return the spans that lie within `[since, until)`; None has no bound."""
    return [span for span in spans if span.first_day >= since and (until is None or span.last_day < until)]
