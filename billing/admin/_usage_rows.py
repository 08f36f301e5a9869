"""Usage details in words: quantity, what it is priced at, and how tiers make the amount."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing import formatting
from billing.admin import _links as links
from billing.domain.quantities import MICRO, format_unit_price
from billing.domain.rating import Slice, rate
from billing.models import Price, UsageDetail
from billing.queries.invoice_pages import OrganizationDetails
from billing.queries.months import month_of
from billing.queries.prices import price_of, tiers_of

SECONDS_PER_HOUR_MICRO = 3600 * MICRO


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


def price_in_words(price: Price, unit: str) -> str:
    """Say what a price costs: "0.0167 per hour", "from 0.02 per GB, 3 tiers"."""
    per = per_unit(price, unit)
    tiers = list(price.tiers.all())
    if not tiers:
        return ""
    first = localized(tiers[0].unit_price)
    if len(tiers) == 1:
        return f"{first} {price.currency} {per}"
    count = ngettext("%(number)d tier", "%(number)d tiers", len(tiers)) % {"number": len(tiers)}
    return f"{count}, {price.currency} {per}"


def localized(unit_price: Decimal) -> str:
    """Write every digit of a unit price with the reader's decimal separator."""
    text = format_unit_price(unit_price)
    decimals = len(text.partition(".")[2])
    return number_format(Decimal(text), decimals, use_l10n=True, force_grouping=True)


def per_unit(price: Price, unit: str) -> str:
    """Say what a unit price is for: "per hour", "per 1,000 requests in whole packages of 100"."""
    if unit == formatting.SECONDS and price.per_quantity_micro == SECONDS_PER_HOUR_MICRO:
        words = _("per hour")
    elif price.per_quantity_micro == MICRO:
        words = _("per %(unit)s") % {"unit": unit}
    else:
        quantity = formatting.format_number(price.per_quantity_micro)
        words = _("per %(quantity)s %(unit)s") % {"quantity": quantity, "unit": unit}
    if price.package_micro is not None:
        package = formatting.format_number(price.package_micro)
        words += " " + _("in whole packages of %(quantity)s") % {"quantity": package}
    return words


def _row(detail: UsageDetail, price: Price | None, consumption_month: date) -> DetailRow:
    unit = detail.meter.unit if detail.meter else ""
    return DetailRow(
        detail=detail,
        late_month="" if detail.month == consumption_month else formatting.format_month(detail.month),
        quantity=formatting.format_quantity(detail.quantity_micro, unit),
        price_words="" if price is None else price_in_words(price, unit),
        tiers=[] if price is None else _tier_rows(detail, price, unit),
        url=links.usage_behind(detail, price),
    )


def _tier_rows(detail: UsageDetail, price: Price, unit: str) -> list[TierRow]:
    """How the tiers came to the amount; nothing for the difference that late usage made, which has no tiers."""
    tiers = tiers_of(price)
    if len(tiers) < 2 or detail.quantity_micro is None or detail.quantity_micro < 0:
        return []
    rated = rate(detail.quantity_micro, price_of(price, tiers), month_of(detail.month).seconds)
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
