"""Usage x price = amount: worked examples, the explained and the compiled way, the real price system."""

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.money import divide_half_away
from billing.domain.periods import Month
from billing.domain.pricing import Price, Tier, TierMode, check_price
from billing.domain.quantities import MAX_QUANTITY_MICRO, MICRO, parse_unit_price
from billing.domain.rating import bounds_micro, compile_price, rate

PRICE_SYSTEM = Path(__file__).resolve().parents[3] / ".." / "shared" / "data" / "price-system-par-eur.json"

type PriceSystem = dict[str, list[dict[str, object]]]

PARIS = ZoneInfo("Europe/Paris")
MARCH = Month(2026, 3, PARIS).seconds  # 743 h
OCTOBER = Month(2026, 10, PARIS).seconds  # 745 h
HOUR = 3_600


def make_price(
    *tiers: tuple[str | None, str],
    per: str = "1",
    package: str | None = None,
    mode: TierMode = "graduated",
    bounds_per_hour: bool = False,
) -> Price:
    """A price from tiers of (inclusive bound in units, unit price)."""
    made = tuple(Tier(None if bound is None else micro(bound), parse_unit_price(price)) for bound, price in tiers)
    package_micro = None if package is None else micro(package)
    return Price(1, 1, "", "EUR", None, None, None, micro(per), package_micro, mode, bounds_per_hour, made)


def micro(quantity: str) -> int:
    exact = Fraction(quantity) * MICRO
    assert exact.denominator == 1
    return exact.numerator


def amount(quantity: str, price: Price, month_seconds: int = OCTOBER) -> int:
    """The amount in cents, rated both ways."""
    explained = rate(micro(quantity), price, month_seconds).amount_cents
    assert compile_price(price, month_seconds).amount_cents(micro(quantity)) == explained
    return explained


def test_seconds_at_a_price_per_hour() -> None:
    # 224674 s / 3600 * 0.0444444444444444 = 2.77375…
    assert amount("224674", make_price((None, "0.0444444444444444"), per="3600")) == 277
    assert amount("3600", make_price((None, "2.50"), per="3600")) == 250


def test_a_long_unit_price_is_not_rounded_before_the_amount() -> None:
    # 100 GB for 745 h: 74500 * 0.00229166666666667 = 170.7291666666669…; at 0.0023 it would be 171.35
    assert amount("74500", make_price((None, "0.00229166666666667"))) == 17_073


def test_an_exact_half_cent_goes_away_from_zero() -> None:
    assert amount("0.125", make_price((None, "1"))) == 13  # 0.125
    assert amount("0.5", make_price((None, "0.01"))) == 1  # 0.005
    assert amount("0.499999", make_price((None, "0.01"))) == 0  # 0.00499999


def test_nothing_costs_nothing_and_has_no_slices() -> None:
    for price in (
        make_price((None, "8")),
        make_price(("1", "1"), (None, "8"), mode="volume"),
        make_price((None, "8"), package="100"),
    ):
        assert amount("0", price) == 0
        assert rate(0, price, OCTOBER).slices == ()
        assert rate(0, price, OCTOBER).billed_quantity_micro == 0


@pytest.mark.parametrize(
    ("quantity", "cents"),
    [
        ("100", 9_00),  # 100 * 0.09
        ("1000", 90_00),  # the bound is inclusive
        ("1001", 90_07),  # 1000 * 0.09 + 1 * 0.07
        ("2500", 187_50),  # 1000 * 0.09 + 1000 * 0.07 + 500 * 0.055 = 90 + 70 + 27.50
    ],
)
def test_graduated_tiers_price_their_own_slice(quantity: str, cents: int) -> None:
    assert amount(quantity, make_price(("1000", "0.09"), ("2000", "0.07"), (None, "0.055"))) == cents


@pytest.mark.parametrize(
    ("quantity", "cents"),
    [
        ("100", 9_00),  # 100 * 0.09
        ("1000", 90_00),  # the bound is inclusive: 1000 * 0.09
        ("1000.000001", 70_00),  # one millionth more: 1000.000001 * 0.07 = 70.00000007
        ("1001", 70_07),  # 1001 * 0.07
        ("2500", 137_50),  # 2500 * 0.055
    ],
)
def test_in_volume_mode_the_reached_tier_prices_everything(quantity: str, cents: int) -> None:
    price = make_price(("1000", "0.09"), ("2000", "0.07"), (None, "0.055"), mode="volume")
    assert amount(quantity, price) == cents


