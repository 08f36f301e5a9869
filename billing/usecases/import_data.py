"""Load organizations and all that belongs to them from lines of JSON."""

from datetime import datetime
from itertools import batched, chain
from typing import Any, BinaryIO

from billing.usecases._imports.catalogue import store_add_on_plans, store_meters
from billing.usecases._imports.decoding import UnreadableLine, decode_line
from billing.usecases._imports.lines import (
    AddOnLine,
    AddOnPlanLine,
    ChargeLine,
    CouponLine,
    CreditGrantLine,
    MeterLine,
    OrganizationLine,
    PaymentLine,
    PriceLine,
    ResourceLine,
    SubOrganizationLine,
    UsageLine,
)
from billing.usecases._imports.organizations import store_organizations
from billing.usecases._imports.prices import store_prices
from billing.usecases._imports.reading import UnreadableFile, read_lines
from billing.usecases._imports.records import store_charges, store_coupons, store_credit_grants, store_payments
from billing.usecases._imports.resources import store_add_ons, store_resources
from billing.usecases._imports.spools import LineSpool, Refusals
from billing.usecases._imports.storing import Importing, Lines, Numbered, Store, Verdicts, store_lines
from billing.usecases._imports.usage import store_usage
from billing.usecases._references import References
from organizations.models import User

LINES_PER_BATCH = 5_000

# One round after the other, each may refer to what the rounds before it stored. Within the first round
# sub-organizations come behind their parents.
ROUNDS: list[tuple[Store, list[type[Any]]]] = [
    (store_organizations, [OrganizationLine, SubOrganizationLine]),
    (store_meters, [MeterLine]),
    (store_add_on_plans, [AddOnPlanLine]),
    (store_coupons, [CouponLine]),
    (store_prices, [PriceLine]),
    (store_resources, [ResourceLine]),
    (store_add_ons, [AddOnLine]),
    (store_charges, [ChargeLine]),
    (store_credit_grants, [CreditGrantLine]),
    (store_usage, [UsageLine]),
    (store_payments, [PaymentLine]),
]


class ImportReport:
    """How many lines were stored and how many were stored before; which were refused and why, in their order."""

    def __init__(self) -> None:
        self.accepted = 0
        self.unchanged = 0
        self.refusals = Refusals()


def import_data(*, stream: BinaryIO, at: datetime, author: User | None = None) -> ImportReport:
    """Load a file in the format of interfaces §2; a bad line never stops the good ones.

    What is referred to may come later in the file. Lines wait on disk for their turn and are then stored batch by
    batch, each in a transaction of its own, so that files of any size need the same memory. `at` is when usage and
    payments are received. `author` answers for the charges, discounts and refills of the file; nobody: the platform.
    """
    report = ImportReport()
    importing = Importing(at, References(), author)
    spools = _sort(stream, report.refusals)
    for store, kinds in ROUNDS:
        postponed: list[Numbered[Any]] = []
        for lines in chain.from_iterable(spools[kind].batches(LINES_PER_BATCH) for kind in kinds):
            entries = [Numbered(number, decode_line(raw)) for number, raw in lines]
            postponed += _take(store_lines(store, entries, importing), report)
        _store_postponed(store, postponed, importing, report)
    return report


def _sort(stream: BinaryIO, refusals: Refusals) -> dict[type[Any], LineSpool]:
    """Read the whole file: every line is kept for its round, or refused."""
    spools = {kind: LineSpool() for _, kinds in ROUNDS for kind in kinds}
    with_parent: set[str] = set()
    try:
        for number, raw in read_lines(stream):
            try:
                line = decode_line(raw)
            except UnreadableLine as error:
                refusals.append(number, str(error))
                continue
            kind: type[Any] = type(line)
            if isinstance(line, OrganizationLine) and (line.parent is not None or line.id in with_parent):
                # Later lines of the same organization stay behind this one.
                with_parent.add(line.id)
                kind = SubOrganizationLine
            spools[kind].append(number, raw)
    except UnreadableFile as error:
        refusals.append(1, str(error))
    return spools


def _store_postponed(store: Store, postponed: Lines, importing: Importing, report: ImportReport) -> None:
    """Try again what other lines may have made room for, as long as that helps."""
    while postponed:
        verdicts = Verdicts()
        for lines in batched(postponed, LINES_PER_BATCH, strict=False):
            verdicts += store_lines(store, lines, importing)
        if len(verdicts.postponed) == len(postponed):
            verdicts.give_up()
        postponed = _take(verdicts, report)


def _take(verdicts: Verdicts, report: ImportReport) -> list[Numbered[Any]]:
    """Add verdicts to the report; return the lines that are to be tried again."""
    report.accepted += verdicts.accepted
    report.unchanged += verdicts.unchanged
    for number, reason, _code in verdicts.rejected:
        report.refusals.append(number, reason)
    return [entry for entry, _ in verdicts.postponed]
