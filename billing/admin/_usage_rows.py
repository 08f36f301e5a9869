"""Usage details in words: quantity, what it is priced at, and how tiers make the amount."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from billing import formatting
from billing.admin import _links as links
from billing.domain.pricing import Price as PriceValue
from billing.domain.rating import Slice, rate
from billing.models import Price, UsageDetail
from billing.queries.invoice_pages import OrganizationDetails
from billing.queries.months import month_of
from billing.queries.price_words import localized, per_unit, price_in_words
from billing.queries.prices import stored_price


@dataclass(frozen=True)
class TierRow:
    """What one tier priced."""

    bounds: str
    quantity: str
    unit_price: str


@dataclass(frozen=True)
class DetailRow:
    """One usage detail as it is shown; `late_month` when it is not the consumption month."""

    detail: UsageDetail
    late_month: str
    quantity: str
    price_words: str
    tiers: list[TierRow]
    url: str


def usage_groups(
    groups: list[OrganizationDetails], prices: Mapping[int, Price], consumption_month: date
) -> list[dict[str, Any]]:
    """Word all details of a page, in their groups."""
    return [
        {
            "organization": group.organization,
            "resources": [
                {
                    "resource": resource,
                    "rows": [_row(d, prices.get(d.price_id or 0), consumption_month) for d in resource.details],
                }
                for resource in group.resources
            ],
        }
        for group in groups
    ]


def _row(detail: UsageDetail, price: Price | None, consumption_month: date) -> DetailRow:
    unit = detail.meter.unit if detail.meter else ""
    return DetailRow(
        detail=detail,
        late_month="" if detail.month == consumption_month else formatting.format_month(detail.month),
        quantity=formatting.format_quantity(detail.quantity_micro, unit),
        price_words="" if price is None else price_in_words(stored_price(price), unit),
        tiers=[] if price is None else _tier_rows(detail, stored_price(price), unit),
        url=links.usage_behind(detail, price),
    )


def _tier_rows(detail: UsageDetail, price: PriceValue, unit: str) -> list[TierRow]:
    """How the tiers came to the amount; nothing for the difference that late usage made, which has no tiers."""
    if len(price.tiers) < 2 or detail.quantity_micro is None or detail.quantity_micro < 0:
        return []
    rated = rate(detail.quantity_micro, price, month_of(detail.month).seconds)
    if rated.amount_cents != detail.amount_cents:
        return []
    return [_tier_row(piece, unit, per_unit(price, unit)) for piece in rated.slices]


def _tier_row(piece: Slice, unit: str, per: str) -> TierRow:
    lower = formatting.format_number(piece.from_micro)
    if piece.to_micro is None:
        bounds = _("above %(lower)s %(unit)s") % {"lower": lower, "unit": unit}
    else:
        bounds = _("up to %(upper)s %(unit)s") % {"upper": formatting.format_number(piece.to_micro), "unit": unit}
    return TierRow(
        bounds, formatting.format_quantity(piece.quantity_micro, unit), f"{localized(piece.unit_price)} {per}"
    )
