"""How the desk writes figures: grouped, in the reader's language, never broken over two lines."""

from datetime import date

import pytest
from django.utils.translation import override

from billing import formatting


@pytest.mark.parametrize(
    ("language", "cents", "written"),
    [("en", 123_456, "1,234.56"), ("en", -446, "-4.46"), ("en", 0, "0.00"), ("fr", 123_456, "1\xa0234,56")],
)
def test_amounts(language: str, cents: int, written: str) -> None:
    with override(language):
        assert formatting.format_amount(cents) == written


def test_an_amount_beyond_what_a_float_could_hold_keeps_every_cent() -> None:
    with override("en"):
        assert formatting.format_amount(900_719_925_474_099_301) == "9,007,199,254,740,993.01"


def test_money_never_wraps_and_names_its_currency() -> None:
    with override("en"):
        money = formatting.format_money(-446, "EUR")
    assert money == '<span class="desk-money desk-negative">-4.46 <span class="desk-unit">EUR</span></span>'
    assert formatting.format_money(None) == ""


@pytest.mark.parametrize(
    ("quantity_micro", "unit", "written"),
    [
        (1_198_594_000_000, "second", "13d 20h 56m 34s"),
        (750_958_999_998, "second", "8d 16h 35m 58.999998s"),
        (250_000, "GB", "0.25 GB"),
        (224_674_000_000, "GB-hour", "224,674 GB-hour"),
        (-3_600_000_000, "second", "-3,600 second"),
        (None, "GB", ""),
    ],
)
def test_quantities(quantity_micro: int | None, unit: str, written: str) -> None:
    with override("en"):
        assert formatting.format_quantity(quantity_micro, unit) == written


def test_shares_and_rates() -> None:
    with override("en"):
        assert formatting.format_rate(2_000) == "20 %"
        assert formatting.format_rate(850) == "8.5 %"
        assert formatting.format_percent(125_000, 1_000_000) == "12.5 %"


def test_unit_prices_have_two_decimals_or_as_many_as_they_need() -> None:
    with override("en"):
        assert formatting.format_unit_micro(800_000_000) == "800.00"
        assert formatting.format_unit_micro(1_234_567) == "1.234567"


def test_months() -> None:
    with override("en"):
        assert formatting.format_month(date(2026, 10, 1)) == "October 2026"
    with override("fr"):
        assert formatting.format_month(date(2026, 10, 1)) == "octobre 2026"
