"""Lines that credits never pay: add-ons, one-shot operations and custom services (the D of the statement)."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from msgspec import Struct

from billing.domain.consumption import Unrateable
from billing.domain.facts import AddOn, Charge, Facts, PlanPrice, Reason
from billing.domain.money import MICRO_PER_CENT, charge_cents, prorate_cents
from billing.domain.periods import Month
from billing.domain.quantities import MICRO


class DirectLine(Struct, frozen=True, gc=False):
    """A printed line before VAT: net = quantity x unit price, over the days [period_start, period_end)."""

    kind: str
    organization_id: int | None
    source_id: int | None
    name: str
    period_start: date
    period_end: date
    quantity_micro: int
    unit_price_micro: int
    net_cents: int


def single_line(kind: str, period: Month, net_cents: int) -> DirectLine:
    """A line that sells one thing for a month: the provision, or a regularization."""
    return DirectLine(
        kind, None, None, "", period.first_day, period.next.first_day, MICRO, net_cents * MICRO_PER_CENT, net_cents
    )


def add_on_lines(facts: Facts) -> tuple[list[DirectLine], list[tuple[int, date]]]:
    """Return the lines of the add-ons by name, and until which day each add-on is then billed.

    Raises Unrateable for a plan without a price on the first day of a line.
    """
    lines: list[DirectLine] = []
    billed: list[tuple[int, date]] = []
    for add_on in sorted(facts.add_ons, key=lambda add_on: (add_on.name, add_on.id)):
        start, end = _unbilled_span(add_on, facts)
        if start >= end:
            continue
        lines += [_add_on_line(add_on, *span) for span in _by_month(start, end, facts.month)]
        billed.append((add_on.id, end))
    return lines, billed


def charge_lines(charges: Iterable[Charge]) -> list[DirectLine]:
    """Return the lines of one-shot operations and custom services, by date."""
    return [_charge_line(charge) for charge in sorted(charges, key=lambda charge: (charge.date, charge.id))]


def _unbilled_span(add_on: AddOn, facts: Facts) -> tuple[date, date]:
    """What is not billed yet, up to the end of the provision month or the end of the add-on or account if known.

    An add-on that ran before the first close here was billed elsewhere: it starts with that close's provision month.
    """
    start = add_on.billed_until or add_on.started_on
    if add_on.billed_until is None and add_on.started_on < add_on.first_month:
        start = Month.of_day(add_on.first_month, facts.month.zone).next.first_day
    ends = [facts.month.next.next.first_day, add_on.ended_on, facts.terms.closed_on]
    return start, min(end for end in ends if end is not None)


def _by_month(start: date, end: date, month: Month) -> Iterator[tuple[date, date, Month]]:
    while start < end:
        current = Month.of_day(start, month.zone)
        until = min(end, current.next.first_day)
        yield start, until, current
        start = until


def _add_on_line(add_on: AddOn, start: date, end: date, month: Month) -> DirectLine:
    price_cents = _price_on(add_on, start)
    days = (end - start).days
    net_cents = prorate_cents(price_cents, days, month.days, add_on.quantity)
    whole = days == month.days
    return DirectLine(
        "add_on",
        add_on.organization_id,
        add_on.id,
        add_on.name,
        start,
        end,
        add_on.quantity * MICRO if whole else MICRO,
        (price_cents if whole else net_cents) * MICRO_PER_CENT,
        net_cents,
    )


def _price_on(add_on: AddOn, day: date) -> int:
    price: PlanPrice | None = None
    for candidate in add_on.prices:
        if candidate.valid_from is None or candidate.valid_from <= day:
            price = candidate
    if price is None:
        raise Unrateable(Reason("no_plan_price", {"add_on": add_on.name, "day": day.isoformat()}))
    return price.monthly_price_cents


def _charge_line(charge: Charge) -> DirectLine:
    return DirectLine(
        charge.kind,
        charge.organization_id,
        charge.id,
        charge.description,
        charge.date,
        charge.date + timedelta(days=1),
        charge.quantity_micro,
        charge.unit_price_micro,
        charge_cents(charge.quantity_micro, charge.unit_price_micro),
    )
