"""Usage that arrived after its month was settled, and what was settled for it before."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import Q

from billing.domain.facts import Billed, LineKey
from billing.domain.periods import Month
from billing.models import CloseOutcome, Invoice, UsageDetail, UsageMonth


def load_unbilled_months(month: Month, organization_ids: Collection[int], *, lock: bool) -> dict[date, list[int]]:
    """Which organizations have unbilled usage in which months up to this one, by month.

    The lock waits for whoever is storing usage of those months: the sums read next are complete (see UsageMonth).
    """
    rows = UsageMonth.objects.filter(
        organization__in=organization_ids, month__lte=month.first_day, unbilled=True
    ).order_by("organization_id", "month")
    if lock and connection.features.has_select_for_update:
        rows = rows.select_for_update()
    months: dict[date, list[int]] = {}
    for organization_id, unbilled_month in rows.values_list("organization_id", "month"):
        months.setdefault(unbilled_month, []).append(organization_id)
    return months


def load_billed(late: Mapping[date, Collection[int]]) -> dict[date, dict[LineKey, Billed]]:
    """What was settled so far for the usage lines of these months and organizations.

    Settled are the details of issued invoices and the usage of nil outcomes, of every payer that the organization ever
    had since the oldest of the months.
    """
    organization_ids = {organization_id for ids in late.values() for organization_id in ids}
    since = min(late)
    outcomes = CloseOutcome.objects.filter(organization__in=organization_ids, month__gte=since)
    payer_ids = set(outcomes.values_list("payer_id", flat=True).distinct())
    billed: dict[date, dict[LineKey, Billed]] = {month: {} for month in late}
    for month, *key, quantity_micro, amount_cents in _settled_lines(payer_ids, since, late, organization_ids):
        lines = billed[month]
        line_key: LineKey = tuple(key)
        before = lines.get(line_key)
        if before is not None:
            quantity_micro += before.quantity_micro
            amount_cents += before.amount_cents
        lines[line_key] = Billed(quantity_micro, amount_cents)
    return billed


def _settled_lines(
    payer_ids: Collection[int], since: date, months: Collection[date], organization_ids: Collection[int]
) -> Iterable[tuple[Any, ...]]:
    invoices = Invoice.objects.filter(
        organization__in=payer_ids, consumption_month__gte=since, kind="invoice", document_state="issued"
    )
    details = UsageDetail.objects.filter(
        Q(meter__isnull=False), invoice__in=invoices, month__in=months, organization__in=organization_ids
    )
    yield from details.values_list(
        "month", "organization_id", "resource_id", "meter_id", "zone", "price_id", "quantity_micro", "amount_cents"
    )
    nils = CloseOutcome.objects.filter(organization__in=payer_ids, month__gte=since, kind="nil")
    for lines in nils.exclude(settled_usage=[]).values_list("settled_usage", flat=True):
        for month, organization_id, *rest in lines:
            day = date.fromisoformat(month)
            if day in months and organization_id in organization_ids:
                yield (day, organization_id, *rest)