def test_slices_explain_a_graduated_amount() -> None:
    rated = rate(micro("2500"), make_price(("1000", "0"), ("2000", "0.07"), (None, "0.055")), OCTOBER)
    assert [(piece.from_micro, piece.to_micro, piece.quantity_micro) for piece in rated.slices] == [
        (0, micro("1000"), micro("1000")),  # the free tier is part of the explanation
        (micro("1000"), micro("2000"), micro("1000")),
        (micro("2000"), None, micro("500")),
    ]
    assert [piece.amount for piece in rated.slices] == [0, 70, Fraction("27.5")]
    assert [piece.unit_price for piece in rated.slices] == [Decimal("0"), Decimal("0.07"), Decimal("0.055")]


def test_one_slice_explains_a_volume_amount() -> None:
    rated = rate(micro("1500"), make_price(("1000", "0.09"), ("2000", "0.07"), (None, "0.055"), mode="volume"), OCTOBER)
    (piece,) = rated.slices
    assert (piece.from_micro, piece.to_micro, piece.quantity_micro) == (micro("1000"), micro("2000"), micro("1500"))
    assert piece.amount == 105  # 1500 * 0.07


def test_slices_are_rounded_together_not_each() -> None:
    # 0.004 + 0.004 = 0.008 -> 0.01; rounded each they would be 0.00
    assert amount("2", make_price(("1", "0.004"), (None, "0.004"))) == 1


@pytest.mark.parametrize(
    ("users", "billed", "cents"),
    [
        ("0", "0", 0),
        ("1", "100", 0),  # one package, free
        ("100", "100", 0),
        ("101", "200", 8_00),  # two packages: 100 free, 100 / 100 * 8.00
        ("200", "200", 8_00),
        ("200.5", "300", 16_00),  # three packages
        ("1001", "1100", 80_00),  # eleven packages: 1000 / 100 * 8.00
    ],
)
def test_a_total_is_rounded_up_to_packages_before_tiers(users: str, billed: str, cents: int) -> None:
    price = make_price(("100", "0"), (None, "8"), per="100", package="100")
    assert amount(users, price) == cents
    assert rate(micro(users), price, OCTOBER).billed_quantity_micro == micro(billed)


def test_packages_decide_the_tier_in_volume_mode() -> None:
    price = make_price(("100", "10"), (None, "8"), per="100", package="100", mode="volume")
    assert amount("100", price) == 10_00
    assert amount("101", price) == 16_00  # 200 / 100 * 8.00


def test_bounds_per_hour_follow_the_hours_of_the_month() -> None:
    price = make_price(("0.1", "0"), (None, "0.00229166666666667"), bounds_per_hour=True)
    assert bounds_micro(price, MARCH) == (micro("74.3"),)  # 0.1 GB * 743 h
    assert bounds_micro(price, OCTOBER) == (micro("74.5"),)  # 0.1 GB * 745 h
    # 100 GB through March: (74300 - 74.3) * 0.00229166666666667 = 170.1005625…
    assert amount("74300", price, MARCH) == 17_010
    # 100 GB through October: (74500 - 74.5) * 0.00229166666666667 = 170.5584375…
    assert amount("74500", price, OCTOBER) == 17_056
    # 0.1 GB through the month is free, to the last millionth
    assert amount("74.3", price, MARCH) == 0
    assert rate(micro("74.3"), price, MARCH).slices[-1].to_micro == micro("74.3")


def test_the_length_of_the_month_does_not_matter_to_other_bounds() -> None:
    price = make_price(("10000", "0.09"), (None, "0.07"))
    assert bounds_micro(price, MARCH) == bounds_micro(price, OCTOBER) == (micro("10000"),)


