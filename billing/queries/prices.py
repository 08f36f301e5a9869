"""Price versions as values, and what past invoices were rated with."""

from collections.abc import Iterable

from django.db.models import F, QuerySet

from billing.domain.pricing import Price, Tier
from billing.models import AddOn, Meter, UsageDetail
from billing.models import Price as PriceRow
from organizations.models import Organization


def price_of(row: PriceRow, tiers: Iterable[Tier]) -> Price:
    """Return a row as the domain's value; it need not be stored yet."""
    return Price(
        id=row.pk or 0,
        meter_id=row.meter_id,
        zone=row.zone,
        currency=row.currency,
        organization_id=row.organization_id,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        per_quantity_micro=row.per_quantity_micro,
        package_micro=row.package_micro,
        mode="volume" if row.mode == PriceRow.Mode.VOLUME else "graduated",
        bounds_per_hour=row.bounds_per_hour,
        tiers=tuple(tiers),
    )


def tiers_of(row: PriceRow) -> list[Tier]:
    """Return the stored tiers of a version, in order."""
    return [Tier(tier.up_to_micro, tier.unit_price) for tier in row.tiers.all()]


def stored_price(row: PriceRow) -> Price:
    """Return a stored version with its tiers as the domain's value."""
    return price_of(row, tiers_of(row))


def versions_beside(
    *, meter: Meter, zone: str, currency: str, organization: Organization | None, exclude: int | None
) -> QuerySet[PriceRow]:
    """Return the versions of one price (meter, zone, currency, owner), oldest first, without the one to exclude."""
    rows = PriceRow.objects.filter(meter=meter, zone=zone, currency=currency, organization=organization)
    others = rows if exclude is None else rows.exclude(pk=exclude)
    return others.order_by(F("valid_from").asc(nulls_first=True))


def is_invoiced(price_id: int) -> bool:
    """Tell whether an issued invoice was rated with a price version: it can then only be followed by a new one."""
    return UsageDetail.objects.filter(price=price_id, invoice__document_state="issued").exists()


def plan_is_invoiced(plan_id: int) -> bool:
    """Tell whether an add-on of a plan was billed."""
    return AddOn.objects.filter(plan=plan_id, billed_until__isnull=False).exists()
