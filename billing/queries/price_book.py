"""Prices and tax rates as values."""

from collections.abc import Collection
from datetime import date

from django.db.models import Q

from billing.domain.pricing import PriceBook, Tier
from billing.models import Price as PriceRow
from billing.models import PriceTier, TaxRate
from billing.queries.among import among
from billing.queries.prices import price_of


def load_price_book(organization_ids: Collection[int]) -> PriceBook:
    """The catalogue and what was negotiated with these organizations, in two queries."""
    wanted = Q(organization__isnull=True) | among("organization", organization_ids)
    tiers: dict[int, list[Tier]] = {}
    for price_id, up_to_micro, unit_price in (
        PriceTier.objects.filter(price__in=PriceRow.objects.filter(wanted))
        .order_by("price", "position")
        .values_list("price_id", "up_to_micro", "unit_price")
    ):
        tiers.setdefault(price_id, []).append(Tier(up_to_micro, unit_price))
    rows = PriceRow.objects.filter(wanted)
    return PriceBook(price_of(row, tiers[row.pk]) for row in rows if row.pk in tiers)


def load_negotiators(organization_ids: Collection[int]) -> set[int]:
    """Those of the organizations that have prices of their own."""
    rows = PriceRow.objects.filter(among("organization", organization_ids))
    return {id_ for id_ in rows.values_list("organization_id", flat=True).distinct() if id_}


def load_tax_rates(day: date) -> dict[str, int]:
    """The VAT rate of each territory on a day, in basis points."""
    rows = TaxRate.objects.filter(valid_from__lte=day).order_by("valid_from")
    return dict(rows.values_list("territory", "rate_bp"))