def test_a_bound_in_a_month_with_half_an_hour_is_cut_to_a_millionth() -> None:
    price = make_price(("0.000001", "0"), (None, "1"), bounds_per_hour=True)
    assert bounds_micro(price, 743 * HOUR + HOUR // 2) == (743,)  # 743.5 millionths


def test_a_negative_quantity_is_refused() -> None:
    price = make_price((None, "1"))
    with pytest.raises(ValueError, match="negative"):
        rate(-1, price, OCTOBER)
    with pytest.raises(ValueError, match="negative"):
        compile_price(price, OCTOBER).amount_cents(-1)


unit_prices = st.builds(
    lambda digits, scale: Decimal((0, tuple(map(int, str(digits))), -scale)),
    st.integers(0, 10**15 - 1),
    st.integers(0, 20),
)
month_seconds = st.one_of(
    st.sampled_from([hours * HOUR for hours in (672, 720, 743, 744, 745)]), st.just(743 * HOUR + HOUR // 2)
)


@st.composite
def prices(draw: st.DrawFn, max_bound: int = 10**15, modes: tuple[TierMode, ...] = ("graduated", "volume")) -> Price:
    bounds = sorted(draw(st.sets(st.integers(1, max_bound), max_size=5)))
    price = Price(
        1,
        1,
        "",
        "EUR",
        None,
        None,
        None,
        draw(st.integers(1, 10**12)),
        draw(st.none() | st.integers(1, max_bound)),
        draw(st.sampled_from(modes)),
        draw(st.booleans()),
        tuple(Tier(bound, draw(unit_prices)) for bound in (*bounds, None)),
    )
    check_price(price)
    return price


quantities = st.one_of(st.integers(0, 10**6), st.integers(0, 10**15), st.integers(0, MAX_QUANTITY_MICRO))


@given(prices(), quantities, month_seconds)
def test_the_compiled_price_equals_the_explained_one(price: Price, quantity: int, seconds: int) -> None:
    assert compile_price(price, seconds).amount_cents(quantity) == rate(quantity, price, seconds).amount_cents


@given(prices(), st.data(), month_seconds)
def test_both_are_equal_at_and_around_every_bound(price: Price, data: st.DataObject, seconds: int) -> None:
    compiled = compile_price(price, seconds)
    for bound in bounds_micro(price, seconds):
        for quantity in (bound - 1, bound, bound + 1):
            assert compiled.amount_cents(quantity) == rate(quantity, price, seconds).amount_cents


@given(prices(), quantities, month_seconds)
def test_slices_account_for_the_whole_quantity_and_amount(price: Price, quantity: int, seconds: int) -> None:
    rated = rate(quantity, price, seconds)
    assert sum(piece.quantity_micro for piece in rated.slices) == rated.billed_quantity_micro
    total = sum((piece.amount for piece in rated.slices), Fraction(0)) * 100
    assert rated.amount_cents == divide_half_away(total.numerator, total.denominator)
    assert all(piece.quantity_micro > 0 and piece.amount >= 0 for piece in rated.slices)


@given(prices(max_bound=40, modes=("graduated",)), st.integers(0, 100))
def test_the_slices_of_graduated_tiers_are_the_integral_of_the_price(price: Price, quantity: int) -> None:
    rated = rate(quantity, price, HOUR)  # in a month of one hour, bounds per hour are the bounds themselves

    def marginal(millionth: int) -> Fraction:
        tier = next(tier for tier in price.tiers if tier.up_to_micro is None or millionth <= tier.up_to_micro)
        return Fraction(tier.unit_price) / price.per_quantity_micro

    integral = sum((marginal(millionth) for millionth in range(1, rated.billed_quantity_micro + 1)), Fraction(0))
    assert sum((piece.amount for piece in rated.slices), Fraction(0)) == integral


@given(prices(modes=("graduated",)), quantities, quantities, month_seconds)
def test_with_graduated_tiers_more_never_costs_less(price: Price, one: int, other: int, seconds: int) -> None:
    compiled = compile_price(price, seconds)
    low, high = sorted([one, other])
    assert 0 <= compiled.amount_cents(low) <= compiled.amount_cents(high)


@given(prices(), quantities, month_seconds)
def test_filling_the_package_up_costs_nothing_more(price: Price, quantity: int, seconds: int) -> None:
    rated = rate(quantity, price, seconds)
    assert rate(rated.billed_quantity_micro, price, seconds).amount_cents == rated.amount_cents
    assert rated.billed_quantity_micro >= quantity


@given(unit_prices, st.integers(1, 10**12), quantities)
def test_a_single_tier_is_a_multiplication(unit_price: Decimal, per_quantity: int, quantity: int) -> None:
    price = Price(1, 1, "", "EUR", None, None, None, per_quantity, None, "graduated", False, (Tier(None, unit_price),))
    exact = Fraction(unit_price) * quantity / per_quantity
    assert abs(Fraction(rate(quantity, price, OCTOBER).amount_cents, 100) - exact) <= Fraction(1, 200)


@pytest.fixture(scope="module")
def system() -> PriceSystem:
    """All 230 runtime and 13 countable prices of a real platform, without floats."""
    if not PRICE_SYSTEM.exists():
        pytest.skip("the price system lies beside the repository, in ../shared, and is absent here")
    loaded: PriceSystem = json.loads(PRICE_SYSTEM.read_text(encoding="utf-8"), parse_float=Decimal)
    return loaded


def test_every_real_runtime_price(system: PriceSystem) -> None:
    assert len(system["runtime"]) == 230
    for entry in system["runtime"]:
        written = Decimal(str(entry["price"]))
        price = make_price((None, format(written, "f")), per="3600")
        assert price.tiers[0].unit_price == written
        for seconds in (1, 224_674, OCTOBER, 10**12):
            cents = Fraction(written) * seconds / 36  # seconds / 3600 * price * 100
            expected = divide_half_away(cents.numerator, cents.denominator)
            assert amount(str(seconds), price) == expected, entry["slug_id"]


def test_every_real_countable_price(system: PriceSystem) -> None:
    assert len(system["countable"]) == 13
    for entry in system["countable"]:
        price = countable_price(entry)
        check_price(price)
        for quantity in ("0.000001", "0.5", "74.3", "101", "5000", "123456.789012", "99999999"):
            expected = countable_cents(entry, Fraction(quantity), MARCH)
            assert amount(quantity, price, MARCH) == expected, entry["service"]


def countable_price(entry: dict[str, object]) -> Price:
    """A countable entry as `import_prices` stores it: GB, GB-hours or users."""
    quantity, plans, users = _read(entry)
    package = quantity if users else None
    tiers = [
        (None if bound is None else _decimal(bound - 1 if users else Fraction(bound, 10**9)), price)
        for bound, price in plans
    ]
    per = _decimal(quantity if users else Fraction(quantity, 10**9))
    hourly = entry["time_interval_for_price"] is not None and not users
    return make_price(*tiers, per=per, package=None if package is None else str(package), bounds_per_hour=hourly)


def countable_cents(entry: dict[str, object], quantity: Fraction, seconds: int) -> int:
    """The same entry summed independently of the domain, tier by tier, in bytes or users."""
    per, plans, users = _read(entry)
    hours = seconds // HOUR if entry["time_interval_for_price"] is not None and not users else 1
    left = -(-quantity // per) * per if users else quantity * 10**9
    lower, total = Fraction(0), Fraction(0)
    for bound, price in plans:
        upper = None if bound is None else Fraction(bound - 1 if users else bound) * hours
        size = left if upper is None else min(left, upper - lower)
        total += Fraction(price) * size / per
        left -= size
        lower = upper if upper is not None else lower
    cents = total * 100
    return divide_half_away(cents.numerator, cents.denominator)


def _read(entry: dict[str, object]) -> tuple[int, list[tuple[int | None, str]], bool]:
    quantity = entry["data_quantity_for_price"]
    plans = entry["price_plans"]
    assert isinstance(quantity, dict)
    assert isinstance(plans, list)
    prices_of_plans = [(plan["max_quantity"], format(Decimal(plan["price"]), "f")) for plan in plans]
    return quantity["quantity"], prices_of_plans, entry["data_unit"] == "User"


def _decimal(number: Fraction | int) -> str:
    return format(Decimal(number.numerator) / Decimal(number.denominator), "f")
