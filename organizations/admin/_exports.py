"""Every list of the desk as a file: what is filtered, as values instead of what the page makes of them."""

import html
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import label_for_field
from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.db.models import Model, QuerySet
from django.dispatch import Signal
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext

from organizations.spreadsheets.writing import CONTENT_TYPES, WRITERS, Cell

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin as _Admin
else:

    class _Admin:
        """The mixin stands before a class that has what it calls."""

        @classmethod
        def __class_getitem__(cls, _):
            return cls


# About five seconds' work: a workbook costs twenty times what plain text does.
MOST_ROWS = {"xlsx": 20_000, "csv": 50_000}
ROWS_AT_ONCE = 2_000

# Sent with `model`, `user`, `filters`, `rows`, `file_format` and `at` when somebody takes a list away.
list_exported = Signal()


class Money(NamedTuple):
    """An amount in a list: a decimal with two places; its currency has a column of its own."""

    cents: int | None
    currency: str


class Column(NamedTuple):
    """One column of a file: its title and how a row fills it."""

    title: str
    read: Callable[[Any], Any]


def exports[F: Callable[..., Any]](read: Callable[[Any], Any]) -> Callable[[F], F]:
    """Say what a column of a list is in a file, where the page shows a figure as text: a number, a date or Money."""

    def mark(column: F) -> F:
        column.exported = read  # type: ignore[attr-defined]  # read by `_column`
        return column

    return mark


class ExportsMixin[M: Model](_Admin[M]):
    """Gives a list its files. Whoever sees the list may take it, and that is told to `list_exported`."""

    gives_files = True  # asked by the template

    def get_urls(self) -> list[URLPattern]:
        """The files, before Django's own patterns, which would take them for keys."""
        meta = self.model._meta
        name = f"{meta.app_label}_{meta.model_name}_export"
        return [
            path("export/<slug:kind>/", self.admin_site.admin_view(self.export_view), name=name),
            *super().get_urls(),
        ]

    def exported_rows(self, rows: QuerySet[M]) -> Iterable[M]:
        """The rows in a fixed number of queries; where columns need more than a row holds, it is found here for all."""
        # A prefetch would run once per portion.
        is_whole = bool(rows._prefetch_related_lookups)  # type: ignore[attr-defined]  # no public name
        return rows if is_whole else rows.iterator(chunk_size=ROWS_AT_ONCE)

    def export_view(self, request: HttpRequest, kind: str) -> HttpResponse | FileResponse:
        """Write the filtered list in its order; refused above 20,000 rows, or 50,000 of .csv."""
        if kind not in WRITERS:
            raise Http404
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        meta = self.model._meta
        back = reverse(f"{self.admin_site.name}:{meta.app_label}_{meta.model_name}_changelist")
        try:
            rows = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            return HttpResponseRedirect(f"{back}?e=1")
        if rows.order_by()[: MOST_ROWS[kind] + 1].count() > MOST_ROWS[kind]:
            limit = gettext("Too many rows: .xlsx holds at most %(xlsx)s, .csv %(csv)s. Filter the list, then take it.")
            messages.error(request, limit % {name: f"{most:,}" for name, most in MOST_ROWS.items()})
            return HttpResponseRedirect(f"{back}?{request.GET.urlencode()}")
        at = timezone.now()
        file, count = self._write(request, rows, kind)
        filters = {name: ", ".join(values) for name, values in request.GET.lists()}
        list_exported.send(
            sender=type(self), model=self.model, user=request.user, filters=filters, rows=count, file_format=kind, at=at
        )
        name = f"{meta.model_name}-{timezone.localdate(at):%Y-%m-%d}.{kind}"
        return FileResponse(file, as_attachment=True, filename=name, content_type=CONTENT_TYPES[kind])

    def _write(self, request: HttpRequest, rows: QuerySet[M], kind: str) -> tuple[IO[bytes], int]:
        columns = list(self._columns(request))
        has_currency = "currency" in self.get_list_display(request)
        table = Table(columns, "" if has_currency else getattr(self, "currency_path", "currency"))
        cells = [table.cells(row) for row in self.exported_rows(rows)]
        title = str(capfirst(self.model._meta.verbose_name_plural))
        return WRITERS[kind](title, table.header(), table.body(cells)), len(cells)

    def _columns(self, request: HttpRequest) -> Iterator[Column]:
        for name in self.get_list_display(request):
            title = capfirst(str(label_for_field(name, self.model, self)))
            column = str if name == "__str__" else getattr(self, name, None) if isinstance(name, str) else name
            shown = column if callable(column) else self._field_reader(str(name))
            read = getattr(column, "exported", shown)
            yield Column(title, read)
            identified = getattr(column, "identified", None)
            if identified is not None:
                yield Column(f"{title} ({gettext('identifier')})", identified)

    def _field_reader(self, name: str) -> Callable[[Any], Any]:
        try:
            field = self.model._meta.get_field(name)
        except FieldDoesNotExist:
            return lambda row: _called(getattr(row, name))
        if getattr(field, "choices", None):
            return lambda row: getattr(row, f"get_{name}_display")()
        return lambda row: getattr(row, name)


class Table:
    """The cells of rows: amounts with two places, their currency behind the last of them."""

    def __init__(self, columns: Sequence[Column], currency_path: str) -> None:
        self._columns = columns
        self._currency_path = currency_path
        self._last_amount = -1

    def cells(self, row: Model) -> list[Any]:
        """The values of a row; the last one is its currency, if it has amounts."""
        values = [column.read(row) for column in self._columns]
        amounts = [(at, value) for at, value in enumerate(values) if isinstance(value, Money)]
        if not amounts:
            return [*values, None]
        self._last_amount = max(self._last_amount, amounts[-1][0])
        known = next((value.currency for _, value in amounts if value.currency), None)
        return [*values, known or _follow(row, self._currency_path)]

    def header(self) -> list[str]:
        """The titles, once all rows are read."""
        titles = [column.title for column in self._columns]
        if self._has_currency:
            titles.insert(self._last_amount + 1, gettext("Currency"))
        return titles

    def body(self, rows: Sequence[list[Any]]) -> Iterator[list[Cell]]:
        """The rows as a file holds them."""
        for *values, currency in rows:
            cells = [_cell(value) for value in values]
            if self._has_currency:
                cells.insert(self._last_amount + 1, _cell(currency))
            yield cells

    @property
    def _has_currency(self) -> bool:
        return self._last_amount >= 0 and bool(self._currency_path)


def _cell(value: Any) -> Cell:
    """A value of a list as a file holds it: labels and links as their text."""
    match value:
        case Money():
            return None if value.cents is None else Decimal(value.cents).scaleb(-2)
        case None | bool() | int() | Decimal():
            return value
        case tuple():
            return _cell(value[-1])
        case datetime():
            return timezone.make_naive(value).replace(microsecond=0)
        case SafeString():
            return html.unescape(strip_tags(value)).strip()
    return value if hasattr(value, "isoformat") else str(value).strip()


def _follow(row: Any, dotted: str) -> Any:
    for name in dotted.split(".") if dotted else ():
        row = getattr(row, name, None) if row is not None else None
    return row if dotted else None


def _called(value: Any) -> Any:
    return value() if callable(value) else value
