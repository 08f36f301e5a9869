"""The published format of a price system, read into prices of meters (interfaces §2)."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import BinaryIO, Literal, NamedTuple

import msgspec

from billing.domain.pricing import Tier
from billing.domain.quantities import MAX_QUANTITY_MICRO, MICRO, parse_unit_price
from billing.usecases._price_versions import PriceTerms

SECONDS_PER_HOUR = 3_600
BYTES_PER_GB = 10**9
LONGEST_CODE = 100
LONGEST_ZONE = 50


class InvalidPriceSystem(ValueError):
    """The file cannot be loaded; the message is a sentence. Nothing was changed."""


class MeterPrice(NamedTuple):
    """The price of a meter, and the unit and category that the meter has or gets."""

    code: str
    unit: str
    category: str
    terms: PriceTerms


class PriceSystem(NamedTuple):
    """All prices of a zone in a currency."""

    zone: str
    currency: str
    prices: list[MeterPrice]


class _Runtime(msgspec.Struct):
    slug_id: str
    time_unit: str
    price: msgspec.Raw


class _PricedQuantity(msgspec.Struct):
    secability: Literal["secable", "insecable"]
    quantity: int


class _Interval(msgspec.Struct):
    interval: str


class _Plan(msgspec.Struct):
    price: msgspec.Raw
    max_quantity: int | None = None


class _Countable(msgspec.Struct):
    service: str
    data_unit: str
    data_quantity_for_price: _PricedQuantity
    price_plans: list[_Plan]
    time_interval_for_price: _Interval | None = None


class _File(msgspec.Struct):
    zone_id: str
    currency: str
    runtime: list[_Runtime]
    countable: list[_Countable]


class _Measure(NamedTuple):
    """How quantities of the file become quantities of a meter: millionths = quantity x MICRO / divisor."""

    unit: str
    divisor: int = 1
    bounds_per_hour: bool = False
    bounds_are_exclusive: bool = False

    def micro(self, quantity: int) -> int:
        micro, rest = divmod(quantity * MICRO, self.divisor)
        if rest or not 0 < micro <= MAX_QUANTITY_MICRO:
            raise ValueError(f"{quantity} cannot be kept as a number of {self.unit} with six decimals")
        return micro


# By data unit and interval. 10^9 bytes for an hour are a GB-hour; a user counts for a month of 720 hours.
_MEASURES = {
    ("B", "PT1H"): _Measure("GB-hour", BYTES_PER_GB, bounds_per_hour=True),
    ("B", None): _Measure("GB", BYTES_PER_GB),
    ("User", "PT720H"): _Measure("User", bounds_are_exclusive=True),
}


def read_price_system(stream: BinaryIO) -> PriceSystem:
    """Read a price system without losing a digit; keys that are not known are ignored. Raises InvalidPriceSystem."""
    try:
        file = msgspec.json.decode(stream.read(), type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidPriceSystem(f"The file is not a price system: {error}.") from error
    if not 0 < len(file.zone_id) <= LONGEST_ZONE or "\0" in file.zone_id:
        raise InvalidPriceSystem(f"The zone of a price system has 1 to {LONGEST_ZONE} characters.")
    prices: dict[str, MeterPrice] = {}
    for price in (*map(_runtime, file.runtime), *map(_countable, file.countable)):
        if prices.setdefault(price.code.upper(), price).terms != price.terms:
            raise InvalidPriceSystem(f"{price.code} has two different prices.")
    return PriceSystem(file.zone_id.lower(), file.currency, list(prices.values()))


@contextmanager
def _named(code: str) -> Iterator[None]:
    """Say of which entry a sentence speaks."""
    try:
        if not 0 < len(code) <= LONGEST_CODE or "\0" in code:
            raise ValueError(f"the code of a meter has 1 to {LONGEST_CODE} characters")
        yield
    except ValueError as error:
        raise InvalidPriceSystem(f"{code:.100}: {str(error).rstrip('.')}.") from error


def _runtime(entry: _Runtime) -> MeterPrice:
    with _named(entry.slug_id):
        return MeterPrice(entry.slug_id, "second", "runtime", _runtime_terms(entry))


def _countable(entry: _Countable) -> MeterPrice:
    with _named(entry.service):
        measure = _measure(entry)
        return MeterPrice(entry.service, measure.unit, "countable", _countable_terms(entry, measure))


def _runtime_terms(entry: _Runtime) -> PriceTerms:
    if entry.time_unit != "PT1H":
        raise ValueError(f"a price per {entry.time_unit:.20} is not known, only per PT1H")
    return PriceTerms(per_quantity_micro=SECONDS_PER_HOUR * MICRO, tiers=(Tier(None, _unit_price(entry.price)),))


def _measure(entry: _Countable) -> _Measure:
    interval = entry.time_interval_for_price.interval if entry.time_interval_for_price else None
    measure = _MEASURES.get((entry.data_unit, interval))
    if measure is None:
        raise ValueError(f"the unit {entry.data_unit:.20} per {interval or 'nothing'} is not known")
    return measure


def _countable_terms(entry: _Countable, measure: _Measure) -> PriceTerms:
    priced = entry.data_quantity_for_price
    per_quantity_micro = measure.micro(priced.quantity)
    return PriceTerms(
        per_quantity_micro=per_quantity_micro,
        package_micro=per_quantity_micro if priced.secability == "insecable" else None,
        bounds_per_hour=measure.bounds_per_hour,
        tiers=tuple(Tier(_bound(plan, measure), _unit_price(plan.price)) for plan in entry.price_plans),
    )


def _bound(plan: _Plan, measure: _Measure) -> int | None:
    """The inclusive bound of a tier: below 101 users is up to 100."""
    if plan.max_quantity is None:
        return None
    return measure.micro(plan.max_quantity - 1 if measure.bounds_are_exclusive else plan.max_quantity)


def _unit_price(raw: msgspec.Raw) -> Decimal:
    is_text = bytes(raw).startswith(b'"')
    return parse_unit_price(msgspec.json.decode(raw, type=str if is_text else Decimal))
