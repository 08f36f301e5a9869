"""Take in what organizations consumed at another provider, from its cost dataset (FOCUS).

The decision: **vendor consumption is usage.** A row becomes a usage record of a meter `vendor:<provider>`, with its
list cost as quantity, on a resource that stands for the provider's service in that organization; the meter costs 1.00
per unit of currency. So rating, tiers of nobody, credits, discounts, late usage, closes, corrections and `verify` are
those of all usage, and finance changes what is charged (a margin, a rebate for one customer) with an ordinary price.

    row: ListCost 0.00001605990 USD ─┬─> usage record: 16.0599 millionths of the meter vendor:AWS     what is billed
                                     └─> vendor charge: every value of the row, as text               what it was
    invoice: one line per organization, provider and service of it, rounded once

Readers tell it from other usage by the category of its meter, `vendor`: the meter names the provider, the resource its
service, the organization whose it is.

What holds:

- Costs are exact: trillionths of the currency unit. A cost that is not a multiple of them is refused, never rounded.
- The same file again changes nothing, nor does a longer one that repeats it, in whatever order. A row is told by
  everything but its figures, names and tags; a second one with another cost is refused (`different_content`), in the
  same file or a later one: nobody can tell a correction from a further charge, so nothing is billed twice.
- A usage record and its vendor charge are stored together, or neither is.
- The organization is that of the SubAccountId where there is one, else of the BillingAccountId, by identifier or by
  the map that was given. A sub account's organization is billed on the invoice of the billing account's.
- A charge period that crosses one of our months is split in proportion to time, as all usage is.
- Credits, taxes, corrections, what is negative, and a reseller's own commitments are refused with a reason.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import batched
from typing import BinaryIO

from django.db import DataError, IntegrityError

from billing.usecases._imports.focus_files import UnreadableRow, Values, read_rows
from billing.usecases._imports.reading import UnreadableFile
from billing.usecases._imports.storing import Rejected, Verdicts
from billing.usecases._imports.vendor_charges import store_vendor_charges
from billing.usecases._imports.vendor_rows import RefusedRow, VendorRow, accounts_of, check_row
from billing.usecases._references import References
from billing.usecases._transactions import run_in_transaction
from billing.usecases._usage_partitions import forget_partitions
from billing.usecases.import_data import ImportReport

ROWS_PER_BATCH = 2_000

type Numbered = tuple[int, Values | UnreadableRow]


def import_vendor_usage(*, stream: BinaryIO, accounts: Mapping[str, str], at: datetime) -> ImportReport:
    """Load a FOCUS dataset (CSV, UTF-8); a bad row never stops the good ones.

    `accounts` names the organization of accounts that are not called like one. Rows are read and stored batch by
    batch, each in a transaction of its own, so that files of any size need the same memory.
    """
    report, references = ImportReport(), References()
    try:
        for batch in batched(read_rows(stream), ROWS_PER_BATCH, strict=False):
            rows = list(_good_rows(batch, accounts, references, report))
            _take(_store(rows, at, references), report)
    except UnreadableFile as error:
        report.refusals.append(1, f"unreadable: {error}")
    return report


def _good_rows(
    batch: tuple[Numbered, ...], accounts: Mapping[str, str], references: References, report: ImportReport
) -> Iterator[VendorRow]:
    readable = [values for _, values in batch if not isinstance(values, UnreadableRow)]
    named = {accounts.get(name, name) for values in readable for name in accounts_of(values)}
    owners = references.organizations(named)
    for number, values in batch:
        if isinstance(values, UnreadableRow):
            report.refusals.append(number, f"unreadable: {values.reason}")
            continue
        try:
            row = check_row(number, values, accounts, owners)
        except RefusedRow as refusal:
            report.refusals.append(number, str(refusal))
        else:
            yield row


def _store(rows: list[VendorRow], at: datetime, references: References) -> Verdicts:
    """Store a batch; when the database refuses it, halve it until only the row that is to blame is left out."""
    if not rows:
        return Verdicts()

    def forget() -> None:
        references.forget()
        forget_partitions()

    try:
        return run_in_transaction(lambda: store_vendor_charges(rows, at=at, references=references), before_retry=forget)
    except (IntegrityError, DataError) as error:
        forget()
        if len(rows) == 1:
            return Verdicts(rejected=[Rejected(rows[0].number, f"refused: The database refuses it: {error}")])
    half = len(rows) // 2
    return _store(rows[:half], at, references) + _store(rows[half:], at, references)


def _take(verdicts: Verdicts, report: ImportReport) -> None:
    report.accepted += verdicts.accepted
    report.unchanged += verdicts.unchanged
    for number, reason, _ in verdicts.rejected:
        report.refusals.append(number, reason)
