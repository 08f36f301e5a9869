"""Usage that arrived after its month was settled, and what was settled for it before."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import Q

from billing.domain.facts import Billed, LineKey
from billing.domain.periods import Month
from billing.models import CloseOutcome, Invoice, UsageCorrection, UsageDetail, UsageMonth
from billing.queries.among import among


def load_months_settled_by(outcome_ids: Collection[int]) -> dict[date, set[int]]:
    """Which organizations had usage in which months that these nil outcomes settled, by month.

    Closing a nil month again settles them anew: until then, that usage is as unbilled as it was before.
    """
    months: dict[date, set[int]] = {}
    rows = CloseOutcome.objects.filter(among("id", outcome_ids)).exclude(settled_usage=[])
    for lines in rows.values_list("settled_usage", flat=True):
        for day, organization_id, *_ in lines:
            months.setdefault(date.fromisoformat(day), set()).add(organization_id)
    return months


def load_unbilled_months(
    month: Month, organization_ids: Collection[int], settled_before: Mapping[date, Collection[int]], *, lock: bool
) -> dict[date, list[int]]:
    """Which organizations have unbilled usage in which months up to this one, by month.

    `settled_before` is what the nil outcomes that are closed again had settled. The lock waits for whoever is storing
    usage of those months: the sums read next are complete (see UsageMonth).
    """
    unbilled = Q(unbilled=True)
    for day, ids in settled_before.items():
        unbilled |= Q(among("organization", ids), month=day)
    rows = UsageMonth.objects.filter(
        unbilled, among("organization", organization_ids), month__lte=month.first_day
    ).order_by("organization_id", "month")
    if lock and connection.features.has_select_for_update:
        rows = rows.select_for_update()
    months: dict[date, list[int]] = {}
    for organization_id, unbilled_month in rows.values_list("organization_id", "month"):
        months.setdefault(unbilled_month, []).append(organization_id)
    return months


def load_payers(late: Mapping[date, Collection[int]]) -> dict[date, dict[int, int]]:
    """Who paid for the organizations in these months, by month and organization, where they were closed."""
    organization_ids = {organization_id for ids in late.values() for organization_id in ids}
    rows = CloseOutcome.objects.filter(among("organization", organization_ids), month__in=late)
    payers: dict[date, dict[int, int]] = {}
    for month, organization_id, payer_id in rows.values_list("month", "organization_id", "payer_id"):
        payers.setdefault(month, {})[organization_id] = payer_id
    return payers


def load_billed(
    late: Mapping[date, Collection[int]], current_payer_ids: Collection[int], *, closing: Month
) -> dict[date, dict[LineKey, Billed]]:
    """What was settled so far for the usage lines of these months and organizations, but by the close of `closing`.

    Settled are the details of issued invoices (not of replaced ones) and the usage of nil outcomes, less what was given
    back since; of every payer that the organization ever had since the oldest of the months, and of those who pay now:
    a sub-organization that is closed has no outcomes of its own, but its late usage is on its parent's invoices.
    """
    organization_ids = {organization_id for ids in late.values() for organization_id in ids}
    since = min(late)
    outcomes = CloseOutcome.objects.filter(among("organization", organization_ids), month__gte=since)
    payer_ids = {*current_payer_ids, *outcomes.values_list("payer_id", flat=True).distinct()}
    billed: dict[date, dict[LineKey, Billed]] = {month: {} for month in late}
    for month, *key, quantity_micro, amount_cents in _settled_lines(payer_ids, since, late, organization_ids, closing):
        lines = billed[month]
        line_key: LineKey = tuple(key)
        before = lines.get(line_key)
        if before is not None:
            quantity_micro += before.quantity_micro
            amount_cents += before.amount_cents
        lines[line_key] = Billed(quantity_micro, amount_cents)
    return billed


def _settled_lines(
    payer_ids: Collection[int],
    since: date,
    months: Collection[date],
    organization_ids: Collection[int],
    closing: Month,
) -> Iterable[tuple[Any, ...]]:
    invoices = Invoice.objects.filter(
        among("organization", payer_ids),
        consumption_month__gte=since,
        kind="invoice",
        document_state="issued",
        released=False,
    )
    details = UsageDetail.objects.filter(
        Q(meter__isnull=False), among("organization", organization_ids), invoice__in=invoices, month__in=months
    )
    yield from details.values_list(
        "month", "organization_id", "resource_id", "meter_id", "zone", "price_id", "quantity_micro", "amount_cents"
    )
    nils = CloseOutcome.objects.filter(among("organization", payer_ids), month__gte=since, kind="nil")
    nils = nils.exclude(month=closing.first_day).exclude(settled_usage=[])
    for lines in nils.values_list("settled_usage", flat=True):
        for month, organization_id, *rest in lines:
            day = date.fromisoformat(month)
            if day in months and organization_id in organization_ids:
                yield (day, organization_id, *rest)
    corrections = UsageCorrection.objects.filter(among("organization", payer_ids), month__in=months)
    for lines in corrections.exclude(lines=[]).values_list("lines", flat=True):
        for month, organization_id, *rest in lines:
            if organization_id in organization_ids:
                yield (date.fromisoformat(month), organization_id, *rest)
