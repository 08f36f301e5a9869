"""Cents and the named roundings."""

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.money import (
    allocate_cents,
    charge_cents,
    divide_half_away,
    format_cents,
    mean_cents,
    net_amount_cents,
    parse_cents,
    percentage_cents,
    prorate_cents,
    vat_cents,
)

amounts = st.integers(-(10**15), 10**15)
not_negative = st.integers(0, 10**15)
positive = st.integers(1, 10**12)
weights = st.lists(st.integers(0, 10**9), min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"),
    [
        (1, 2, 1),  # 0.5: a half goes away from zero
        (-1, 2, -1),
        (3, 2, 2),  # 1.5
        (5, 2, 3),  # 2.5: half-even would give 2
        (-5, 2, -3),
        (1, 3, 0),
        (2, 3, 1),
        (-2, 3, -1),
        (0, 7, 0),
        (12, 4, 3),
    ],
)
def test_a_half_is_rounded_away_from_zero(numerator: int, denominator: int, expected: int) -> None:
    assert divide_half_away(numerator, denominator) == expected


@given(amounts, positive)
def test_rounding_is_off_by_a_half_at_most(numerator: int, denominator: int) -> None:
    exact = Fraction(numerator, denominator)
    rounded = divide_half_away(numerator, denominator)
    assert abs(rounded - exact) <= Fraction(1, 2)
    if abs(rounded - exact) == Fraction(1, 2):
        assert abs(rounded) > abs(exact)


@given(amounts, positive)
def test_rounding_mirrors_at_zero(numerator: int, denominator: int) -> None:
    assert divide_half_away(-numerator, denominator) == -divide_half_away(numerator, denominator)


@given(amounts, positive, st.integers(1, 1000))
def test_rounding_does_not_depend_on_how_the_fraction_is_written(numerator: int, denominator: int, k: int) -> None:
    assert divide_half_away(numerator * k, denominator * k) == divide_half_away(numerator, denominator)


@given(amounts, amounts, positive)
def test_rounding_keeps_the_order(one: int, other: int, denominator: int) -> None:
    low, high = sorted([one, other])
    assert divide_half_away(low, denominator) <= divide_half_away(high, denominator)


@pytest.mark.parametrize("denominator", [0, -3])
def test_rounding_needs_a_positive_denominator(denominator: int) -> None:
    with pytest.raises(ValueError, match="positive denominator"):
        divide_half_away(1, denominator)


@pytest.mark.parametrize(
    ("amount", "cents"),
    [
        (Fraction("0.125"), 13),  # 0.125 -> 0.13, where half-even gives 0.12
        (Fraction("-0.125"), -13),
        (Fraction("0.005"), 1),
        (Fraction("0.0049999"), 0),
        (Fraction(2, 3), 67),
        (Fraction(0), 0),
    ],
)
def test_an_exact_amount_is_rounded_to_cents(amount: Fraction, cents: int) -> None:
    assert net_amount_cents(amount) == cents


@given(amounts)
def test_an_amount_in_whole_cents_stays_as_it_is(cents: int) -> None:
    assert net_amount_cents(Fraction(cents, 100)) == cents


def test_a_charge_is_quantity_times_unit_price_rounded_once() -> None:
    assert charge_cents(1_000_000, 800_000_000) == 80_000  # 1 * 800.00
    assert charge_cents(2_500_000, 19_990_000) == 4_998  # 2.5 * 19.99 = 49.975
    assert charge_cents(333_333, 3_000_000) == 100  # 0.333333 * 3 = 0.999999
    assert charge_cents(1, 1) == 0  # 0.000001 * 0.000001
    assert charge_cents(500_000, 10_000) == 1  # 0.5 * 0.01 = 0.005


@given(not_negative, not_negative)
def test_a_charge_is_the_rounded_product(quantity_micro: int, unit_price_micro: int) -> None:
    exact = Fraction(quantity_micro, 10**6) * Fraction(unit_price_micro, 10**6)
    assert charge_cents(quantity_micro, unit_price_micro) == net_amount_cents(exact)


def test_a_percentage_is_rounded_once() -> None:
    assert percentage_cents(68_689, 100_000) == 6_869  # 686.89 * 10 % = 68.689
    assert percentage_cents(5, 100_000) == 1  # 0.05 * 10 % = 0.005
    assert percentage_cents(33_333, 333_333) == 11_111  # 333.33 * 33.3333 % = 111.1098…
    assert percentage_cents(12_345, 1_000_000) == 12_345  # 100 %
    assert percentage_cents(12_345, 0) == 0


def test_vat_by_the_rates_of_france() -> None:
    assert vat_cents(68_243, 2_000) == 13_649  # 682.43 * 20 % = 136.486
    assert vat_cents(68_243, 850) == 5_801  # 682.43 * 8.5 % = 58.00655
    assert vat_cents(68_243, 0) == 0
    assert vat_cents(-68_243, 2_000) == -13_649  # a credit note mirrors its invoice


@given(not_negative, st.integers(0, 10_000))
def test_vat_lies_between_nothing_and_the_base(base_cents: int, rate_bp: int) -> None:
    assert 0 <= vat_cents(base_cents, rate_bp) <= base_cents


