"""What printed usage costs: the amount that its price makes of all of it."""

from collections.abc import Iterator
from datetime import date
from heapq import merge
from itertools import batched, chain, groupby
from operator import itemgetter

from django.db.models import QuerySet

from billing.domain.lifecycle import DocumentState
from billing.domain.money import format_cents
from billing.domain.quantities import format_micro
from billing.domain.rating import CompiledPrice, compile_price
from billing.models import CloseOutcome, Meter, Price, UsageCorrection, UsageDetail
from billing.queries.months import month_of
from billing.queries.prices import price_of, tiers_of
from billing.queries.verification._promises import Broken, Register
from organizations.models import Organization

PROMISES = Register()
BROKEN_PER_QUERY = 1_000

type _Key = tuple[date, int, int, int, int]
"""Month, organization, resource, meter and price."""
type _Part = tuple[_Key, str, int, int, bool]
"""Zone, quantity in millionths and cents of one of a line's parts, and whether it is on an invoice."""


def issued_details() -> QuerySet[UsageDetail]:
    """The usage details of issued invoices that are not replaced, without discounts."""
    return UsageDetail.objects.order_by().filter(
        invoice__document_state=DocumentState.ISSUED.value,
        invoice__released=False,
        meter__isnull=False,
        price__isnull=False,
    )


@PROMISES.promise(
    "A month's usage costs what its price makes of it, however late it arrived.",
    things="issued usage details",
    population=issued_details,
)
def amounts() -> Iterator[Broken]:
    """Late usage adds to a line: nil months and what was given back included, its parts are rated together."""
    meters = dict(Meter.objects.values_list("pk", "code"))
    for batch in batched(_wrong_lines(), BROKEN_PER_QUERY, strict=False):
        organizations = Organization.objects.filter(pk__in={key[1] for key, *_ in batch})
        names = dict(organizations.values_list("pk", "external_id"))
        for (month, organization_id, resource_id, meter_id, _), quantity_micro, cents, due_cents in batch:
            yield Broken(
                f"{names.get(organization_id, organization_id)}, {month:%Y-%m}",
                f"{format_micro(quantity_micro)} of {meters.get(meter_id, meter_id)} were billed at"
                f" {format_cents(cents)}, but cost {format_cents(due_cents)} (resource {resource_id}).",
            )


def _wrong_lines() -> Iterator[tuple[_Key, int, int, int]]:
    rates = _Rates()
    parts = merge(_issued_parts(), sorted(_other_parts()), key=itemgetter(0))
    for key, group in groupby(parts, key=itemgetter(0)):
        for quantity_micro, cents in _add_up(group):
            price = rates.of(key[4], key[0])
            if price is not None and quantity_micro >= 0 and price.amount_cents(quantity_micro) != cents:
                yield key, quantity_micro, cents, price.amount_cents(quantity_micro)


def _add_up(parts: Iterator[_Part]) -> list[tuple[int, int]]:
    """Quantity and amount of each zone that is on an invoice."""
    sums: dict[str, tuple[int, int]] = {}
    invoiced: set[str] = set()
    for _, zone, quantity_micro, cents, is_invoiced in parts:
        before = sums.get(zone, (0, 0))
        sums[zone] = before[0] + quantity_micro, before[1] + cents
        if is_invoiced:
            invoiced.add(zone)
    return [sums[zone] for zone in invoiced]


def _issued_parts() -> Iterator[_Part]:
    key = ("month", "organization_id", "resource_id", "meter_id", "price_id")
    rows = issued_details().order_by(*key).values_list(*key, "zone", "quantity_micro", "amount_cents")
    for *line, zone, quantity_micro, cents in rows.iterator():
        yield tuple(line), zone, quantity_micro, cents, True


def _other_parts() -> Iterator[_Part]:
    """What nil months settled, and what was given back: see `CloseOutcome.settled_usage` and `UsageCorrection`."""
    nil = CloseOutcome.objects.filter(kind=CloseOutcome.Kind.NIL).exclude(settled_usage=[])
    given_back = UsageCorrection.objects.exclude(lines=[]).values_list("lines", flat=True)
    for lines in chain(nil.values_list("settled_usage", flat=True).iterator(), given_back.iterator()):
        for text, organization_id, resource_id, meter_id, zone, price_id, quantity_micro, cents in lines:
            key = date.fromisoformat(text), organization_id, resource_id, meter_id, price_id
            yield key, zone, quantity_micro, cents, False


class _Rates:
    """Prices as they are stored, compiled for the months that ask for them; without usable tiers there is none."""

    def __init__(self) -> None:
        rows = Price.objects.prefetch_related("tiers")
        self._prices = {row.pk: price_of(row, tiers_of(row)) for row in rows}
        self._compiled: dict[tuple[int, date], CompiledPrice] = {}

    def of(self, price_id: int, day: date) -> CompiledPrice | None:
        price = self._prices.get(price_id)
        if price is None or not price.tiers:
            return None
        key = price_id, day
        if key not in self._compiled:
            self._compiled[key] = compile_price(price, month_of(day).seconds)
        return self._compiled[key]
