"""Figures and dates in the pages of customers."""

from datetime import date

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from billing import formatting
from billing.documents import _figures as figures

register = template.Library()


@register.filter
def money(cents: int | None, currency: str = "") -> SafeString | str:
    """`{{ cents|money:"EUR" }}`: an amount as documents print it, that never wraps."""
    if cents is None:
        return ""
    written = figures.money(cents, currency) if currency else figures.amount(cents)
    return format_html('<span class="money">{}</span>', written)


@register.filter
def month(day: date) -> str:
    """`{{ invoice.consumption_month|month }}`: "October 2026", as it stands alone or begins a sentence."""
    return str(capfirst(formatting.format_month(day)))


@register.filter
def month_within(day: date) -> str:
    """The same within a sentence, where some languages write it small."""
    return formatting.format_month(day)


@register.filter
def negative(cents: int) -> int:
    """What an amount takes away."""
    return -cents
