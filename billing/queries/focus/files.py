"""The dataset as a file: all of it, or none."""

from collections.abc import Iterable
from itertools import chain
from tempfile import SpooledTemporaryFile
from typing import IO

from billing.queries.focus.columns import FocusRow, csv_header, csv_line

CONTENT_TYPE = "text/csv; charset=utf-8"
IN_MEMORY_BYTES = 2**24


def focus_file(rows: Iterable[FocusRow]) -> IO[bytes]:
    """Write the rows to a file apart, so that nothing is given out until every document is known to be whole.

    The file is at its beginning. Raises FocusMismatch.
    """
    spool = SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115  # whoever reads it closes it
    try:
        spool.writelines(line.encode() for line in chain([csv_header()], map(csv_line, rows)))
    except BaseException:
        spool.close()
        raise
    spool.seek(0)
    return spool
