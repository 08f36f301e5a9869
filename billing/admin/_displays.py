"""Columns of the desk's lists, which are also the read-only fields of its pages."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from billing.formatting import format_money, format_month, link_to

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

type Column = Callable[[Any], Any]


def money_column(field: str, title: "StrOrPromise", *, currency: str = "currency", sortable: bool = True) -> Column:
    """Return a column that shows a field in cents.

    `field` and `currency` may be paths, such as `grant.currency`; without a currency another column names it.
    """

    def column(row: Any) -> SafeString | str:
        return format_money(follow(row, field), follow(row, currency) if currency else "")

    return _named(column, field.replace(".", "_"), title, formatting="price", ordering=field if sortable else None)


def month_column(field: str, title: "StrOrPromise") -> Column:
    """Return a column that shows the month of a first day."""

    def column(row: Any) -> SafeString:
        return format_html('<span class="desk-nowrap">{}</span>', format_month(getattr(row, field)))

    return _named(column, field, title, ordering=field)


def plain_column(field: str, title: "StrOrPromise", write: Callable[[Any], str]) -> Column:
    """Return a column that writes a figure without a currency; nothing for None."""

    def column(row: Any) -> SafeString | str:
        value = getattr(row, field)
        return "" if value is None else format_html('<span class="desk-money">{}</span>', write(value))

    return _named(column, field, title, formatting="price", ordering=field)


def link_column(path: str, title: "StrOrPromise") -> Column:
    """Return a column that links to a related row's page. The list selects the relation, so that no row queries it."""

    def column(row: Any) -> SafeString | str | None:
        related = follow(row, path)
        return None if related is None else link_to(related)

    return _named(column, path.replace(".", "_"), title)


def state_column(
    field: str, title: "StrOrPromise", colours: Mapping[str, str], text: Callable[[Any], Any] | None = None
) -> Column:
    """Return a column that shows a choice as a label; `colours` names success, warning, danger or info.

    A choice without a colour gets a quiet label.
    """

    def column(row: Any) -> tuple[str, str] | str:
        value = getattr(row, field)
        words = str(text(row) if text else getattr(row, f"get_{field}_display")())
        return (value, words) if value in colours else words

    return _named(column, field, title, label=dict(colours), ordering=field)


def follow(row: Any, path: str) -> Any:
    """Read `invoice.currency` from a row; an empty relation ends the path."""
    for name in path.split("."):
        row = getattr(row, name, None) if row is not None else None
    return row


def _named(column: Any, name: str, title: "StrOrPromise", **options: Any) -> Column:
    column.__name__ = name
    options = {key: value for key, value in options.items() if value is not None}
    shown: Column = display(description=title, **options)(column)
    return shown
