"""Figures in drawings, where there is room for text only."""

from collections.abc import Sequence

from django import template
from django.utils.formats import number_format

from billing import formatting
from billing.domain.money import CENTS_PER_UNIT, divide_half_away

register = template.Library()


@register.filter
def at[Item](items: Sequence[Item], position: int) -> Item:
    """`{{ names|at:2 }}`: the third one."""
    return items[position]


@register.filter
def amount(cents: int) -> str:
    """An amount with its cents: "1,234.56"."""
    return formatting.format_amount(cents)


@register.filter
def whole(cents: int) -> str:
    """An amount without its cents, to be read beside exact ones: "1,235"."""
    return number_format(divide_half_away(cents, CENTS_PER_UNIT), 0, use_l10n=True, force_grouping=True)
