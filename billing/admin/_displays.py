"""Columns of the desk's lists, which are also the read-only fields of its pages."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from billing.formatting import format_money, format_month, link_to
from organizations.admin._exports import Money, exports

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

type Column = Callable[[Any], Any]

# How far a whole number in a column is from what people read: 2000 basis points are 20 percent.
DECIMALS = {"_micro": 6, "_ppm": 4, "_bp": 2}


def money_column(field: str, title: "StrOrPromise", *, currency: str = "currency", sortable: bool = True) -> Column:
    """Return a column that shows a field in cents.

    `field` and `currency` may be paths, such as `grant.currency`; without a currency another column names it.
    """

    def column(row: Any) -> SafeString | str:
        return format_money(follow(row, field), follow(row, currency) if currency else "")

    exports(lambda row: Money(follow(row, field), follow(row, currency) or "" if currency else ""))(column)
    return _named(column, field.replace(".", "_"), title, formatting="price", ordering=field if sortable else None)


def month_column(field: str, title: "StrOrPromise") -> Column:
    """Return a column that shows the month of a first day."""

    def column(row: Any) -> SafeString:
        return format_html('<span class="desk-nowrap">{}</span>', format_month(getattr(row, field)))

    exports(lambda row: f"{getattr(row, field):%Y-%m}")(column)
    return _named(column, field, title, ordering=field)


def plain_column(field: str, title: "StrOrPromise", write: Callable[[Any], str]) -> Column:
    """Return a column that writes a figure without a currency; nothing for None."""

    def column(row: Any) -> SafeString | str:
        value = getattr(row, field)
        return "" if value is None else format_html('<span class="desk-money">{}</span>', write(value))

    exports(lambda row: _number(field, getattr(row, field)))(column)
    return _named(column, field, title, formatting="price", ordering=field)


def link_column(path: str, title: "StrOrPromise") -> Column:
    """Return a column that links to a related row's page. The list selects the relation, so that no row queries it."""

    def column(row: Any) -> SafeString | str | None:
        related = follow(row, path)
        return None if related is None else link_to(related)

    exports(lambda row: follow(row, path))(column)
    # Files are joined with others by what the platform calls an organization.
    if path.rpartition(".")[-1] in {"organization", "parent"}:
        column.identified = lambda row: follow(row, f"{path}.external_id")  # type: ignore[attr-defined]  # for exports
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


def _number(field: str, value: Any) -> Any:
    """A column with a unit as the number that people know: of a rate in basis points the percentage."""
    digits = next((places for unit, places in DECIMALS.items() if field.endswith(unit)), None)
    return value if digits is None or value is None else Decimal(value).scaleb(-digits).normalize()


def _named(column: Any, name: str, title: "StrOrPromise", **options: Any) -> Column:
    column.__name__ = name
    options = {key: value for key, value in options.items() if value is not None}
    shown: Column = display(description=title, **options)(column)
    return shown
