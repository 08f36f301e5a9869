"""Meters with a price, resources, and what they consumed."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count

from django.db import connection

from billing.domain.quantities import MICRO
from billing.models import Meter, Price, PriceTier, Resource, UsageMonth, UsageRecord
from billing.queries.months import month_of
from organizations.models import Organization

OCTOBER = date(2026, 10, 1)

_serial = count(1)


def make_meter(*, code: str = "apps.S", unit: str = "second", category: str = "runtime") -> Meter:
    """Store a meter, or find the one that has this code."""
    meter, _ = Meter.objects.get_or_create(code=code, defaults={"name": code, "unit": unit, "category": category})
    return meter


def make_price(
    *,
    meter: Meter,
    unit_price: str = "0.01",
    zone: str = "",
    currency: str = "EUR",
    organization: Organization | None = None,
    valid_from: datetime | None = None,
    valid_to: datetime | None = None,
    per_quantity: int = 1,
    tiers: tuple[tuple[int | None, str], ...] | None = None,
) -> Price:
    """Store a price, by default 0.01 per unit from ever; `tiers` are (up to in units, unit price)."""
    price = Price.objects.create(
        meter=meter,
        zone=zone,
        currency=currency,
        organization=organization,
        valid_from=valid_from,
        valid_to=valid_to,
        per_quantity_micro=per_quantity * MICRO,
    )
    for position, (up_to, tier_price) in enumerate(tiers or ((None, unit_price),)):
        PriceTier.objects.create(
            price=price,
            position=position,
            up_to_micro=None if up_to is None else up_to * MICRO,
            unit_price=Decimal(tier_price),
        )
    return price


def make_resource(
    *, organization: Organization, external_id: str | None = None, name: str = "api-prod-ruby"
) -> Resource:
    """Store a resource."""
    return Resource.objects.create(
        external_id=external_id or f"app_{next(_serial):06d}", organization=organization, name=name
    )


def make_usage_record(
    *,
    resource: Resource,
    meter: Meter,
    month: date = OCTOBER,
    zone: str = "par",
    quantity_micro: int = 100 * MICRO,
    started_at: datetime | None = None,
    ended_at: datetime | None = None,
    received_at: datetime | None = None,
    source: str = "scaler",
    event_id: str | None = None,
    part: int = 0,
    unbilled: bool = True,
) -> UsageRecord:
    """Store one part of a usage record, by default an hour on the first day of its month, and its month's flag."""
    ensure_partition(month)
    started_at = started_at or month_of(month).start
    ended_at = ended_at or started_at + timedelta(hours=1)
    UsageMonth.objects.update_or_create(
        organization=resource.organization, month=month, defaults={"unbilled": unbilled}
    )
    return UsageRecord.objects.create(
        month=month,
        source=source,
        event_id=event_id or f"e{next(_serial)}",
        part=part,
        organization=resource.organization,
        resource=resource,
        meter=meter,
        zone=zone,
        started_at=started_at,
        ended_at=ended_at,
        quantity_micro=quantity_micro,
        content_hash=b"0123456789abcdef",
        received_at=received_at or ended_at,
    )


def ensure_partition(month: date) -> None:
    """On PostgreSQL, create the partition of a month, as the use case that stores usage does."""
    if connection.vendor != "postgresql":
        return
    until = month_of(month).next.first_day
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT true FROM pg_inherits JOIN pg_class ON oid = inhrelid"
            " WHERE inhparent = 'billing_usagerecord'::regclass"
            " AND pg_get_expr(relpartbound, oid) LIKE %s",
            [f"%FROM ('{month}')%"],
        )
        if cursor.fetchone() is None:
            cursor.execute(
                f"CREATE TABLE billing_usagerecord_{month:%Y_%m} PARTITION OF billing_usagerecord"
                f" FOR VALUES FROM ('{month}') TO ('{until}')"
            )
