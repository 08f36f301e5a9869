"""The free credits around a document: what was left of each lot before it, and what of that remains for later."""

from datetime import date

from django.db.models import Min, Q, Sum

from billing.domain.periods import Month
from billing.models import CreditEntry, CreditGrant, Invoice
from billing.queries.among import among
from billing.queries.credit_history import tree_ids
from billing.queries.customer_api.money import money
from billing.queries.customer_api.shapes import Remains
from billing.queries.months import month_of
from organizations.models import Organization


def load_free_credits(row: Invoice, organization: Organization) -> tuple[list[Remains], list[Remains]]:
    """What was left of each lot before the document used it, and what of that can be used in the month after."""
    if row.kind != Invoice.Kind.INVOICE or row.issued_at is None:
        return [], []
    entries = CreditEntry.objects.filter(
        among("grant__organization", tree_ids(organization)), grant__type=CreditGrant.Type.FREE
    )
    first = entries.filter(invoice=row).aggregate(first=Min("id"))["first"]
    until = Q(id__lt=first) if first else Q(booked_at__lt=row.issued_at)
    columns = ("grant", "grant__coupon_use__coupon__name", "grant__reason", "grant__starts_on", "grant__expires_on")
    before = {
        id_: (coupon or reason, starts_on, expires_on, cents)
        for id_, coupon, reason, starts_on, expires_on, cents in entries.filter(until)
        .order_by("grant")
        .values_list(*columns)
        .annotate(cents=Sum("amount_cents"))
    }
    moved = entries.filter(invoice=row, kind__in=(CreditEntry.Kind.USE, CreditEntry.Kind.EXPIRY)).order_by("grant")
    used = dict(moved.values_list("grant").annotate(cents=Sum("amount_cents")))
    this, following = month_of(row.consumption_month), month_of(row.consumption_month).next
    return (
        [
            Remains(name, money(cents, row.currency))
            for name, starts_on, expires_on, cents in before.values()
            if cents > 0 and _is_usable(this, starts_on, expires_on)
        ],
        [
            Remains(name, money(cents + used.get(id_, 0), row.currency))
            for id_, (name, starts_on, expires_on, cents) in before.items()
            if cents + used.get(id_, 0) > 0 and _is_usable(following, starts_on, expires_on)
        ],
    )


def _is_usable(month: Month, starts_on: date | None, expires_on: date | None) -> bool:
    return (starts_on is None or starts_on <= month.last_day) and (expires_on is None or expires_on >= month.first_day)
