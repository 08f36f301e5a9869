"""Figures and dates in the desk's own templates."""

import calendar
from datetime import date, datetime, timedelta
from typing import Any

from django import template
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from billing import formatting
from billing.models import Invoice
from billing.queries.invoices import due_cents

register = template.Library()

register.filter("month", formatting.format_month)
register.filter("number", formatting.format_number)


@register.filter
def money(cents: int | None, currency: str = "") -> SafeString | str:
    """`{{ cents|money:"EUR" }}`: an amount that never wraps."""
    return formatting.format_money(cents, currency)


@register.filter
def link_to(row: Model, text: str = "") -> SafeString | str:
    """`{{ invoice|link_to }}`: a link to a row's page of the desk."""
    return formatting.link_to(row, text or None)


@register.filter
def signed(cents: int, currency: str = "") -> SafeString | str:
    """An amount that says in which direction it moved, also when it grew."""
    amount = formatting.format_money(cents, currency)
    return SafeString(amount.replace(">", ">+", 1)) if cents > 0 else amount


@register.filter
def percent(part: int, whole: int) -> str:
    """`{{ rate_bp|percent:10000 }}`: a share of the whole."""
    return formatting.format_percent(part, whole)


@register.filter
def list_query(changelist: ChangeList) -> str:
    """The filters and the order of a list as a query, without its page."""
    return changelist.get_query_string(remove=["p"])


@register.filter
def negative(cents: int) -> int:
    """What an amount takes away."""
    return -cents


@register.filter
def period(start: date, end: date) -> str:
    """The days of a line's period, whose end is the first day after it: "October 2026", "20 October 2026"."""
    last = end - timedelta(days=1)
    if start.day == 1 and last.month == start.month and end.day == 1:
        return formatting.format_month(start)
    if start == last:
        return date_format(start, "j F Y")
    return f"{date_format(start)} – {date_format(last)}"


@register.inclusion_tag("admin/explain/link.html")
def explained(figure: str, pk: object, cents: int, currency: str = "") -> dict[str, Any]:
    """`{% explained "line" line.pk line.net_cents %}`: an amount that leads to how it came about."""
    return {"figure": f"{figure}-{pk}" if pk != "" else figure, "cents": cents, "currency": currency}


@register.filter
def due(invoice: Invoice) -> int:
    """`{{ invoice|due|money }}`: what is left to pay."""
    return due_cents(invoice)


@register.filter
def growth(ppm: int) -> str:
    """A change in percent with its sign and one decimal; a change of many times the base says just that."""
    tenths, sign = abs(ppm) // 1_000, "-" if ppm < 0 else "+"
    return f"{sign}{formatting.format_number(tenths * 100_000)} %" if tenths < 10_000 else f"{sign}≫"


@register.filter
def share(part: int, whole: int) -> str:
    """A width in percent for a bar of the desk; at least a sliver for what is not nothing."""
    return f"{max(part * 100 / whole, 0.5 if part else 0):.2f}%" if whole else "0%"


@register.filter
def lookup(mapping: dict[Any, Any], key: object) -> object:
    """`{{ counts|lookup:"blocked" }}`: the value of a key, None when it is not there."""
    return mapping.get(key)


@register.inclusion_tag("admin/date_hierarchy.html")
def desk_dates(changelist: Any) -> dict[str, Any]:
    """The date hierarchy from two look-ups at the ends of an index; Django's own reads every row for its choices."""
    column = changelist.date_hierarchy
    if not column:
        return {"show": False}
    first, last = changelist.model_admin.date_bounds()
    if first is None or last is None:
        return {"show": False}
    days_too = not column.endswith("month")
    return {"show": True, **_level(changelist, column, _local_day(first), _local_day(last), days_too)}


def _level(changelist: ChangeList, column: str, first: date, last: date, days_too: bool) -> dict[str, Any]:
    year, month, day = (_chosen(changelist, f"{column}__{part}") for part in ("year", "month", "day"))

    def link(**parts: int) -> str:
        return changelist.get_query_string({f"{column}__{k}": str(v) for k, v in parts.items()}, [f"{column}__"])

    if year is None and first.year == last.year:
        year = first.year
    if year is None:
        years = range(last.year, first.year - 1, -1)
        return {"back": None, "choices": [{"link": link(year=y), "title": str(y)} for y in years]}
    if month is None or not 1 <= month <= 12:
        months = [date(year, m, 1) for m in range(1, 13) if first.replace(day=1) <= date(year, m, 1) <= last]
        back = {"link": link(), "title": _("All dates")} if first.year != last.year else None
        choices = [{"link": link(year=year, month=m.month), "title": formatting.format_month(m)} for m in months]
        return {"back": back, "choices": [{**choice, "title": capfirst(choice["title"])} for choice in choices]}
    title = capfirst(formatting.format_month(date(year, month, 1)))
    if day is not None or not days_too:
        chosen = title if day is None else date_format(date(year, month, day), "MONTH_DAY_FORMAT")
        up = (
            {"link": link(year=year, month=month), "title": title} if day else {"link": link(), "title": _("All dates")}
        )
        return {"back": up, "choices": [{"title": chosen}]}
    days = [date(year, month, number + 1) for number in range(calendar.monthrange(year, month)[1])]
    days_links = [
        {"link": link(year=year, month=month, day=d.day), "title": str(d.day)} for d in days if first <= d <= last
    ]
    return {"back": {"link": link(year=year), "title": str(year)}, "choices": [{"title": title}, *days_links]}


def _chosen(changelist: ChangeList, name: str) -> int | None:
    value = str(changelist.params.get(name, ""))
    return int(value) if value.isdecimal() and int(value) <= 9999 else None


def _local_day(value: date) -> date:
    return timezone.localtime(value).date() if isinstance(value, datetime) else value
