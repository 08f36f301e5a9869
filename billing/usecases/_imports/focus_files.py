"""A FOCUS dataset as rows: bytes of a CSV file to values by column, one row in memory at a time."""

import codecs
import csv
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from billing.usecases._imports.reading import MAX_LINE_BYTES, UnreadableFile

REQUIRED = (
    "BillingAccountId",
    "BilledCost",
    "BillingCurrency",
    "ChargeCategory",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ListCost",
    "ProviderName",
    "ServiceName",
)
NULLS = {"", "NULL"}

type Values = dict[str, str]
"""A row by column, without what is null."""


class UnreadableRow(NamedTuple):
    """Why a row is none."""

    reason: str


def read_rows(stream: BinaryIO) -> Iterator[tuple[int, Values | UnreadableRow]]:
    """Give each row with the number of the line on which it ends. Raises UnreadableFile for a file that is none."""
    reader = csv.reader(_lines(stream), strict=True)
    columns = _header(reader)
    while True:
        first_line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            reason = f"{_sentence(error)} Nothing of lines {first_line} to {reader.line_num} was read."
            yield reader.line_num, UnreadableRow(reason)
            continue
        if cells is None:
            return
        if cells:
            yield reader.line_num, _values(columns, cells)


def _lines(stream: BinaryIO) -> Iterator[str]:
    """The lines as text. What is not UTF-8 becomes halves of characters, which no row may have."""
    is_first = True
    while raw := stream.readline(MAX_LINE_BYTES + 1):
        if is_first:
            if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                raise UnreadableFile("The file is in UTF-16: save it as UTF-8.")
            raw, is_first = raw.removeprefix(codecs.BOM_UTF8), False
        yield raw.decode(errors="surrogateescape")


def _header(reader: Iterator[list[str]]) -> list[str]:
    try:
        columns = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise UnreadableFile(_sentence(error)) from error
    if missing := [name for name in REQUIRED if name not in columns]:
        raise UnreadableFile(f"This is no FOCUS dataset: the columns {', '.join(missing)} are missing.")
    if doubled := sorted({name for name in columns if name and columns.count(name) > 1}):
        raise UnreadableFile(f"The column {doubled[0]:.60} is there twice.")
    return columns


def _values(columns: list[str], cells: list[str]) -> Values | UnreadableRow:
    if len(cells) != len(columns):
        return UnreadableRow(f"The row has {len(cells)} values, the header has {len(columns)} columns.")
    values = {column: cell for column, cell in zip(columns, cells, strict=True) if cell.strip() not in NULLS}
    joined = "".join(values.values())
    if "\0" in joined:
        return UnreadableRow("The row holds a NUL character.")
    if not joined.isascii() and any("\ud800" <= character <= "\udfff" for character in joined):
        return UnreadableRow("The row is not UTF-8: save the file in that encoding.")
    return values


def _sentence(error: csv.Error) -> str:
    return f"The line is no CSV: {error}."
