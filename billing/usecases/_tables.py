"""Rows of a spreadsheet to lines of the import format (interfaces §2): the columns are the format's own fields.

A line keeps the number of its row, so that a refusal names the row that people see. Nothing is judged here but what
a line cannot hold: everything else is the import's to say.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import zip_longest
from typing import Any, NamedTuple

import msgspec
from django.utils.translation import gettext as _
from msgspec import inspect

from billing.usecases._imports.lines import BillingObject, ChargeLine, OrganizationLine, PriceLine, TierObject
from organizations.spreadsheets.reading import Row, UnreadableCell, UnreadableTable, Value

TRUE, FALSE = {"true", "yes", "1", "vrai", "oui"}, {"false", "no", "0", "faux", "non"}


class Field(NamedTuple):
    """One column: the field it fills, what values it takes, whether every row has one, and whether none is null."""

    name: str
    type: type
    is_required: bool
    is_null_when_empty: bool


class Kind(NamedTuple):
    """What a table may hold. Columns of `tiers` and `billing` fill the objects within a line."""

    line: type[msgspec.Struct]
    nested: str
    inner: type[msgspec.Struct] | None


KINDS: dict[str, Kind] = {
    "price": Kind(PriceLine, "tiers", TierObject),
    "charge": Kind(ChargeLine, "", None),
    "organization": Kind(OrganizationLine, "billing", BillingObject),
}


class Lines(NamedTuple):
    """A file of the import format, one line per row of the table, and the rows that could not become one."""

    raw: bytes
    refusals: list[tuple[int, str]]


def columns_of(kind: str) -> list[Field]:
    """The columns that a table of a kind may have, in order; tiers of a price stand in rows below each other."""
    line, nested, inner = KINDS[kind]
    fields = [field for field in _fields(line) if field.name != nested]
    prefix = "billing." if nested == "billing" else ""
    # An inner object may be left out as a whole, so none of its columns has to be there.
    inner_fields = [field._replace(name=prefix + field.name) for field in _fields(inner)] if inner else []
    return [*fields, *inner_fields]


def _fields(struct: type[msgspec.Struct]) -> list[Field]:
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType)  # noqa: S101  # it is one
    return [
        # What is left out has its default; where there is none, null has to be written.
        Field(
            field.encode_name,
            _python_type(field.type),
            field.required,
            _is_nullable(field.type) and field.default is msgspec.NODEFAULT,
        )
        for field in info.fields
    ]


def _is_nullable(kind: inspect.Type) -> bool:
    return isinstance(kind, inspect.UnionType) and any(isinstance(part, inspect.NoneType) for part in kind.types)


def _python_type(kind: inspect.Type) -> type:
    if isinstance(kind, inspect.UnionType):
        kind = next(part for part in kind.types if not isinstance(part, inspect.NoneType))
    types: dict[type, type] = {inspect.IntType: int, inspect.BoolType: bool, inspect.DateType: date}
    return types.get(type(kind), str)


def lines_of(kind: str, rows: Sequence[Row]) -> Lines:
    """Write the lines of a table. Raises UnreadableTable for a header with unknown, doubled or missing columns."""
    header, *body = rows
    fields = _match(header, columns_of(kind))
    last = body[-1].number if body else header.number
    written: list[bytes] = [b""] * last
    refusals: list[tuple[int, str]] = []
    for number, line in _objects(kind, fields, body, refusals):
        written[number - 1] = msgspec.json.encode({"kind": kind, **line})
    return Lines(b"\n".join(written) + b"\n", refusals)


def _match(header: Row, known: Sequence[Field]) -> list[Field | None]:
    by_name = {field.name: field for field in known}
    names = [str(cell).strip().lower().replace(" ", "_") if isinstance(cell, str) else "" for cell in header.cells]
    all_known = ", ".join(by_name)
    for name in names:
        if name and name not in by_name:
            raise UnreadableTable(
                _("There is no column %(name)s. The columns are: %(columns)s.")
                % {"name": f"{name:.60}", "columns": all_known}
            )
        if name and names.count(name) > 1:
            raise UnreadableTable(_("The column %(name)s is there twice.") % {"name": name})
    missing = [field.name for field in known if field.is_required and "." not in field.name and field.name not in names]
    if missing:
        raise UnreadableTable(
            _("Columns are missing: %(missing)s. The columns are: %(columns)s.")
            % {"missing": ", ".join(missing), "columns": all_known}
        )
    return [by_name[name] if name else None for name in names]


def _objects(
    kind: str, fields: Sequence[Field | None], rows: Sequence[Row], refusals: list[tuple[int, str]]
) -> Iterator[tuple[int, dict[str, Any]]]:
    line: dict[str, Any] = {}
    first = 0
    for row in rows:
        try:
            values = _values(fields, row)
        except UnreadableTable as refusal:
            refusals.append((row.number, str(refusal)))
            continue
        if kind != "price":
            yield row.number, _nest(values)
            continue
        tier = {name: values.pop(name) for name in ("up_to", "unit_price") if name in values}
        if line and _goes_on(line, values):
            line["tiers"].append(tier)
            continue
        if line:
            yield first, line
        line, first = {**values, "tiers": [tier]}, row.number
    if line:
        yield first, line


def _goes_on(line: dict[str, Any], values: dict[str, Any]) -> bool:
    """A row adds a tier when the one before had an end, and it names the same price or none."""
    named = {name: value for name, value in values.items() if value is not None}
    before = {name: value for name, value in line.items() if name != "tiers" and value is not None}
    return line["tiers"][-1].get("up_to") is not None and (not named or named == before)


def _nest(values: dict[str, Any]) -> dict[str, Any]:
    billing = {name.removeprefix("billing."): value for name, value in values.items() if name.startswith("billing.")}
    line = {name: value for name, value in values.items() if not name.startswith("billing.")}
    return {**line, "billing": billing} if billing else line


def _values(fields: Sequence[Field | None], row: Row) -> dict[str, Any]:
    """What a row says; empty cells are left out, or null where leaving out is no way to say so."""
    values: dict[str, Any] = {}
    # Readers drop the empty cells at the end of a row.
    for field, cell in zip_longest(fields, row.cells[: len(fields)]):
        if isinstance(cell, UnreadableCell):
            raise UnreadableTable(cell.reason)
        if field is None:
            if cell is not None:
                raise UnreadableTable(_("%(cell)s stands in a column without a name.") % {"cell": f"{cell!s:.40}"})
        elif cell is not None:
            values[field.name] = _write(cell, field.type)
        elif field.is_null_when_empty:
            values[field.name] = None
    extra = row.cells[len(fields) :]
    if any(cell is not None for cell in extra):
        raise UnreadableTable(_("The row has more cells than the header has columns."))
    return values


def _write(cell: Value, wanted: type) -> Any:
    """A cell as the format writes it; what does not fit stays as it is, and is refused by its reader."""
    if wanted is bool and str(cell).lower() in TRUE | FALSE:
        return str(cell).lower() in TRUE
    if wanted is int and str(cell).removeprefix("-").isdecimal():
        return int(str(cell))
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, Decimal):
        return format(cell, "f")
    return cell.isoformat() if isinstance(cell, date) else str(cell)
