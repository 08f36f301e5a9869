"""Usage to lines: where records are cut, which price each piece has, what a line costs, what is late (§4, §6)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from fractions import Fraction

from tests.integration.oracle.basics import Json, Month, microseconds, money, number, to_cents, to_millionth
from tests.integration.oracle.catalogue import Catalogue, Price
from tests.integration.oracle.received import Received
from tests.integration.oracle.records import ANY, Blocked, LineKey, Outcome, Part, Usage, UsageLine


def take_usage(received: Received, outcome: Outcome, history: list[Outcome]) -> None:
    """Every line up to the month that has something new on it, late months as differences (§6)."""
    billed_parts = {part for other in history for part in other.parts}
    billed_cents: dict[LineKey, int] = defaultdict(int)
    for other in history:
        for line in other.usage:
            billed_cents[line.key] += line.cents
    everything: dict[LineKey, Fraction] = defaultdict(Fraction)
    new: dict[LineKey, Fraction] = defaultdict(Fraction)
    taken = set()
    for part in _parts_up_to(received, outcome.payer, outcome.month):
        everything[part.line] += part.quantity
        if (part.usage, part.line.month) not in billed_parts:
            new[part.line] += part.quantity
            taken.add((part.usage, part.line.month))
    outcome.parts = frozenset(taken)
    for key, quantity in new.items():
        whole = to_cents(key.price.cost(everything[key], key.month))
        difference = whole - billed_cents[key]
        assert difference >= 0, "a downward correction: outside of what is predicted here"
        outcome.usage.append(UsageLine(key, quantity, difference))


def _parts_up_to(received: Received, payer: str, month: Month) -> Iterator[Part]:
    owners = received.tree(payer)
    for owner in owners:
        for usage in received.usage_of[owner]:
            if usage.start < month.end:
                yield from (part for part in split(received, usage) if part.line.month <= month)


def split(received: Received, usage: Usage) -> Iterator[Part]:
    """At month boundaries first, then within each month where another price begins (§4, §6)."""
    boundaries = []
    month = Month.holding(usage.start)
    while month.end < usage.end:
        boundaries.append(month.end)
        month = month.next
    for start, end, quantity in _pieces(usage.start, usage.end, usage.quantity, boundaries):
        cuts = []
        prices = [_price(received, usage, start)]
        for moment in received.catalogue.starts_between(usage.meter, start, end):
            price = _price(received, usage, moment)
            if price != prices[-1]:
                cuts.append(moment)
                prices.append(price)
        pieces = _pieces(start, end, quantity, cuts)
        for price, (_, _, piece) in zip(prices, pieces, strict=True):
            line = LineKey(usage.organization, usage.resource, usage.meter, usage.zone, price, Month.holding(start))
            yield Part(usage.key, line, piece)


def _price(received: Received, usage: Usage, moment: datetime) -> Price:
    organization = received.organizations[usage.organization]
    parent = organization.get("parent")
    owners = [usage.organization] + ([parent] if parent else [])
    # One currency per payer.
    currency = received.organizations[parent or usage.organization]["currency"]
    price = received.catalogue.in_force(usage.meter, usage.zone, currency, owners, moment)
    if price is None:
        raise Blocked(f"no price for {usage.meter} in {usage.zone} at {moment}")
    return price


def usage_entries(catalogue: Catalogue, outcome: Outcome, discount: int) -> list[Json]:
    entries: list[Json] = []
    for line in outcome.usage:
        meter = catalogue.meters[line.key.meter]
        since = line.key.price.valid_from
        entries.append(
            {
                "organization": line.key.organization,
                "resource": line.key.resource,
                "meter": meter.code,
                "zone": line.key.zone,
                "month": str(line.key.month),
                "quantity": number(line.quantity),
                "unit": meter.unit,
                "amount": money(line.cents),
                "price_valid_from": since.isoformat() if since else None,
            }
        )
    if discount:
        entries.append(
            {
                "organization": outcome.payer,
                "resource": None,
                "meter": "discount",
                "zone": ANY,
                "month": str(outcome.month),
                "quantity": None,
                "unit": ANY,
                "amount": money(-discount),
                "price_valid_from": ANY,
            }
        )
    return entries


def _pieces(
    start: datetime, end: datetime, quantity: Fraction, cuts: list[datetime]
) -> list[tuple[datetime, datetime, Fraction]]:
    """In proportion to time: each piece rounded to a millionth, the last by subtraction (§4, §6)."""
    span = microseconds(end - start)
    left = quantity
    pieces = []
    for cut in cuts:
        piece = to_millionth(quantity * microseconds(cut - start) / span)
        pieces.append((start, cut, piece))
        left -= piece
        # Reading: a second cut measures from the first one, against the whole quantity. (The scenarios only make
        # records with two cuts whose pieces need no rounding.)
        start = cut
    return [*pieces, (start, end, left)]
