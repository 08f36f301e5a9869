"""Tables to and from files: no text is a formula, no number a text, no broken file an error."""

import contextlib
import csv
import io
import zipfile
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from organizations.spreadsheets import reading
from organizations.spreadsheets.reading import UnreadableCell, UnreadableTable, read_table
from organizations.spreadsheets.writing import Cell, write_csv, write_xlsx

AT = datetime(2026, 10, 31, 12, 30)  # noqa: DTZ001  # files know no zones
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("https://example.org")']


def workbook(*rows: list[Any], macro: bool = False) -> io.BytesIO:
    book, file = Workbook(), io.BytesIO()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    book.save(file)
    if macro:
        with zipfile.ZipFile(file, "a") as archive:
            archive.writestr("xl/vbaProject.bin", b"x")
    file.seek(0)
    return file


@pytest.mark.parametrize("text", FORMULAS)
def test_text_that_looks_like_a_formula_stays_text(text: str) -> None:
    sheet = load_workbook(write_xlsx("List", ["Name"], [[text]])).active
    assert sheet is not None
    cell = sheet["A2"]
    assert cell.data_type == "s"
    assert cell.quotePrefix
    (_header, (written,)) = csv.reader(io.TextIOWrapper(write_csv("List", ["Name"], [[text]]), "utf-8-sig", newline=""))
    assert written == f"'{text}"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Atlas;=1+1", "Atlas;'=1+1"),
        ('Atlas;"=1+1', "Atlas;\"'=1+1"),
        ("Atlas\n=1+1;@SUM(A1)", "Atlas\n'=1+1;'@SUM(A1)"),
        ("Atlas; see below - thanks", "Atlas; see below - thanks"),
    ],
)
def test_where_semicolons_separate_a_text_begins_no_formula_either(text: str, written: str) -> None:
    file = write_csv("List", ["Name", "City"], [["first", text]])
    assert list(csv.reader(io.TextIOWrapper(file, "utf-8-sig", newline="")))[1] == ["first", written]


def test_numbers_stay_numbers_with_their_places() -> None:
    row: list[Cell] = [Decimal("-1234.50"), 3, date(2026, 10, 31), AT, True, None, "Atlas"]
    sheet = load_workbook(write_xlsx("[List]", ["a"] * 7, [row])).active
    assert sheet is not None
    cells = sheet[2]
    assert [cell.value for cell in cells][:2] == [-1234.5, 3]
    assert cells[0].number_format == "#,##0.00"
    assert str(cells[2].value) == "2026-10-31 00:00:00"
    written = write_csv("List", ["a"] * 7, [row]).read().decode("utf-8-sig").splitlines()[1]
    assert written == "-1234.50,3,2026-10-31,2026-10-31 12:30:00,true,,Atlas"


@given(st.text(max_size=60))
def test_any_text_comes_back_from_a_csv_and_never_as_a_formula(text: str) -> None:
    raw = write_csv("List", ["Name"], [[text]]).read().decode("utf-8-sig", errors="replace")
    cell = next(iter(list(csv.reader(io.StringIO(raw, newline="")))[1:]), [""])[0]
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


@example("\x1f")
@example("\ufffe")
@given(st.text(max_size=60))
def test_any_text_can_be_written_to_a_workbook(text: str) -> None:
    assert write_xlsx(text, [text], [[text]]).read(4) == b"PK\x03\x04"


# --- Reading ----------------------------------------------------------------------------------------------------------


def test_cells_have_the_value_that_they_show() -> None:
    rows = read_table(workbook(["a", "b", "c", "d", "e"], [0.1 + 0.2, 3, date(2026, 10, 31), " x ", True]))
    assert rows[1].number == 2
    assert rows[1].cells[:5] == (Decimal("0.3"), 3, date(2026, 10, 31), "x", True)


def test_a_formula_without_a_result_and_an_error_are_named_with_their_cell() -> None:
    rows = read_table(workbook(["a", "b"], ["=1+1", "#N/A"]))
    first, second = rows[1].cells[:2]
    assert first == UnreadableCell("Cell A2 is a formula without a result: save the file with its values.")
    assert second == UnreadableCell("Cell B2 shows the error #N/A.")


def test_empty_rows_are_left_out_and_numbers_stay() -> None:
    assert [row.number for row in read_table(workbook(["a"], [None], ["x"]))] == [1, 3]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_csv_may_be_separated_as_excel_does_anywhere(delimiter: str) -> None:
    rows = read_table(io.BytesIO(f'a{delimiter}b\r\n"x\ny"{delimiter}\'=1'.encode("utf-8-sig")))
    assert rows[1].cells == ("x\ny", "=1")


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (io.BytesIO(b""), "empty"),
        (io.BytesIO(b"\xd0\xcf\x11\xe0" + b"x" * 100), "has a password"),
        (io.BytesIO(b"PK\x03\x04 not a zip"), "broken"),
        (workbook(["a"], macro=True), "has macros"),
        (io.BytesIO("é".encode("utf-16")), "UTF-8"),
        (io.BytesIO("é".encode("latin-1")), "UTF-8"),
        (io.BytesIO(b"\x89PNG\r\n\x1a\n\0"), "UTF-8"),
        (io.BytesIO(b"x" * ((5 << 20) + 1)), "larger than 5 MB"),
        (io.BytesIO(b"a\n" * 5_002), "more than 5,000 rows"),
        (io.BytesIO(b"," * 61 + b"x"), "more than 60 columns"),
        (io.BytesIO(b'"' + b"x" * 200_000 + b'"'), "no .csv that can be read"),
    ],
)
def test_what_is_no_table_is_refused_with_a_sentence(file: io.BytesIO, reason: str) -> None:
    with pytest.raises(UnreadableTable, match=reason):
        read_table(file)


def zipped(**parts: bytes) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml"), content)
    file.seek(0)
    return file


def test_a_document_and_a_bomb_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnreadableTable, match="no Excel workbook"):
        read_table(zipped(word__document_xml=b"<x/>"))
    with pytest.raises(UnreadableTable, match="too large once it is unpacked"):
        read_table(zipped(xl__workbook_xml=b"0" * (65 << 20)))
    monkeypatch.setattr(reading, "LAST_ROW", 5)
    with pytest.raises(UnreadableTable, match="below row 5"):
        read_table(workbook(["a"], *[[None]] * 6, ["x"]))


@pytest.mark.parametrize(
    "part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/styles.xml", "[Content_Types].xml"]
)
@pytest.mark.parametrize("content", [b"", b"<x", b"<x/>", b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'])
def test_a_workbook_with_a_broken_part_is_refused_or_read(part: str, content: bytes) -> None:
    broken = io.BytesIO()
    with zipfile.ZipFile(workbook(["a"], ["x"])) as whole, zipfile.ZipFile(broken, "w") as archive:
        for name in whole.namelist():
            archive.writestr(name, content if name == part else whole.read(name))
    broken.seek(0)
    with contextlib.suppress(UnreadableTable):
        read_table(broken)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    for head in (b"", b"PK\x03\x04"):
        with contextlib.suppress(UnreadableTable):
            read_table(io.BytesIO(head + raw))
