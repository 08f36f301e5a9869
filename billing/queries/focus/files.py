"""The dataset as a file: all of it, or none."""

from collections.abc import Iterable
from tempfile import SpooledTemporaryFile
from typing import IO, NamedTuple

from billing.queries.focus.columns import FocusRow, csv_header, csv_line

CONTENT_TYPE = "text/csv; charset=utf-8"
IN_MEMORY_BYTES = 2**24


class FocusFile(NamedTuple):
    """A file at its beginning, and how many rows it has below its header."""

    file: IO[bytes]
    rows: int


def focus_file(rows: Iterable[FocusRow]) -> FocusFile:
    """Write the rows to a file apart, so that nothing is given out until every document is known to be whole.

    Raises FocusMismatch.
    """
    spool = SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115  # whoever reads it closes it
    try:
        number = 0
        spool.write(csv_header().encode())
        for row in rows:
            spool.write(csv_line(row).encode())
            number += 1
    except BaseException:
        spool.close()
        raise
    spool.seek(0)
    return FocusFile(spool, number)
