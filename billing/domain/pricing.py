"""Prices: what a quantity of a meter costs, since when, where and for whom.

Everyday use: load the versions once into a PriceBook and ask it for the price in force when usage was consumed.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Literal

import msgspec

ANY_ZONE = ""

type TierMode = Literal["graduated", "volume"]
type _Key = tuple[int, int | None, str, str]
type _Question = tuple[int, str, str, tuple[int, ...]]

_EVER = datetime.min.replace(tzinfo=UTC)


class InvalidPrice(ValueError):
    """A price that cannot be used to rate; the message is a sentence for the person who entered it."""


class Tier(msgspec.Struct, frozen=True):
    """A unit price up to and including a bound in millionths of the meter's unit; None means without end."""

    up_to_micro: int | None
    unit_price: Decimal


class Price(msgspec.Struct, frozen=True):
    """One version of the price of a meter, currency units per `per_quantity_micro`, in force `[valid_from, valid_to)`.

    `zone` "" serves any zone. `organization_id` None is the catalogue, else the price was negotiated. `package_micro`:
    the quantity is rounded up to whole packages. `bounds_per_hour`: bounds are multiplied by the hours of the month.
    """

    id: int
    meter_id: int
    zone: str
    currency: str
    organization_id: int | None
    valid_from: datetime | None
    valid_to: datetime | None
    per_quantity_micro: int
    package_micro: int | None
    mode: TierMode
    bounds_per_hour: bool
    tiers: tuple[Tier, ...]

    def is_in_force(self, instant: datetime) -> bool:
        """Tell whether this version prices what is consumed at an instant."""
        return (self.valid_from is None or self.valid_from <= instant) and (
            self.valid_to is None or instant < self.valid_to
        )


class PriceBook:
    """The price versions of a close, indexed for hundreds of thousands of questions.

    What may answer a question, in order of precedence, is looked up once and remembered; most of the time that is a
    single version.
    """

    def __init__(self, prices: Iterable[Price]) -> None:
        self._newest_first: dict[_Key, list[Price]] = {}
        for price in sorted(prices, key=_beginning, reverse=True):
            self._newest_first.setdefault(_key(price), []).append(price)
        # Hardly any organization negotiates: the others share what is remembered.
        self._negotiators = {owner for _, owner, _, _ in self._newest_first if owner is not None}
        self._candidates: dict[_Question, tuple[Price, ...]] = {}
        versions = [price for group in self._newest_first.values() for price in group]
        self._changes = sorted({at for price in versions for at in (price.valid_from, price.valid_to) if at})

    def resolve(
        self, meter_id: int, zone: str, currency: str, owners: tuple[int, ...], instant: datetime
    ) -> Price | None:
        """Return the price in force at an instant, or None when there is none.

        Negotiated prices of the owners come first, in their order (the organization, then its parent), then the
        catalogue; within each, a price of that very zone before one for any zone (interfaces §2).
        """
        negotiators = tuple([owner for owner in owners if owner in self._negotiators])
        question = meter_id, zone, currency, negotiators
        candidates = self._candidates.get(question)
        if candidates is None:
            candidates = self._candidates[question] = self._in_order(*question)
        for price in candidates:
            if price.is_in_force(instant):
                return price
        return None

    def changes_within(self, start: datetime, end: datetime) -> list[datetime]:
        """Return, in order, the instants strictly between start and end at which any price begins or ends."""
        return [instant for instant in self._changes if start < instant < end]

    def _in_order(self, meter_id: int, zone: str, currency: str, owners: tuple[int, ...]) -> tuple[Price, ...]:
        zones = (zone.lower(), ANY_ZONE) if zone != ANY_ZONE else (ANY_ZONE,)
        keys = [(meter_id, owner, served, currency) for owner in (*owners, None) for served in zones]
        return tuple(price for key in keys for price in self._newest_first.get(key, ()))


def check_tiers(tiers: Sequence[Tier]) -> None:
    """Check that tiers price every quantity once: ascending bounds above zero, the last tier open, no negative price.

    Raises InvalidPrice.
    """
    if not tiers:
        raise InvalidPrice("A price needs at least one tier.")
    if tiers[-1].up_to_micro is not None:
        raise InvalidPrice("The last tier must be open: without a bound, so that every quantity has a price.")
    previous = 0
    for tier in tiers[:-1]:
        if tier.up_to_micro is None:
            raise InvalidPrice("Only the last tier may be open.")
        if tier.up_to_micro <= previous:
            raise InvalidPrice("The bounds of the tiers must be above zero and ascend from tier to tier.")
        previous = tier.up_to_micro
    if not all(tier.unit_price.is_finite() and tier.unit_price >= 0 for tier in tiers):
        raise InvalidPrice("A unit price must be a number and not negative.")


def check_price(price: Price) -> None:
    """Check one version by itself: its quantities, its mode, its validity and its tiers. Raises InvalidPrice."""
    if price.per_quantity_micro <= 0:
        raise InvalidPrice("The quantity that a unit price is for must be above zero.")
    if price.package_micro is not None and price.package_micro <= 0:
        raise InvalidPrice("A package must be above zero.")
    if price.mode not in ("graduated", "volume"):
        raise InvalidPrice(f"The tiers of a price are graduated or volume, not {price.mode}.")
    if price.valid_from is not None and price.valid_to is not None and price.valid_to <= price.valid_from:
        raise InvalidPrice("A price must end after it begins.")
    check_tiers(price.tiers)


def check_no_overlap(prices: Iterable[Price]) -> None:
    """Check that of one meter, zone, currency and owner no two versions are in force at once. Raises InvalidPrice."""
    for earlier, later in pairwise(sorted(prices, key=lambda price: (_sortable(_key(price)), _beginning(price)))):
        if _key(earlier) != _key(later):
            continue
        if later.valid_from is None or earlier.valid_to is None or earlier.valid_to > later.valid_from:
            since = later.valid_from.isoformat() if later.valid_from else "ever"
            raise InvalidPrice(f"Two prices of the same meter, zone and currency would be in force from {since} on.")


def _key(price: Price) -> _Key:
    return price.meter_id, price.organization_id, price.zone.lower(), price.currency


def _sortable(key: _Key) -> tuple[int, bool, int, str, str]:
    meter_id, owner, zone, currency = key
    return meter_id, owner is not None, owner or 0, zone, currency


def _beginning(price: Price) -> datetime:
    return price.valid_from or _EVER
