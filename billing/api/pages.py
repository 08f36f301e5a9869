"""Lists: filters that are checked, and pages that a cursor leads through, whatever is added meanwhile.

GET /api/invoices?month=2026-10&limit=100
{"items": [...], "next": "4711"}            then &cursor=4711, until next is null
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.dateparse import parse_datetime

from billing.api.problems import Problem
from billing.domain.periods import Month
from billing.queries.months import billing_zone

LIMIT = 100
MAX_LIMIT = 1_000
MAX_CURSOR_DIGITS = 18


type Readers = Mapping[str, Callable[[str], Any]]


class Page(NamedTuple):
    """Which part of a list is wanted."""

    after: int
    limit: int


def read_query(query: QueryDict, readers: Readers) -> dict[str, Any]:
    """The values of the parameters that are there. Raises Problem 400 for others, doubled and unreadable ones."""
    values = {}
    for name, given in query.lists():
        if name not in readers:
            known = ", ".join(readers) or "none"
            raise Problem(400, "unknown_parameter", f"There is no parameter {name!r:.60}; there are: {known}.")
        if len(given) != 1:
            raise Problem(400, "invalid_parameter", f"{name}: write one value.")
        if "\0" in given[0]:
            raise Problem(400, "invalid_parameter", f"{name}: leave out the NUL character.")
        try:
            values[name] = readers[name](given[0])
        except ValueError as error:
            raise Problem(400, "invalid_parameter", f"{name}: {error}") from error
    return values


def read_page(values: Mapping[str, Any]) -> Page:
    """The page that parameters ask for."""
    return Page(values.get("cursor", 0), values.get("limit", LIMIT))


def read_limit(text: str, most: int = MAX_LIMIT) -> int:
    """How many items a page has."""
    if not (text.isascii() and text.isdecimal() and len(text) < 6 and 1 <= int(text) <= most):
        raise ValueError(f"write a number from 1 to {most}.")
    return int(text)


def read_cursor(text: str) -> int:
    """The key of the last row of the page before."""
    if not (text.isascii() and text.isdecimal() and len(text) <= MAX_CURSOR_DIGITS):
        raise ValueError("send the value of `next` as it came.")
    return int(text)


def read_month(text: str) -> Month:
    """A consumption month such as 2026-10."""
    return Month.parse(text, billing_zone())


def read_instant(text: str) -> datetime:
    """A time with an offset."""
    try:
        instant = parse_datetime(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise ValueError("write a time with an offset, such as 2026-11-01T00:00:00Z.")
    try:
        return instant.astimezone(UTC)  # PostgreSQL takes no offset of a day or nearly so
    except OverflowError as error:
        raise ValueError("this time is before all calendars, or after.") from error


PAGING: Readers = {"cursor": read_cursor, "limit": read_limit}


def answer_page(rows: QuerySet[Any], page: Page, write: Callable[[Sequence[Any]], Sequence[Any]]) -> dict[str, Any]:
    """One page of rows in the order of their keys."""
    found = list(rows.filter(pk__gt=page.after).order_by("pk")[: page.limit + 1])
    shown = found[: page.limit]
    more = len(found) > page.limit
    return {"items": write(shown), "next": str(shown[-1].pk) if more else None}
