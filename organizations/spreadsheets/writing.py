"""Rows of a list to a file that Excel opens: numbers stay numbers, and no text is ever a formula.

A cell that begins with = + - @, a tab or a line break would be computed by whoever opens the file. In .xlsx such text
is stored as text, marked as the apostrophe of Excel does; in .csv, which has no types, it begins with an apostrophe.
Where lists are separated by semicolons (in French, say), Excel begins a cell behind each semicolon, tab and line break
of a .csv, whatever is quoted: there, too.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from tempfile import SpooledTemporaryFile
from typing import IO

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

type Cell = str | int | Decimal | date | bool | None
"""Times are without offset, in the zone of whoever reads them: Excel knows no zones."""

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
IN_MEMORY_BYTES = 1 << 20
WIDTH = 18
BOLD = Font(bold=True)
_INNER_FORMULA = re.compile(r'(?s)(;"*|(?<=.)[\t\r\n]"*)(?=[=+\-@])')
_NOT_IN_XML = re.compile(r"[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_FORBIDDEN_IN_TITLES = re.compile(rf"[\[\]:*?/\\]|{_NOT_IN_XML.pattern}")


def write_xlsx(title: str, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> IO[bytes]:
    """Write a workbook of one sheet; amounts are decimals with the number of places they are given with."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(_FORBIDDEN_IN_TITLES.sub(" ", title)[:31] or "1")
    sheet.freeze_panes = "A2"
    for number in range(1, len(header) + 1):
        sheet.column_dimensions[get_column_letter(number)].width = WIDTH
    names = [_text_cell(sheet, name) for name in header]
    for cell in names:
        cell.font = BOLD
    sheet.append(names)
    write = _RowWriter(sheet)
    for row in rows:
        sheet.append(write.cells(row))
    file: IO[bytes] = SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115  # closed by who reads it
    book.save(file)
    file.seek(0)
    return file


class _RowWriter:
    """Types the values of rows. A format is most of what a cell costs, so each column keeps its cell for all rows."""

    def __init__(self, sheet: object) -> None:
        self._sheet = sheet
        self._cells: dict[tuple[int, str], WriteOnlyCell] = {}

    def cells(self, row: Sequence[Cell]) -> list[object]:
        """The row as it is to be appended, before the next one is asked for."""
        return [self._cell(at, value) for at, value in enumerate(row)]

    def _cell(self, at: int, value: Cell) -> object:
        if isinstance(value, str):
            text = _NOT_IN_XML.sub("", value)
            return _text_cell(self._sheet, text) if text.startswith(FORMULA_STARTS) else text or None
        number_format = _format_of(value)
        if not number_format:
            return value
        cell = self._cells.get((at, number_format))
        if cell is None:
            cell = self._cells[at, number_format] = WriteOnlyCell(self._sheet, value)
            cell.number_format = number_format
        cell._value = value  # the setter would look for a format of its own
        return cell


def _format_of(value: Cell) -> str:
    match value:
        case Decimal():
            decimals = max(0, -int(value.as_tuple().exponent))
            return f"#,##0.{'0' * decimals}" if decimals else "#,##0"
        case datetime():
            return "yyyy-mm-dd hh:mm:ss"
        case date():
            return "yyyy-mm-dd"
    return ""


def _text_cell(sheet: object, text: str) -> WriteOnlyCell:
    cell = WriteOnlyCell(sheet, _NOT_IN_XML.sub("", text))
    cell.data_type = "s"
    if text.startswith(FORMULA_STARTS):
        cell.quotePrefix = True
    return cell


def write_csv(title: str, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> IO[bytes]:
    """Write UTF-8 with a byte order mark, by which Excel knows it."""
    file: IO[bytes] = SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115  # closed by who reads it
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow([_plain(name) for name in header])
    for row in rows:
        writer.writerow([_plain(value) for value in row])
    text.flush()
    text.detach()
    file.seek(0)
    return file


def _plain(value: Cell) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            text = _INNER_FORMULA.sub(r"\1'", value.replace("\0", ""))
            return f"'{text}" if text.startswith(FORMULA_STARTS) else text
        case Decimal():
            return format(value, "f")
        case datetime():
            return value.isoformat(" ", "seconds")
        case date():
            return value.isoformat()
    return str(value)


WRITERS: dict[str, Callable[[str, Sequence[str], Iterable[Sequence[Cell]]], IO[bytes]]] = {
    "xlsx": write_xlsx,
    "csv": write_csv,
}
CONTENT_TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}
