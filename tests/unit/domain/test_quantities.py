"""Quantities in millionths, unit prices, packages, durations."""

import json
import re
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.quantities import (
    MAX_QUANTITY_MICRO,
    format_duration,
    format_micro,
    format_unit_price,
    parse_micro,
    parse_unit_price,
    round_up_to_packages,
)

PRICE_SYSTEM = Path(__file__).resolve().parents[3] / ".." / "shared" / "data" / "price-system-par-eur.json"

quantities = st.integers(0, MAX_QUANTITY_MICRO)
unit_prices = st.builds(
    lambda digits, scale: Decimal((0, tuple(map(int, str(digits))), -scale)),
    st.integers(0, 10**15 - 1),
    st.integers(0, 24),
)

NOT_NUMBERS = [
    "",
    " 1",
    "1 ",
    "1\n",
    "1.",
    ".5",
    "-1",
    "+1",
    "1e5",
    "1E5",
    "1_000",
    "1,000",
    "1,5",
    "１２",
    "١٢",
    "NaN",
]
NOT_NUMBERS += ["nan", "Infinity", "inf", "-0", "0x10", "true", "½", "1.2.3"]


@pytest.mark.parametrize(
    ("text", "micro"),
    [
        ("224674", 224_674_000_000),
        ("0.25", 250_000),
        ("0.000001", 1),
        ("0", 0),
        ("0.0", 0),
        ("1.500000", 1_500_000),
        ("007", 7_000_000),
        ("1000000000000", MAX_QUANTITY_MICRO),  # 10^12 is still accepted
        ("1000000000000.000000", MAX_QUANTITY_MICRO),
        ("999999999999.999999", MAX_QUANTITY_MICRO - 1),
    ],
)
def test_quantities_are_read(text: str, micro: int) -> None:
    assert parse_micro(text) == micro


@given(quantities)
def test_quantities_are_read_as_they_are_written(micro: int) -> None:
    assert parse_micro(format_micro(micro)) == micro


@pytest.mark.parametrize("text", [*NOT_NUMBERS, True, 12, 1.5, Decimal("1"), None, ["1"]])
def test_what_is_not_a_quantity_is_refused_with_a_sentence(text: object) -> None:
    with pytest.raises(ValueError, match=r"is not a quantity: .*\.$") as refusal:
        parse_micro(text)
    assert len(str(refusal.value)) < 150


def test_more_than_six_decimals_are_refused() -> None:
    with pytest.raises(ValueError, match="more than six decimals"):
        parse_micro("0.0000001")


@pytest.mark.parametrize("text", ["1000000000000.000001", "1000000000001", "1" + "0" * 30, "9" * 5000])
def test_more_than_ten_to_the_twelve_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="too large") as refusal:
        parse_micro(text)
    assert len(str(refusal.value)) < 150


def test_the_largest_quantity_fits_a_bigint() -> None:
    assert MAX_QUANTITY_MICRO < 2**63


@pytest.mark.parametrize(
    ("micro", "text"),
    [
        (224_674_000_000, "224674"),
        (250_000, "0.25"),
        (1, "0.000001"),
        (0, "0"),
        (-1_500_000, "-1.5"),
        (10_000_000, "10"),
    ],
)
def test_quantities_are_written_without_trailing_zeros(micro: int, text: str) -> None:
    assert format_micro(micro) == text


@given(st.integers(-MAX_QUANTITY_MICRO, MAX_QUANTITY_MICRO))
def test_written_quantities_are_plain_and_exact(micro: int) -> None:
    text = format_micro(micro)
    assert re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]{0,5}[1-9])?", text)
    assert Fraction(text) == Fraction(micro, 1_000_000)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0.00229166666666667", "0.00229166666666667"),
        ("0.0000142222222222222", "0.0000142222222222222"),  # 15 digits from the fifth decimal on
        ("2.50", "2.5"),
        ("8", "8"),
        ("100", "100"),
        ("0", "0"),
        ("0.000", "0"),
        ("007.10", "7.1"),
        ("0.5" + "0" * 30, "0.5"),  # as a wide column of a database gives it back
        (Decimal("0.0000305555555555556"), "0.0000305555555555556"),
        (Decimal("2E-7"), "0.0000002"),  # as JSON may write a number
        (Decimal("1E+2"), "100"),
        (0, "0"),
        (8, "8"),
    ],
)
def test_unit_prices_are_read_and_written_in_plain_notation(value: object, text: str) -> None:
    assert format_unit_price(parse_unit_price(value)) == text


