"""Usage records and the printed details made of them."""

from collections.abc import Iterator
from datetime import date
from heapq import merge
from itertools import batched, groupby
from operator import itemgetter
from typing import Any

from django.db.models import Exists, F, Max, Min, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from billing.domain.lifecycle import DocumentState
from billing.domain.money import format_cents
from billing.domain.quantities import MICRO, format_micro
from billing.models import CloseOutcome, Meter, Price, Resource, UsageCorrection, UsageDetail, UsageMonth, UsageRecord
from billing.queries.months import month_of
from billing.queries.verification._promises import Broken, Register, found, missing
from organizations.models import Organization

PROMISES = Register()
BROKEN_PER_QUERY = 1_000


def records() -> QuerySet[UsageRecord]:
    """All measured usage."""
    return UsageRecord.objects.order_by()


def details() -> QuerySet[UsageDetail]:
    """The usage details of drafts and issued invoices."""
    return UsageDetail.objects.order_by().exclude(invoice__document_state=DocumentState.DISCARDED.value)


def _broken(rows: QuerySet[UsageRecord], sentence: str) -> Iterator[Broken]:
    for source, event, month in rows.values_list("source", "event_id", "month").iterator():
        yield Broken(f"usage {source}/{event}, {month:%Y-%m}", sentence)


@PROMISES.promise(
    "A usage record's organization, resource and meter exist.", things="usage records", population=records
)
def references() -> Iterator[Broken]:
    gone = missing(Organization, "organization_id") | missing(Resource, "resource_id") | missing(Meter, "meter_id")
    yield from _broken(records().filter(gone), "Its organization, resource or meter does not exist.")


@PROMISES.promise(
    "A usage record is of the organization that its resource belongs to.", things="usage records", population=records
)
def owners() -> Iterator[Broken]:
    other = Resource.objects.filter(pk=OuterRef("resource_id")).exclude(organization=OuterRef("organization_id"))
    yield from _broken(records().filter(Exists(other)), "Its resource belongs to another organization.")


@PROMISES.promise(
    "A usage record lies within its month, and its quantity is not negative.",
    things="usage records",
    population=records,
)
def spans() -> Iterator[Broken]:
    outside = Q(quantity_micro__lt=0)
    bounds = records().values_list("month").annotate(Min("started_at"), Max("started_at"), Max("ended_at"))
    for day, first, last, end in bounds:
        month = month_of(day)
        if day.day != 1 or first < month.start or last >= month.end or end > month.end:
            outside |= _outside(day)
    outside |= Q(ended_at__lt=F("started_at"))
    yield from _broken(records().filter(outside), "It does not lie within its month, or its quantity is negative.")


def _outside(day: date) -> Q:
    """The records of a stored month that do not lie within it; all of them when it is no month at all."""
    if day.day != 1:
        return Q(month=day)
    month = month_of(day)
    lies_outside = Q(started_at__lt=month.start) | Q(started_at__gte=month.end) | Q(ended_at__gt=month.end)
    return Q(month=day) & lies_outside


@PROMISES.promise(
    "Every organization's month with usage is known as such.",
    things="months with usage",
    population=UsageMonth.objects.all,
)
def months() -> Iterator[Broken]:
    known = UsageMonth.objects.filter(organization=OuterRef("organization_id"), month=OuterRef("month"))
    used = records().values("organization_id", "month").distinct().filter(~Exists(known))
    for organization_id, month in used.values_list("organization_id", "month").iterator():
        yield Broken(f"organization {organization_id}, {month:%Y-%m}", "Its usage would never be billed: no flag.")


@PROMISES.promise(
    "Unbilled usage is of somebody whose next close will bill it.",
    things="months with usage",
    population=UsageMonth.objects.all,
)
def billable_months() -> Iterator[Broken]:
    """Of an account that is closed, with its last month issued or nil, nobody closes another month."""
    waiting = UsageMonth.objects.filter(unbilled=True).values_list(
        "organization__external_id",
        "month",
        Coalesce("organization__parent_id", "organization_id"),
        Coalesce("organization__parent__closed_on", "organization__closed_on"),
    )
    of_closed = Q(organization__parent__closed_on__isnull=False) | Q(
        organization__parent__isnull=True, organization__closed_on__isnull=False
    )
    rows = list(waiting.filter(of_closed))
    settled = CloseOutcome.objects.filter(
        Q(kind="nil") | Q(invoice__document_state=DocumentState.ISSUED.value),
        organization__in={payer_id for _, _, payer_id, _ in rows},
    )
    over = set(settled.values_list("organization_id", "month"))
    for external_id, month, payer_id, closed_on in rows:
        if (payer_id, month_of(closed_on).first_day) in over:
            yield Broken(
                f"organization {external_id}, {month:%Y-%m}", "It has unbilled usage, and its account is closed."
            )


def settled_months() -> QuerySet[UsageMonth]:
    """Months with usage of which nothing waits for an invoice."""
    return UsageMonth.objects.filter(unbilled=False)


type Key = tuple[date, int, int, int]
"""Month, organization, resource and meter."""


