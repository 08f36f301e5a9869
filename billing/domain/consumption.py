"""From summed usage to printed usage lines: which price prices what, and what late usage adds."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from itertools import accumulate, pairwise

from msgspec import Struct, structs

from billing.domain.facts import Billed, LineKey, MonthUsage, Reason
from billing.domain.money import percentage_cents
from billing.domain.periods import Month
from billing.domain.pricing import PriceBook
from billing.domain.rating import CompiledPrice, compile_price


class UsageLine(Struct, frozen=True, gc=False):
    """One printed usage line: the quantity of a resource, meter, zone and price version in a month."""

    month: date
    organization_id: int
    resource_id: int
    meter_id: int
    zone: str
    price_id: int
    quantity_micro: int
    amount_cents: int

    @property
    def key(self) -> LineKey:
        """What tells the line from the others of its month."""
        return self.organization_id, self.resource_id, self.meter_id, self.zone, self.price_id


class Unrateable(ValueError):
    """Usage that cannot be billed as it is; `reason` says what somebody has to do."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.code)
        self.reason = reason


class RatedMonth(Struct, frozen=True, gc=False):
    """A month's printed usage lines, and the late ones that would lower what was settled.

    `lowered` lines have a negative amount. They are never printed: what they give back is a matter of credit notes.
    """

    lines: tuple[UsageLine, ...]
    lowered: tuple[UsageLine, ...] = ()

    @property
    def gross_cents(self) -> int:
        """What the lines cost before the discount."""
        return sum([line.amount_cents for line in self.lines])


class RateCard:
    """Prices of one month, compiled once and remembered for all organizations of a batch."""

    def __init__(self, book: PriceBook, month: Month, segment_starts: Sequence[datetime]) -> None:
        self._book = book
        self._month = month
        self._segment_starts = segment_starts
        self._price_ids: dict[tuple[int, str, str, int, tuple[int, ...]], int | None] = {}
        self._compiled: dict[int, CompiledPrice] = {}

    def price_id(self, meter_id: int, zone: str, currency: str, segment: int, owners: tuple[int, ...]) -> int | None:
        """Return the price version that serves a segment of the month, None when there is none."""
        key = (meter_id, zone, currency, segment, owners)
        try:
            return self._price_ids[key]
        except KeyError:
            price = self._book.resolve(meter_id, zone, currency, owners, self._segment_starts[segment])
            if price is not None and price.id not in self._compiled:
                self._compiled[price.id] = compile_price(price, self._month.seconds)
            return self._price_ids.setdefault(key, None if price is None else price.id)

    def amount_cents(self, price_id: int, quantity_micro: int) -> int:
        """Return the amount of a month's quantity with a price that `price_id` gave."""
        return self._compiled[price_id].amount_cents(quantity_micro)


def rate_month(
    usage: MonthUsage, card: RateCard, *, currency: str, owners: Mapping[int, tuple[int, ...]]
) -> RatedMonth:
    """Rate a month's usage into printed lines; of a late month only what is not settled yet.

    However late usage arrives, a month costs what it would have cost in time: the whole line is rated again and the
    difference to what was settled is billed. Raises Unrateable for a meter without a price.
    """
    totals: dict[LineKey, int] = {}
    for organization_id, resource_id, meter_id, zone, segment, quantity_micro in usage.sums:
        price_id = card.price_id(meter_id, zone, currency, segment, owners[organization_id])
        if price_id is None:
            if quantity_micro:
                raise _no_price(usage, organization_id, resource_id, meter_id, zone, segment, currency)
            continue
        key = (organization_id, resource_id, meter_id, zone, price_id)
        totals[key] = totals.get(key, 0) + quantity_micro
    first_day = usage.month.first_day
    lines = [
        UsageLine(first_day, *key, quantity_micro, card.amount_cents(key[4], quantity_micro))
        for key, quantity_micro in totals.items()
    ]
    return _since_settled(lines, usage.billed) if usage.billed else RatedMonth(tuple(lines))


def _since_settled(lines: Sequence[UsageLine], billed: Mapping[LineKey, Billed]) -> RatedMonth:
    """What each line adds to what was settled for it; lines that add nothing drop out."""
    added: list[UsageLine] = []
    lowered: list[UsageLine] = []
    for line in lines:
        settled = billed.get(line.key)
        if settled is None:
            added.append(line)
            continue
        quantity_micro = line.quantity_micro - settled.quantity_micro
        amount_cents = line.amount_cents - settled.amount_cents
        if quantity_micro or amount_cents:
            difference = structs.replace(line, quantity_micro=quantity_micro, amount_cents=amount_cents)
            (lowered if amount_cents < 0 else added).append(difference)
    return RatedMonth(tuple(added), tuple(lowered))


def share_discount(gross_by_month: Sequence[int], discount_ppm: int) -> list[int]:
    """Return the net consumption of each month (late months first, oldest first), in cents.

    The discount is one entry, the percentage of the whole, rounded once; the months share it by running totals, so
    the last part comes by subtraction and the shares sum to it exactly.
    """
    if not discount_ppm:
        return list(gross_by_month)
    running = [percentage_cents(total, discount_ppm) for total in accumulate(gross_by_month, initial=0)]
    shares = [after - before for before, after in pairwise(running)]
    return [gross - share for gross, share in zip(gross_by_month, shares, strict=True)]


def share_regularization(net_by_month: Sequence[int], covered_cents: int) -> list[int]:
    """Return what no credit covered of each month; credits pay late months first, oldest first."""
    uncovered = []
    for net_cents in net_by_month:
        paid_cents = min(net_cents, covered_cents)
        covered_cents -= paid_cents
        uncovered.append(net_cents - paid_cents)
    return uncovered


def _no_price(
    usage: MonthUsage, organization_id: int, resource_id: int, meter_id: int, zone: str, segment: int, currency: str
) -> Unrateable:
    return Unrateable(
        Reason(
            "no_price",
            {
                "meter_id": meter_id,
                "zone": zone,
                "currency": currency,
                "day": usage.segment_starts[segment].astimezone(usage.month.zone).date().isoformat(),
                "organization_id": organization_id,
                "resource_id": resource_id,
            },
        )
    )
