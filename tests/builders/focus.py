"""Reading what `export_focus` writes, and comparing it with the documents."""

import csv
from decimal import Decimal
from io import StringIO

from django.core.management import call_command

from billing.models import Invoice

type Row = dict[str, str]


def export_focus(month: str = "2026-10", *options: str) -> list[Row]:
    """The rows of the command's file, by column."""
    return list(csv.DictReader(StringIO(focus_file(month, *options))))


def focus_file(month: str = "2026-10", *options: str) -> str:
    """The command's output as it is."""
    out = StringIO()
    call_command("export_focus", month, *options, stdout=out)
    return out.getvalue()


def billed_by_document(rows: list[Row]) -> dict[str, Decimal]:
    """The sum of BilledCost per invoice or credit note."""
    sums: dict[str, Decimal] = {}
    for row in rows:
        sums[row["InvoiceId"]] = sums.get(row["InvoiceId"], Decimal(0)) + Decimal(row["BilledCost"])
    return sums


def totals_of(month: str) -> dict[str, Decimal]:
    """What the issued documents of a month ask for; credit notes are negative."""
    issued = Invoice.objects.filter(document_state="issued", consumption_month=f"{month}-01")
    return {
        str(row.number): Decimal(-row.total_cents if row.kind == "credit_note" else row.total_cents).scaleb(-2)
        for row in issued
    }