def test_a_monthly_price_for_a_part_of_the_month() -> None:
    assert prorate_cents(3_500, 21, 31) == 2_371  # 35.00 * 21/31 = 23.7096…
    assert prorate_cents(3_500, 21, 31, times=3) == 7_113  # 35.00 * 21/31 * 3 = 71.129…
    assert prorate_cents(1_000, 1, 3, times=2) == 667  # 10.00 * 1/3 * 2 = 6.666…; twice 3.33 would be 6.66
    assert prorate_cents(4_900, 31, 31) == 4_900
    assert prorate_cents(4_900, 0, 31) == 0


@given(not_negative, st.integers(0, 31), st.integers(28, 31), st.integers(1, 100))
def test_days_and_the_other_days_are_a_month_to_the_cent(cents: int, day: int, days: int, times: int) -> None:
    part = min(day, days)
    both = prorate_cents(cents, part, days, times) + prorate_cents(cents, days - part, days, times)
    assert abs(both - cents * times) <= 1


def test_a_mean_is_rounded_half_away_from_zero() -> None:
    assert mean_cents([10_000, 10_001]) == 10_001  # 100.005
    assert mean_cents([100, 100, 101]) == 100  # 1.00333…
    assert mean_cents([68_689]) == 68_689
    assert mean_cents([0, 0, 1]) == 0


@given(st.lists(amounts, min_size=1))
def test_a_mean_lies_between_its_amounts(cents: list[int]) -> None:
    assert min(cents) <= mean_cents(cents) <= max(cents)


def test_the_mean_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no amounts"):
        mean_cents([])


@pytest.mark.parametrize(
    ("total_cents", "shares", "expected"),
    [
        (100, [1, 1, 1], [33, 34, 33]),  # running: 33.33 -> 33, 66.67 -> 67, 100
        (1, [1, 1, 1], [0, 1, 0]),  # 0.33 -> 0, 0.67 -> 1, 1
        (10_000, [1, 3], [2_500, 7_500]),
        (5, [0, 1, 0], [0, 5, 0]),
        (-100, [1, 1, 1], [-33, -34, -33]),
        (0, [0, 0], [0, 0]),
        (0, [], []),
    ],
)
def test_a_total_is_shared_by_weight(total_cents: int, shares: list[int], expected: list[int]) -> None:
    assert allocate_cents(total_cents, shares) == expected


@given(not_negative, weights.filter(any))
def test_shares_sum_exactly_and_none_is_negative(total_cents: int, shares: list[int]) -> None:
    parts = allocate_cents(total_cents, shares)
    assert sum(parts) == total_cents
    assert min(parts) >= 0
    assert len(parts) == len(shares)


@given(amounts, weights.filter(any))
def test_a_share_is_off_by_less_than_a_cent(total_cents: int, shares: list[int]) -> None:
    whole = sum(shares)
    for part, weight in zip(allocate_cents(total_cents, shares), shares, strict=True):
        assert abs(part - Fraction(total_cents * weight, whole)) < 1
        if weight == 0:
            assert part == 0


@given(amounts, weights.filter(any))
def test_shares_mirror_at_zero(total_cents: int, shares: list[int]) -> None:
    assert allocate_cents(-total_cents, shares) == [-part for part in allocate_cents(total_cents, shares)]


def test_a_total_needs_a_weight_to_go_to() -> None:
    with pytest.raises(ValueError, match="all zero"):
        allocate_cents(1, [0, 0])
    with pytest.raises(ValueError, match="all zero"):
        allocate_cents(1, [])
    with pytest.raises(ValueError, match="negative weights"):
        allocate_cents(1, [2, -1])


@pytest.mark.parametrize(
    ("text", "cents"),
    [("682.43", 68_243), ("682", 68_200), ("682.4", 68_240), ("0", 0), ("0.01", 1), ("007.5", 750)],
)
def test_amounts_are_read(text: str, cents: int) -> None:
    assert parse_cents(text) == cents


@given(not_negative)
def test_amounts_are_read_as_they_are_written(cents: int) -> None:
    assert parse_cents(format_cents(cents)) == cents


NOT_AMOUNTS = ["", " 1", "1 ", "1\n", "1.", ".5", "1.234", "-1", "+1", "1e5", "1_000", "1,000.00", "1,5", "NaN", "inf"]


@pytest.mark.parametrize("text", [*NOT_AMOUNTS, "１２", "١", "0x10", "1" * 16, "9" * 5000, True, 12, 1.5, None])
def test_what_is_not_an_amount_is_refused_with_a_sentence(text: object) -> None:
    with pytest.raises(ValueError, match=r"is not an amount: write at most 15 digits .*\.$") as refusal:
        parse_cents(text)
    assert len(str(refusal.value)) < 150


@pytest.mark.parametrize(
    ("cents", "text"),
    [
        (68_243, "682.43"),
        (-446, "-4.46"),
        (0, "0.00"),
        (5, "0.05"),
        (-5, "-0.05"),
        (100, "1.00"),
        (10**17, "1" + "0" * 15 + ".00"),
    ],
)
def test_amounts_are_written(cents: int, text: str) -> None:
    assert format_cents(cents) == text


@given(amounts)
def test_written_amounts_are_plain(cents: int) -> None:
    assert re.fullmatch(r"-?(0|[1-9][0-9]*)\.[0-9]{2}", format_cents(cents))
    assert Fraction(format_cents(cents)) == Fraction(cents, 100)
