"""Which price is in force, and which tiers can be rated with."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise, product

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.pricing import InvalidPrice, Price, PriceBook, Tier, check_no_overlap, check_price, check_tiers

METER, OTHER_METER = 1, 2
ATLAS, PARENT, STRANGER = 10, 20, 30

JANUARY, JUNE, OCTOBER = (datetime(2026, month, 1, tzinfo=UTC) for month in (1, 6, 10))
NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)


def make_price(
    price_id: int = 1,
    *,
    meter_id: int = METER,
    zone: str = "",
    currency: str = "EUR",
    organization_id: int | None = None,
    valid_from: datetime | None = None,
    valid_to: datetime | None = None,
    tiers: tuple[Tier, ...] = (Tier(None, Decimal("2.5")),),
) -> Price:
    return Price(
        price_id,
        meter_id,
        zone,
        currency,
        organization_id,
        valid_from,
        valid_to,
        3_600_000_000,
        None,
        "graduated",
        False,
        tiers,
    )


def resolved(
    *prices: Price,
    zone: str = "par",
    currency: str = "EUR",
    owners: tuple[int, ...] = (ATLAS, PARENT),
    instant: datetime = OCTOBER,
    meter_id: int = METER,
) -> int | None:
    """The id of the price that a book of these prices answers."""
    price = PriceBook(prices).resolve(meter_id, zone, currency, owners, instant)
    return None if price is None else price.id


def test_a_single_price_from_ever_answers_always() -> None:
    assert resolved(make_price(1)) == 1
    assert resolved(make_price(1), instant=datetime(1999, 1, 1, tzinfo=UTC)) == 1
    assert resolved(make_price(1), owners=()) == 1


def test_nothing_answers_for_another_meter_currency_or_zone() -> None:
    assert resolved(make_price(1), meter_id=OTHER_METER) is None
    assert resolved(make_price(1, currency="USD")) is None
    assert resolved(make_price(1, zone="rbx")) is None
    assert resolved() is None


def test_the_version_in_force_answers() -> None:
    old, new = make_price(1, valid_to=JUNE), make_price(2, valid_from=JUNE)
    assert resolved(old, new, instant=JUNE - timedelta(microseconds=1)) == 1
    assert resolved(old, new, instant=JUNE) == 2  # half-open: the first instant belongs to the new one
    assert resolved(new, old, instant=JANUARY) == 1


def test_between_and_outside_versions_there_is_no_price() -> None:
    versions = make_price(1, valid_from=JANUARY, valid_to=JUNE), make_price(2, valid_from=OCTOBER, valid_to=NOVEMBER)
    assert resolved(*versions, instant=JANUARY - timedelta(days=1)) is None
    assert resolved(*versions, instant=JUNE) is None
    assert resolved(*versions, instant=OCTOBER) == 2
    assert resolved(*versions, instant=NOVEMBER) is None


def test_an_exact_zone_wins_over_any_zone() -> None:
    anywhere, paris = make_price(1), make_price(2, zone="par")
    assert resolved(anywhere, paris) == 2
    assert resolved(anywhere, paris, zone="rbx") == 1
    assert resolved(anywhere, paris, zone="") == 1


def test_zones_are_compared_in_lower_case() -> None:
    assert resolved(make_price(1), make_price(2, zone="PAR"), zone="par") == 2
    assert resolved(make_price(1), make_price(2, zone="par"), zone="Par") == 2


def test_any_zone_answers_while_the_exact_zone_has_no_price_in_force() -> None:
    anywhere, paris = make_price(1), make_price(2, zone="par", valid_from=NOVEMBER)
    assert resolved(anywhere, paris, instant=OCTOBER) == 1
    assert resolved(anywhere, paris, instant=NOVEMBER) == 2


def test_a_negotiated_price_wins_over_any_catalogue_price() -> None:
    catalogue = make_price(1), make_price(2, zone="par")
    own, parents = make_price(3, organization_id=ATLAS), make_price(4, zone="par", organization_id=PARENT)
    assert resolved(*catalogue, parents) == 4
    assert resolved(*catalogue, own, parents) == 3  # its own for any zone before its parent's for that zone
    assert resolved(*catalogue, own, parents, owners=(STRANGER,)) == 2
    assert resolved(*catalogue, own, owners=()) == 2


def test_a_negotiated_price_of_another_meter_currency_or_time_does_not_hide_the_catalogue() -> None:
    for negotiated in (
        make_price(2, organization_id=ATLAS, meter_id=OTHER_METER),
        make_price(2, organization_id=ATLAS, currency="USD"),
        make_price(2, organization_id=ATLAS, zone="rbx"),
        make_price(2, organization_id=ATLAS, valid_to=OCTOBER),
    ):
        assert resolved(make_price(1), negotiated) == 1


@st.composite
def price_lists(draw: st.DrawFn) -> list[Price]:
    """Versions without overlap: per meter, owner and zone the stretches between some instants, in any order."""
    prices: list[Price] = []
    for meter_id in (METER, OTHER_METER):
        for owner in (None, ATLAS, PARENT):
            for zone in ("", "par", "rbx"):
                days = draw(st.lists(st.integers(0, 30), unique=True, max_size=3).map(sorted))
                edges = [None, *(OCTOBER + timedelta(days=day) for day in days), None]
                for begin, end in pairwise(edges):
                    if draw(st.booleans()):
                        prices.append(
                            make_price(
                                len(prices),
                                meter_id=meter_id,
                                organization_id=owner,
                                zone=zone,
                                valid_from=begin,
                                valid_to=end,
                            )
                        )
    return draw(st.permutations(prices))


def expected_price(prices: list[Price], zone: str, owners: tuple[int, ...], instant: datetime) -> Price | None:
    """The rule of interfaces §2 word by word, with a search through everything."""
    for owner in (*owners, None):
        for wanted in (zone, ""):
            for price in prices:
                begun = price.valid_from is None or price.valid_from <= instant
                ended = price.valid_to is not None and price.valid_to <= instant
                same = (price.meter_id, price.organization_id, price.zone) == (METER, owner, wanted)
                if same and begun and not ended:
                    return price
    return None


ZONES = ["", "par", "rbx", "mtl"]
OWNERS: list[tuple[int, ...]] = [(), (ATLAS,), (ATLAS, PARENT), (STRANGER, PARENT), (STRANGER,)]


@given(price_lists(), st.lists(st.integers(-1, 31 * 24), min_size=1, max_size=3))
def test_the_book_answers_like_a_search_through_everything(prices: list[Price], hours: list[int]) -> None:
    book = PriceBook(prices)
    for instant in (OCTOBER + timedelta(hours=hour) for hour in hours):
        for zone, owners in product(ZONES, OWNERS):
            expected = expected_price(prices, zone, owners, instant)
            assert book.resolve(METER, zone, "EUR", owners, instant) == expected


@given(price_lists(), st.integers(0, 30), st.integers(0, 30))
def test_between_two_changes_the_answer_is_the_same(prices: list[Price], begin: int, length: int) -> None:
    book = PriceBook(prices)
    start = OCTOBER + timedelta(days=begin)
    end = start + timedelta(days=length, hours=1)
    changes = book.changes_within(start, end)
    assert changes == sorted(set(changes))
    for left, right in zip([start, *changes], [*changes, end], strict=True):
        last = right - timedelta(microseconds=1)
        assert book.resolve(METER, "par", "EUR", (ATLAS, PARENT), left) == book.resolve(
            METER, "par", "EUR", (ATLAS, PARENT), last
        )


@given(price_lists())
def test_prices_of_one_after_the_other_do_not_overlap(prices: list[Price]) -> None:
    check_no_overlap(prices)


def test_changes_are_strictly_within() -> None:
    book = PriceBook([make_price(1, valid_to=JUNE), make_price(2, valid_from=JUNE, valid_to=OCTOBER)])
    assert book.changes_within(JANUARY, NOVEMBER) == [JUNE, OCTOBER]
    assert book.changes_within(JUNE, NOVEMBER) == [OCTOBER]
    assert book.changes_within(JANUARY, JUNE) == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (make_price(1), make_price(2)),
        (make_price(1), make_price(2, valid_from=JUNE)),
        (make_price(1, valid_from=JUNE), make_price(2, valid_from=OCTOBER)),
        (make_price(1, valid_to=OCTOBER), make_price(2, valid_from=JUNE)),
        (make_price(1, valid_from=JUNE), make_price(2, valid_from=JUNE)),
        (make_price(1, valid_to=OCTOBER), make_price(2, valid_to=JUNE)),
        (make_price(1, zone="par"), make_price(2, zone="PAR")),
    ],
)
def test_prices_in_force_at_once_are_refused(first: Price, second: Price) -> None:
    for prices in ([first, second], [second, first]):
        with pytest.raises(InvalidPrice, match="would be in force"):
            check_no_overlap(prices)


def test_prices_of_different_things_may_be_in_force_at_once() -> None:
    check_no_overlap(
        [
            make_price(1),
            make_price(2, meter_id=OTHER_METER),
            make_price(3, zone="par"),
            make_price(4, currency="USD"),
            make_price(5, organization_id=ATLAS),
        ]
    )
    check_no_overlap([])


def tiers_of(*bounds: int | None) -> tuple[Tier, ...]:
    return tuple(Tier(bound, Decimal(1)) for bound in bounds)


@pytest.mark.parametrize("bounds", [(None,), (1, None), (100, 500, 501, None)])
def test_ascending_tiers_of_which_the_last_is_open_are_fine(bounds: tuple[int | None, ...]) -> None:
    check_tiers(tiers_of(*bounds))


@pytest.mark.parametrize(
    ("bounds", "sentence"),
    [
        ((), "at least one tier"),
        ((100,), "last tier must be open"),
        ((100, 500), "last tier must be open"),
        ((None, None), "Only the last tier may be open"),
        ((100, None, 500, None), "Only the last tier may be open"),
        ((100, 100, None), "ascend"),
        ((500, 100, None), "ascend"),
        ((0, None), "above zero"),
        ((-1, None), "above zero"),
    ],
)
def test_tiers_that_do_not_price_everything_once_are_refused(bounds: tuple[int | None, ...], sentence: str) -> None:
    with pytest.raises(InvalidPrice, match=sentence):
        check_tiers(tiers_of(*bounds))


@pytest.mark.parametrize("unit_price", ["-0.01", "NaN", "Infinity"])
def test_a_unit_price_is_a_number_and_not_negative(unit_price: str) -> None:
    with pytest.raises(InvalidPrice, match="not negative"):
        check_tiers([Tier(None, Decimal(unit_price))])


def test_a_price_that_makes_sense_is_fine() -> None:
    check_price(make_price(valid_from=JANUARY, valid_to=JUNE))
    check_price(msgspec.structs.replace(make_price(), package_micro=100_000_000, mode="volume"))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"per_quantity_micro": 0}, "must be above zero"),
        ({"package_micro": 0}, "package must be above zero"),
        ({"mode": "stairs"}, "graduated or volume, not stairs"),
        ({"valid_from": JUNE, "valid_to": JUNE}, "end after it begins"),
        ({"tiers": ()}, "at least one tier"),
    ],
)
def test_a_price_that_makes_no_sense_is_refused(change: dict[str, object], sentence: str) -> None:
    with pytest.raises(InvalidPrice, match=sentence):
        check_price(msgspec.structs.replace(make_price(), **change))
