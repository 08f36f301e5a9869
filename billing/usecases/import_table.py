"""Load prices, charges or organizations from a table that somebody filled in, under the rules of `import_data`."""

from datetime import datetime
from io import BytesIO
from typing import BinaryIO

from django.db import transaction

from billing.usecases._events import NewEvent, record_event
from billing.usecases._permissions import require
from billing.usecases._tables import Lines, columns_of, lines_of
from billing.usecases._transactions import run_in_transaction
from billing.usecases.import_data import ImportReport, import_data
from organizations.models import User
from organizations.spreadsheets.reading import UnreadableTable, read_table

__all__ = ["PERMISSIONS", "ImportReport", "Lines", "UnreadableTable", "columns_of", "import_table", "read_lines"]

MODELS = {"price": "billing.price", "charge": "billing.charge", "organization": "organizations.organization"}
PERMISSIONS = {
    "price": ("billing.add_price",),
    "charge": ("billing.add_charge",),
    "organization": (
        *("organizations.add_organization", "organizations.change_organization"),
        *("organizations.add_billingprofile", "organizations.change_billingprofile"),
    ),
}


def read_lines(*, kind: str, file: BinaryIO) -> Lines:
    """Read a file into lines of the import format, one per row. Raises UnreadableTable."""
    lines = lines_of(kind, read_table(file))
    if not lines.refusals and not lines.raw.strip():
        raise UnreadableTable("The file has a header and no row below it.")
    return lines


def import_table(
    *, kind: str, lines: Lines, file_name: str, is_rehearsal: bool, actor: User | None, at: datetime
) -> ImportReport:
    """Store what the rows say, or only tell what would become of each; refusals have the numbers of the rows.

    A rehearsal stores everything and takes it back, so that both say the same. Raises NotAllowed.
    """
    for permission in PERMISSIONS[kind]:
        require(actor, permission)

    def work() -> ImportReport:
        report = import_data(stream=BytesIO(lines.raw), at=at, author=actor)
        for number, reason in lines.refusals:
            report.refusals.append(number, reason)
        if is_rehearsal:
            transaction.set_rollback(True)
        else:
            values = {
                "model": MODELS[kind],
                "name": file_name,
                "accepted": report.accepted,
                "unchanged": report.unchanged,
                "rejected": len(report.refusals),
            }
            record_event(NewEvent("list.imported", values=values), actor=actor, at=at)
        return report

    return run_in_transaction(work)
