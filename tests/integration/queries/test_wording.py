"""Lines are worded for their reader."""

from datetime import date

import pytest
from django.utils.translation import override

from billing.models import InvoiceLine
from billing.queries.wording import line_description

OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)


def worded(kind: str, start: date = NOVEMBER, end: date = DECEMBER, name: str = "") -> str:
    with override("en"):
        return line_description(InvoiceLine(kind=kind, name=name, period_start=start, period_end=end))


@pytest.mark.parametrize(
    ("kind", "name", "description"),
    [
        ("provision", "", "Credits provision, November 2026"),
        ("add_on", "Premium support", "Premium support, November 2026"),
        ("one_shot", "Database migration", "Database migration"),
        ("custom_service", "On-call", "On-call"),
        ("discount", "Loyalty", "Loyalty"),
        ("discount", "", "Discount"),
        ("adjustment", "", "Adjustment"),
    ],
)
def test_says_what_is_billed(kind: str, name: str, description: str) -> None:
    assert worded(kind, name=name) == description


def test_regularization_names_the_month_of_consumption() -> None:
    assert worded("regularization", OCTOBER, NOVEMBER) == "Regularization, October 2026"


def test_month_at_the_end_of_a_year() -> None:
    assert worded("add_on", DECEMBER, date(2027, 1, 1), "Backup") == "Backup, December 2026"


@pytest.mark.parametrize(
    ("start", "end", "description"),
    [
        (date(2026, 11, 12), DECEMBER, "Support, 12 November 2026 to 30 November 2026"),
        (NOVEMBER, date(2026, 11, 15), "Support, 1 November 2026 to 14 November 2026"),
        (date(2026, 11, 30), DECEMBER, "Support, on 30 November 2026"),
    ],
)
def test_part_of_a_month_names_its_days_the_last_included(start: date, end: date, description: str) -> None:
    assert worded("add_on", start, end, "Support") == description


def test_names_keep_their_percent_signs() -> None:
    assert worded("add_on", name="100 %(month)s") == "100 %(month)s, November 2026"


def test_months_are_in_the_readers_language() -> None:
    with override("fr"):
        line = InvoiceLine(kind="provision", period_start=NOVEMBER, period_end=DECEMBER)
        assert line_description(line).endswith("novembre 2026")
