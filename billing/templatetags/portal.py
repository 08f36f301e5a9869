"""Figures and dates in the pages of customers."""

from datetime import date

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from billing import formatting

register = template.Library()

MINUS = "−"


@register.filter
def money(cents: int | None, currency: str = "") -> SafeString | str:
    """`{{ cents|money:"EUR" }}`: an amount that never wraps, with a minus sign that is one."""
    if cents is None:
        return ""
    amount = formatting.format_amount(abs(cents))
    sign = MINUS if cents < 0 else ""
    unit = format_html(' <span class="unit">{}</span>', currency) if currency else ""
    return format_html('<span class="money">{}{}{}</span>', sign, amount, unit)


@register.filter
def month(day: date) -> str:
    """`{{ invoice.consumption_month|month }}`: "October 2026"."""
    return str(capfirst(formatting.format_month(day)))
