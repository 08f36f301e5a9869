"""Prices in words: what a unit price is, and what it is for."""

from decimal import Decimal
from typing import Protocol

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing import formatting
from billing.domain.pricing import Price
from billing.domain.quantities import MICRO, format_unit_price

SECONDS_PER_HOUR_MICRO = 3600 * MICRO


class PerQuantity(Protocol):
    """What a unit price is for; price versions have it, as rows and as values."""

    @property
    def per_quantity_micro(self) -> int: ...
    @property
    def package_micro(self) -> int | None: ...


def price_in_words(price: Price, unit: str) -> str:
    """Say what a price costs: "0.0167 EUR per hour", "3 tiers, EUR per GB"."""
    per = per_unit(price, unit)
    if not price.tiers:
        return ""
    if len(price.tiers) == 1:
        return f"{localized(price.tiers[0].unit_price)} {price.currency} {per}"
    count = ngettext("%(number)d tier", "%(number)d tiers", len(price.tiers)) % {"number": len(price.tiers)}
    return f"{count}, {price.currency} {per}"


def localized(unit_price: Decimal) -> str:
    """Write every digit of a unit price with the reader's decimal separator."""
    text = format_unit_price(unit_price)
    decimals = len(text.partition(".")[2])
    return number_format(Decimal(text), decimals, use_l10n=True, force_grouping=True)


def per_unit(price: PerQuantity, unit: str) -> str:
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
