"""A table that somebody filled in, from .xlsx or .csv: refused with a sentence when it is anything else.

Nothing of the file is computed: a cell has the value that it shows, and a formula without one is refused.
"""

import csv
import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import BinaryIO, NamedTuple

import defusedxml  # noqa: F401  # with it, openpyxl reads XML without entities
from django.utils.translation import gettext as _
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

type Value = str | int | Decimal | date | bool | None

MOST_BYTES = 5 << 20
MOST_UNPACKED_BYTES = 64 << 20
MOST_PARTS = 500
MOST_ROWS = 5_000
LAST_ROW = 100_000
MOST_COLUMNS = 60
OLD_EXCEL = b"\xd0\xcf\x11\xe0"  # .xls, and whatever is protected by a password
ZIP = b"PK\x03\x04"
# What openpyxl raises on files that claim to be workbooks; it has no error of its own for all of it.
BROKEN = (
    *(ArithmeticError, AttributeError, EOFError, LookupError, NotImplementedError, OSError, RuntimeError),
    *(SyntaxError, TypeError, ValueError, InvalidFileException, zipfile.BadZipFile, zlib.error),
)


class UnreadableTable(ValueError):
    """Nothing of the file is taken; the message is a sentence."""


class UnreadableCell(NamedTuple):
    """Stands where a cell has no value that could be taken; `reason` is a sentence."""

    reason: str


class Row(NamedTuple):
    """The number of a row as Excel shows it, and its cells."""

    number: int
    cells: tuple[Value | UnreadableCell, ...]


def read_table(file: BinaryIO) -> list[Row]:
    """Read the rows that are not empty of the first sheet, the header among them.

    Raises UnreadableTable for another kind of file, a broken one, one with macros or a password, and a huge one.
    """
    raw = file.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise UnreadableTable(_("The file is larger than %(size)s MB: split it.") % {"size": MOST_BYTES >> 20})
    if raw.startswith(OLD_EXCEL):
        raise UnreadableTable(_("The file is an old .xls file or has a password: save it as .xlsx without one."))
    if raw.startswith(ZIP):
        return _limited(_read_xlsx(raw))
    return _limited(_read_csv(raw))


def _limited(rows: Iterator[Row]) -> list[Row]:
    taken: list[Row] = []
    for row in rows:
        if all(cell is None for cell in row.cells):
            continue
        if len(taken) > MOST_ROWS:  # the header is one of them
            raise UnreadableTable(_("The file has more than %(rows)s rows: split it.") % {"rows": f"{MOST_ROWS:,}"})
        taken.append(row)
    if not taken:
        raise UnreadableTable(_("The file is empty."))
    return taken


def _read_xlsx(raw: bytes) -> Iterator[Row]:
    _check_parts(raw)
    try:
        # What each cell shows, and beside it what it is made of.
        shown = load_workbook(io.BytesIO(raw), read_only=True, data_only=True, keep_links=False)
        made = load_workbook(io.BytesIO(raw), read_only=True, data_only=False, keep_links=False)
        sheets = [book.worksheets[0] for book in (shown, made)]
        for sheet in sheets:
            sheet.reset_dimensions()  # the file says how large it is, and may be wrong
        pairs = zip(*(sheet.iter_rows(max_col=MOST_COLUMNS + 1) for sheet in sheets), strict=True)
        for number, (values, formulas) in enumerate(pairs, start=1):
            if number > LAST_ROW:
                raise UnreadableTable(_("There is something below row %(row)s: delete it.") % {"row": f"{LAST_ROW:,}"})
            cells = [_cell(number, at, *pair) for at, pair in enumerate(zip(values, formulas, strict=True), start=1)]
            yield Row(number, _within(number, cells))
    except BROKEN as error:
        if isinstance(error, UnreadableTable):
            raise
        raise UnreadableTable(_("The file is no workbook that can be read: save it again as .xlsx.")) from error


def _within[C](number: int, cells: Sequence[C]) -> tuple[C, ...]:
    if any(cell is not None for cell in cells[MOST_COLUMNS:]):
        raise UnreadableTable(
            _("Row %(row)s has more than %(columns)s columns.") % {"row": number, "columns": MOST_COLUMNS}
        )
    return tuple(cells[:MOST_COLUMNS])


def _check_parts(raw: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            parts = archive.infolist()
    except BROKEN as error:
        raise UnreadableTable(_("The file is broken: save it again as .xlsx.")) from error
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED_BYTES:
        raise UnreadableTable(_("The file is too large once it is unpacked: split it, or save only its values."))
    names = [part.filename.lower() for part in parts]
    if any("vbaproject" in name or "macrosheets" in name or "activex" in name for name in names):
        raise UnreadableTable(_("The file has macros: save it as .xlsx, without them."))
    if "xl/workbook.xml" not in names:
        raise UnreadableTable(_("The file is no Excel workbook: save it as .xlsx or .csv."))


def _cell(row: int, column: int, shown: object, made: object) -> Value | UnreadableCell:
    place = f"{get_column_letter(column)}{row}"
    value, kind = getattr(shown, "value", None), getattr(made, "data_type", "n")
    if getattr(shown, "data_type", "n") == "e":
        return UnreadableCell(_("Cell %(cell)s shows the error %(error)s.") % {"cell": place, "error": value})
    if value is None and kind == "f":
        return UnreadableCell(
            _("Cell %(cell)s is a formula without a result: save the file with its values.") % {"cell": place}
        )
    return _value(value, place)


def _value(value: object, place: str) -> Value | UnreadableCell:
    match value:
        case None | bool() | int():
            return value
        case float():
            # Excel keeps 15 digits: 0.1 + 0.2 shows as 0.3.
            return Decimal(format(value, ".15g"))
        case datetime():
            return value.date() if value.time() == value.min.time() else value.isoformat()
        case date():
            return value
        case str():
            return value.strip() or None
    return UnreadableCell(_("Cell %(cell)s holds neither text, nor a number, nor a date.") % {"cell": place})


def _read_csv(raw: bytes) -> Iterator[Row]:
    if b"\0" in raw:
        raise UnreadableTable(_("The file is neither .xlsx nor .csv in UTF-8: save it as one of them."))
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableTable(_("The file is neither .xlsx nor .csv in UTF-8: save it as one of them.")) from error
    first_line = text.partition("\n")[0]
    delimiter = max(",;\t", key=first_line.count)
    try:
        for number, cells in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), start=1):
            yield Row(number, _within(number, _texts(cells)))
    except csv.Error as error:
        raise UnreadableTable(_("The file is no .csv that can be read: %(error)s.") % {"error": error}) from error


def _texts(cells: Sequence[str]) -> tuple[str | None, ...]:
    """The apostrophe that an export puts before what would be a formula goes again."""
    stripped = [cell.strip() for cell in cells]
    return tuple((cell[1:] if cell[:1] == "'" and cell[1:2] in tuple("=+-@") else cell) or None for cell in stripped)
