"""How figures, periods and rows are written for people, in the language that is active."""

from datetime import date
from decimal import Decimal

from django.contrib.admin.utils import quote
from django.db.models import Model
from django.urls import NoReverseMatch, reverse
from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from billing.domain.quantities import MICRO, format_duration, format_micro
from billing.models import CreditGrant

SECONDS = "second"
NO_BREAK_SPACE = "\xa0"
MINUS = "−"  # U+2212: unlike after a hyphen, no line may break after it
_SYMBOLS = {"EUR": "€"}


def format_amount(cents: int) -> str:
    """Write cents for people, in their language: "1,234.56"."""
    return number_format(Decimal(cents).scaleb(-2), 2, use_l10n=True, force_grouping=True)


def typeset(figure: str) -> str:
    """Keep a figure together and write its minus sign as one."""
    figure = figure.replace(" ", NO_BREAK_SPACE)
    return MINUS + figure[1:] if figure.startswith("-") else figure


def money_in_words(cents: int, currency: str) -> str:
    """Write an amount within a text: "€682.43" in English, "682,43 €" in French, "682.43 CHF" for others."""
    symbol = _SYMBOLS.get(currency)
    if symbol and (get_language() or "").startswith("en"):
        sign = MINUS if cents < 0 else ""
        return f"{sign}{symbol}{typeset(format_amount(abs(cents)))}"
    return f"{typeset(format_amount(cents))}{NO_BREAK_SPACE}{symbol or currency}"


def format_money(cents: int | None, currency: str = "") -> SafeString | str:
    """Write an amount with its currency on one line, whatever the width; nothing for None."""
    if cents is None:
        return ""
    sign = " desk-negative" if cents < 0 else ""
    return format_html(
        '<span class="desk-money{}">{} <span class="desk-unit">{}</span></span>', sign, format_amount(cents), currency
    )


def format_number(quantity_micro: int) -> str:
    """Write millionths for people: "224,674", "0.25"."""
    digits = Decimal(format_micro(quantity_micro))
    return number_format(digits, max(0, -int(digits.as_tuple().exponent)), use_l10n=True, force_grouping=True)


def format_unit_micro(unit_price_micro: int) -> str:
    """Write a unit price in millionths with two decimals, or as many as it has."""
    digits = Decimal(format_micro(unit_price_micro))
    return number_format(digits, max(2, -int(digits.as_tuple().exponent)), use_l10n=True, force_grouping=True)


def format_quantity(quantity_micro: int | None, unit: str) -> str:
    """Write a quantity with its unit; seconds as a duration, "13d 20h 56m 34s"."""
    if quantity_micro is None:
        return ""
    if unit == SECONDS and quantity_micro >= 0:
        seconds, micro = divmod(quantity_micro, MICRO)
        duration = format_duration(seconds)
        return f"{duration[:-1]}{format_micro(micro)[1:]}s" if micro else duration
    return f"{format_number(quantity_micro)} {unit}"


def nowrap(text: str) -> SafeString:
    """Keep a figure on one line."""
    return format_html('<span class="desk-money">{}</span>', text)


def format_percent(part: int, whole: int) -> str:
    """Write a share: 2000 of 10_000 is "20 %"."""
    return f"{format_number(part * 100 * 1_000_000 // whole)} %"


def format_rate(rate_bp: int) -> str:
    """Write a VAT rate: 2000 is "20 %"."""
    return format_percent(rate_bp, 10_000)


def format_month(day: date) -> str:
    """Write the month of its first day: "October 2026"."""
    return date_format(day, "F Y")


def format_recorded_day(iso: str | int) -> str:
    """Write a day that a reason recorded: "2026-10-03" is "3 Oct 2026"."""
    return date_format(date.fromisoformat(str(iso)))


def format_recorded_months(iso: str | int) -> str:
    """Write months that a reason recorded: "2026-09, 2026-10" is "September 2026, October 2026"."""
    return ", ".join(format_month(date.fromisoformat(f"{month}-01")) for month in str(iso).split(", "))


def name_of_grant(grant: CreditGrant) -> str:
    """Name a lot of credits by what it came from: its reference, its reason, or the invoice that sold it."""
    if grant.sold_by is not None and not grant.reference:
        return _("provision of %(invoice)s") % {"invoice": grant.sold_by}
    return str(grant)


def link_to(row: Model, text: object = None) -> SafeString | str:
    """Return a link to a row's page of the desk, or only its name when it has none."""
    label = str(row) if text is None else text
    try:
        url = change_url(row._meta.label_lower, row.pk)
    except NoReverseMatch:
        return str(label)
    return format_html('<a class="desk-link" href="{}">{}</a>', url, label)


def change_url(model_label: str, pk: object) -> str:
    """Return the address of a row's page: `change_url("billing.invoice", 42)`."""
    return reverse(f"admin:{model_label.replace('.', '_')}_change", args=[quote(str(pk))])
