"""Rating: usage x price = amount, rounded once.

The same arithmetic twice. `rate` explains an amount slice by slice; `compile_price` turns a price into a few integers
for the month close, which rates hundreds of thousands of lines. They are equal for every quantity.

    graduated   0 ---- tier 1 ----] 100 ---- tier 2 ----] 500 ---- tier 3 ---->     each tier prices its own slice
    volume      0 --------------- tier 2 prices all of it ----x                     the reached tier prices everything
"""

from bisect import bisect_left
from decimal import Decimal
from fractions import Fraction
from math import lcm

import msgspec

from billing.domain.money import CENTS_PER_UNIT, divide_half_away, net_amount_cents
from billing.domain.pricing import Price
from billing.domain.quantities import round_up_to_packages

_SECONDS_PER_HOUR = 3600


class Slice(msgspec.Struct, frozen=True):
    """What one tier `(from, to]` prices: its quantity in millionths, and the exact amount in currency units."""

    from_micro: int
    to_micro: int | None
    quantity_micro: int
    unit_price: Decimal
    amount: Fraction


class Rated(msgspec.Struct, frozen=True):
    """A rated quantity: the net amount in cents, the quantity after packages, and how it came about.

    Tiers that price nothing have no slice, so a quantity of zero has none at all.
    """

    amount_cents: int
    billed_quantity_micro: int
    slices: tuple[Slice, ...]


class CompiledPrice(msgspec.Struct, frozen=True):
    """A price in integers, for one length of month: amount = (rate x quantity + offset) / denominator, in cents.

    `rates` and `offsets` have one entry per tier, `bounds_micro` one per tier but the last. An offset is what the lower
    tiers cost more or less than this tier's rate would have: zero for volume prices.
    """

    bounds_micro: tuple[int, ...]
    rates: tuple[int, ...]
    offsets: tuple[int, ...]
    denominator: int
    package_micro: int | None

    def amount_cents(self, quantity_micro: int) -> int:
        """Return the net amount of a quantity in cents, rounded once. Raises ValueError for a negative quantity."""
        if quantity_micro < 0:
            raise _negative(quantity_micro)
        if self.package_micro is not None:
            quantity_micro = round_up_to_packages(quantity_micro, self.package_micro)
        tier = bisect_left(self.bounds_micro, quantity_micro)
        return divide_half_away(self.rates[tier] * quantity_micro + self.offsets[tier], self.denominator)


def rate(quantity_micro: int, price: Price, month_seconds: int) -> Rated:
    """Rate the quantity of one resource, meter, zone and price over a month, and explain the amount.

    The total is rounded up to whole packages first, then tiers price the result; the sum of the slices is rounded once.
    `month_seconds` is the real length of the month of consumption. Raises ValueError for a negative quantity.
    """
    if quantity_micro < 0:
        raise _negative(quantity_micro)
    billed_micro = round_up_to_packages(quantity_micro, price.package_micro)
    slices = _slices(billed_micro, price, month_seconds)
    total = sum((piece.amount for piece in slices), Fraction(0))
    return Rated(net_amount_cents(total), billed_micro, slices)


def compile_price(price: Price, month_seconds: int) -> CompiledPrice:
    """Prepare a price for fast rating in months of a given real length in seconds."""
    bounds = bounds_micro(price, month_seconds)
    unit_prices = [Fraction(tier.unit_price) for tier in price.tiers]
    common = lcm(*(unit_price.denominator for unit_price in unit_prices))
    rates = [unit_price.numerator * (common // unit_price.denominator) * CENTS_PER_UNIT for unit_price in unit_prices]
    offsets = [0] * len(rates)
    if price.mode == "graduated":
        for tier, bound in enumerate(bounds, start=1):
            offsets[tier] = offsets[tier - 1] + bound * (rates[tier - 1] - rates[tier])
    return CompiledPrice(bounds, tuple(rates), tuple(offsets), common * price.per_quantity_micro, price.package_micro)


def bounds_micro(price: Price, month_seconds: int) -> tuple[int, ...]:
    """Return the inclusive upper bounds of all tiers but the last, in millionths, for a month of that length.

    Bounds per hour are multiplied by the hours of the month: 0.1 GB is 74.3 GB-hours in March 2026 in Paris. Where a
    month has half an hour (Lord Howe Island), what exceeds a millionth is cut off.
    """
    bounds = tuple(tier.up_to_micro for tier in price.tiers if tier.up_to_micro is not None)
    if not price.bounds_per_hour:
        return bounds
    return tuple(bound * month_seconds // _SECONDS_PER_HOUR for bound in bounds)


def _slices(billed_micro: int, price: Price, month_seconds: int) -> tuple[Slice, ...]:
    bounds = bounds_micro(price, month_seconds)
    slices = []
    for tier, from_micro, to_micro in zip(price.tiers, (0, *bounds), (*bounds, None), strict=True):
        if billed_micro <= from_micro:
            break
        reached = to_micro is None or billed_micro <= to_micro
        if price.mode == "volume" and not reached:
            continue
        top_micro = billed_micro if to_micro is None else min(billed_micro, to_micro)
        quantity_micro = billed_micro if price.mode == "volume" else top_micro - from_micro
        amount = Fraction(tier.unit_price) * Fraction(quantity_micro, price.per_quantity_micro)
        slices.append(Slice(from_micro, to_micro, quantity_micro, tier.unit_price, amount))
    return tuple(slices)


def _negative(quantity_micro: int) -> ValueError:
    return ValueError(f"A quantity of {quantity_micro} millionths is negative and cannot be rated.")