@PROMISES.promise(
    "Settled usage is billed once: issued details and free usage sum to the records.",
    things="settled months with usage",
    population=settled_months,
)
def settled_quantities() -> Iterator[Broken]:
    """Measured less billed, in one pass over sorted streams."""
    issued = UsageDetail.objects.filter(
        invoice__document_state=DocumentState.ISSUED.value, invoice__released=False, meter__isnull=False
    )
    without_invoice = sorted([*_settled_without_invoice(), *_given_back()])
    streams = merge(_sums(records()), _sums(issued, sign=-1), without_invoice)
    differences = ((key, sum(quantity for _, quantity in group)) for key, group in groupby(streams, key=itemgetter(0)))
    broken = ((key, quantity_micro) for key, quantity_micro in differences if quantity_micro)
    meters = dict(Meter.objects.values_list("pk", "code"))
    for batch in batched(broken, BROKEN_PER_QUERY, strict=False):
        organizations = Organization.objects.filter(pk__in={organization_id for (_, organization_id, _, _), _ in batch})
        names = dict(organizations.values_list("pk", "external_id"))
        for (month, organization_id, resource_id, meter_id), quantity_micro in batch:
            yield Broken(
                f"{names.get(organization_id, organization_id)}, {month:%Y-%m}",
                f"{format_micro(abs(quantity_micro))} of {meters.get(meter_id, meter_id)} are"
                f" {'measured but not billed' if quantity_micro > 0 else 'billed but not measured'}"
                f" (resource {resource_id}).",
            )


def _sums(rows: QuerySet[Any], *, sign: int = 1) -> Iterator[tuple[Key, int]]:
    """Quantities of settled months in the order of their keys, summed as units and millionths: no sum overflows."""
    settled = settled_months().filter(organization=OuterRef("organization_id"), month=OuterRef("month"))
    key = ("month", "organization_id", "resource_id", "meter_id")
    sums = rows.filter(Exists(settled)).order_by(*key).values_list(*key)
    for month, organization_id, resource_id, meter_id, units, rest in sums.annotate(
        units=Sum(F("quantity_micro") / MICRO), rest=Sum(F("quantity_micro") % MICRO)
    ).iterator():
        yield (month, organization_id, resource_id, meter_id), sign * (int(units) * MICRO + int(rest))


def _settled_without_invoice() -> Iterator[tuple[Key, int]]:
    """What nil outcomes settled, see `CloseOutcome.settled_usage`."""
    nil = CloseOutcome.objects.filter(kind=CloseOutcome.Kind.NIL).exclude(settled_usage=[])
    unbilled = set(UsageMonth.objects.filter(unbilled=True).values_list("month", "organization_id"))
    for lines in nil.values_list("settled_usage", flat=True).iterator():
        for text, organization_id, resource_id, meter_id, _zone, _price_id, quantity_micro, _cents in lines:
            month = date.fromisoformat(text)
            if (month, organization_id) not in unbilled:
                yield (month, organization_id, resource_id, meter_id), -quantity_micro


def _given_back() -> Iterator[tuple[Key, int]]:
    """Late usage that made its month cheaper, see `UsageCorrection`."""
    unbilled = set(UsageMonth.objects.filter(unbilled=True).values_list("month", "organization_id"))
    for lines in UsageCorrection.objects.exclude(lines=[]).values_list("lines", flat=True).iterator():
        for text, organization_id, resource_id, meter_id, _zone, _price_id, quantity_micro, _cents in lines:
            month = date.fromisoformat(text)
            if (month, organization_id) not in unbilled:
                yield (month, organization_id, resource_id, meter_id), -quantity_micro


@PROMISES.promise(
    "A usage detail names all it bills, or is the discount on consumption.", things="usage details", population=details
)
def detail_content() -> Iterator[Broken]:
    named = Q(
        resource__isnull=False, meter__isnull=False, price__isnull=False, quantity_micro__gte=0, amount_cents__gte=0
    )
    discount = Q(
        resource__isnull=True,
        meter__isnull=True,
        price__isnull=True,
        quantity_micro__isnull=True,
        amount_cents__lte=0,
        organization=F("invoice__organization"),
    )
    late = Q(month__gt=F("invoice__consumption_month"))
    yield from found(
        details().filter(~(named | discount) | late),
        ("id", "month", "amount_cents"),
        lambda id_, month, cents: f"Its usage detail {id_} ({month:%Y-%m}, {format_cents(cents)}) is incomplete.",
        prefix="invoice__",
    )


@PROMISES.promise(
    "A usage detail's organization, resource, meter and price exist.", things="usage details", population=details
)
def detail_references() -> Iterator[Broken]:
    gone = (
        missing(Organization, "organization_id")
        | missing(Resource, "resource_id")
        | missing(Meter, "meter_id")
        | missing(Price, "price_id")
    )
    yield from found(
        details().filter(gone),
        ("id",),
        lambda id_: f"Its usage detail {id_} names an organization, resource, meter or price that does not exist.",
        prefix="invoice__",
    )