@given(unit_prices)
def test_a_unit_price_keeps_every_digit(price: Decimal) -> None:
    assert parse_unit_price(format_unit_price(price)) == price
    assert parse_unit_price(price) == price


@given(unit_prices)
def test_equal_unit_prices_are_read_alike(price: Decimal) -> None:
    padded = format(price, "f") + ("00" if "." in format(price, "f") else ".00")
    assert str(parse_unit_price(padded)) == str(parse_unit_price(price))


@pytest.mark.parametrize(
    "value", [*NOT_NUMBERS, True, 0.1, None, Decimal("NaN"), Decimal("Infinity"), Decimal("-1"), -1]
)
def test_what_is_not_a_unit_price_is_refused_with_a_sentence(value: object) -> None:
    with pytest.raises(ValueError, match=r"is not a unit price: .*\.$"):
        parse_unit_price(value)


def test_a_unit_price_that_would_lose_digits_is_refused() -> None:
    assert parse_unit_price("123456789012345") == 123456789012345
    with pytest.raises(ValueError, match="15 significant digits"):
        parse_unit_price("0.1234567890123456")
    with pytest.raises(ValueError, match="15 significant digits"):
        parse_unit_price("1000000000000000")
    with pytest.raises(ValueError, match="24 decimals"):
        parse_unit_price("0." + "0" * 24 + "1")


def test_the_real_price_system_keeps_every_digit() -> None:
    if not PRICE_SYSTEM.exists():
        pytest.skip("the price system lies beside the repository, in ../shared, and is absent here")
    text = PRICE_SYSTEM.read_text(encoding="utf-8")
    written = _prices_of(json.loads(text, parse_float=str, parse_int=str))
    exact = _prices_of(json.loads(text, parse_float=Decimal))
    assert len(written) == 230 + 44  # 230 runtime prices, and 44 tiers of 13 countable ones
    for as_written, price in zip(written, exact, strict=True):
        assert format_unit_price(parse_unit_price(price)) == as_written
        assert format_unit_price(parse_unit_price(as_written)) == as_written


def _prices_of(system: dict[str, list[dict[str, object]]]) -> list[object]:
    plans = [plan for countable in system["countable"] for plan in countable["price_plans"]]  # type: ignore[attr-defined]
    return [runtime["price"] for runtime in system["runtime"]] + [plan["price"] for plan in plans]


@pytest.mark.parametrize(
    ("quantity", "package", "billed"),
    [
        (101, 100, 200),  # a package that was begun is sold
        (100, 100, 100),
        (1, 100, 100),
        (0, 100, 0),
        (101, None, 101),
        (2_500_000, 1_000_000, 3_000_000),  # 2.5 users are 3
    ],
)
def test_packages_are_sold_whole(quantity: int, package: int | None, billed: int) -> None:
    assert round_up_to_packages(quantity, package) == billed


@given(quantities, st.integers(1, 10**12))
def test_packages_hold_the_quantity_and_no_package_is_empty(quantity: int, package: int) -> None:
    billed = round_up_to_packages(quantity, package)
    assert billed % package == 0
    assert quantity <= billed < quantity + package


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1_198_594, "13d 20h 56m 34s"),  # 13 * 86400 + 20 * 3600 + 56 * 60 + 34
        (224_674, "2d 14h 24m 34s"),
        (3_600, "1h 0m 0s"),
        (2_678_400, "31d 0h 0m 0s"),
        (61, "1m 1s"),
        (59, "59s"),
        (0, "0s"),
    ],
)
def test_durations_are_written(seconds: int, text: str) -> None:
    assert format_duration(seconds) == text


@given(st.integers(0, 10**10))
def test_durations_lose_no_second(seconds: int) -> None:
    size = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
    assert sum(int(part[:-1]) * size[part[-1]] for part in format_duration(seconds).split()) == seconds


def test_a_negative_duration_is_refused() -> None:
    with pytest.raises(ValueError, match="not negative"):
        format_duration(-1)
