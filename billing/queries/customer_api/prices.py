"""The price system as the platform publishes it: the inverse of what `import_prices` reads (interfaces, section 2).

What that read comes back as it was, and reading it again changes nothing. Prices that finance set may say more than the
published format has words for: units of their own, `mode` of volume prices, and `package_quantity` of packages that are
not the quantity of the unit price. Readers of the format ignore these keys.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID, uuid5

from msgspec import UNSET, Struct, UnsetType

from billing.domain.pricing import Price
from billing.domain.quantities import MICRO
from billing.models import Meter
from billing.queries.customer_api.money import from_micro
from billing.queries.price_book import load_price_book
from organizations.models import Organization

type Secability = Literal["secable", "insecable"]

HOUR_MICRO = 3_600 * MICRO
BYTES_PER_GB = 10**9
_IDS = UUID("2c8d7b0e-52a4-4d0c-9f0e-6f2f5a8f3d11")


class RuntimePrice(Struct, frozen=True):
    """A price per hour of running."""

    runtime_policy_id: str
    source: str
    flavor: str
    time_unit: str
    price: Decimal
    slug_id: str


class PricedQuantity(Struct, frozen=True):
    """For which quantity a price is; insecable ones are charged as a whole."""

    secability: Secability
    quantity: Decimal
    package_quantity: Decimal | UnsetType = UNSET


class PricedInterval(Struct, frozen=True):
    """For which time the quantity is."""

    secability: Secability
    interval: str


class PricePlan(Struct, frozen=True):
    """A tier; the last one has no end."""

    plan_id: str
    max_quantity: Decimal | None
    price: Decimal


class CountablePrice(Struct, frozen=True):
    """The tiers of a quantity."""

    countable_policy_id: str
    service: str
    data_unit: str
    data_quantity_for_price: PricedQuantity
    time_interval_for_price: PricedInterval | None
    price_plans: list[PricePlan]
    mode: str | UnsetType = UNSET


class PriceSystem(Struct, frozen=True):
    """All that has a price in a zone and currency at an instant."""

    zone_id: str
    currency: str
    runtime: list[RuntimePrice]
    countable: list[CountablePrice]


def load_price_system(
    *, zone: str, currency: str, at: datetime, organization: Organization | None = None
) -> PriceSystem:
    """The catalogue, or the prices of an organization: those negotiated with it or with its parent come first."""
    owners = (organization.pk, organization.parent_id) if organization else ()
    known = tuple([owner for owner in owners if owner is not None])
    book = load_price_book(known)
    meters = Meter.objects.order_by("code")
    if organization is None:  # what is resold, and with which margin, is no catalogue for everybody
        meters = meters.exclude(category="vendor")
    priced = [
        (meter, price) for meter in meters if (price := book.resolve(meter.pk, zone, currency, known, at)) is not None
    ]
    runtime = [_runtime(meter, price) for meter, price in priced if _is_runtime(meter, price)]
    countable = [_countable(meter, price) for meter, price in priced if not _is_runtime(meter, price)]
    return PriceSystem(zone.lower(), currency, runtime, countable)


def policy_id(price_id: int) -> str:
    """The public identifier of a price version."""
    return str(uuid5(_IDS, f"price:{price_id}"))


def plan_id(price_id: int, position: int) -> str:
    """The public identifier of a tier of a price version."""
    return str(uuid5(_IDS, f"price:{price_id}:{position}"))


def _is_runtime(meter: Meter, price: Price) -> bool:
    """Whether one price per hour says it all."""
    is_plain = len(price.tiers) == 1 and price.package_micro is None
    return meter.unit == "second" and is_plain and HOUR_MICRO % price.per_quantity_micro == 0


def _runtime(meter: Meter, price: Price) -> RuntimePrice:
    source, _, flavor = meter.code.rpartition(".")
    return RuntimePrice(
        runtime_policy_id=policy_id(price.id),
        source=(source or meter.code).lower(),
        flavor=flavor.lower(),
        time_unit="PT1H",
        price=price.tiers[0].unit_price * (HOUR_MICRO // price.per_quantity_micro),
        slug_id=meter.code,
    )


def _countable(meter: Meter, price: Price) -> CountablePrice:
    unit, scale = _unit(meter, price)
    is_package = price.package_micro is not None
    secability: Secability = "insecable" if is_package else "secable"
    package = price.package_micro if price.package_micro not in (None, price.per_quantity_micro) else None
    return CountablePrice(
        countable_policy_id=policy_id(price.id),
        service=meter.code,
        data_unit=unit,
        data_quantity_for_price=PricedQuantity(
            secability,
            from_micro(price.per_quantity_micro * scale),
            UNSET if package is None else from_micro(package * scale),
        ),
        time_interval_for_price=_interval(unit, price, secability),
        price_plans=list(_plans(price, scale, is_exclusive=unit == "User")),
        mode="volume" if price.mode == "volume" else UNSET,
    )


def _unit(meter: Meter, price: Price) -> tuple[str, int]:
    """The unit of the published format, and how many of it are one of the meter's."""
    if (meter.unit, price.bounds_per_hour) in (("GB-hour", True), ("GB", False)):
        return "B", BYTES_PER_GB
    return meter.unit, 1


def _interval(unit: str, price: Price, secability: Secability) -> PricedInterval | None:
    if price.bounds_per_hour:
        return PricedInterval("secable", "PT1H")
    return PricedInterval(secability, "PT720H") if unit == "User" else None


def _plans(price: Price, scale: int, *, is_exclusive: bool) -> Iterator[PricePlan]:
    """The tiers; users are counted below a bound, everything else up to it."""
    for position, tier in enumerate(price.tiers):
        bound = None if tier.up_to_micro is None else from_micro(tier.up_to_micro * scale) + is_exclusive
        yield PricePlan(plan_id(price.id, position), bound, tier.unit_price)
