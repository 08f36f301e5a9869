"""Figures as documents print them: with a true minus sign, and never broken over two lines."""

from datetime import date, timedelta

from django.utils.formats import date_format
from django.utils.translation import pgettext

from billing import formatting
from billing.formatting import typeset

NO_BREAK_SPACE = formatting.NO_BREAK_SPACE


def amount(cents: int) -> str:
    """Write cents: "1,234.56", "−4.46"."""
    return typeset(formatting.format_amount(cents))


def money(cents: int, currency: str) -> str:
    """Write an amount with its currency: "€682.43" in English, "682,43 €" in French, "682.43 CHF" for others."""
    return formatting.money_in_words(cents, currency)


def unit_amount(unit_price_micro: int) -> str:
    """Write a unit price of a line, with the decimals that it has."""
    return typeset(formatting.format_unit_micro(unit_price_micro))


def quantity(quantity_micro: int, unit: str = "") -> str:
    """Write a quantity with its unit, if any: "13d 20h 56m 34s", "0.25 GB"."""
    words = formatting.format_quantity(quantity_micro, unit) if unit else formatting.format_number(quantity_micro)
    return typeset(words)


def rate(rate_bp: int) -> str:
    """Write a VAT rate: "20 %"."""
    return typeset(formatting.format_rate(rate_bp))


def day(value: date) -> str:
    """Write a day: "5 November 2026"."""
    return date_format(value, "j F Y").replace(" ", NO_BREAK_SPACE)


def period(start: date, end: date) -> str:
    """Write the days of [start, end): "1–30 November 2026", "13 August – 30 September 2026", or a single day."""
    last = end - timedelta(days=1)
    if last <= start:
        return day(start)
    if (start.year, start.month) == (last.year, last.month):
        return f"{start.day}–{day(last)}"
    first = date_format(start, "j F" if start.year == last.year else "j F Y").replace(" ", NO_BREAK_SPACE)
    return pgettext("period", "%(first_day)s – %(last_day)s") % {"first_day": first, "last_day": day(last)}
