"""Issue a month's drafts: recompute under the account's lock, number, date, book the credits, freeze."""

import logging
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from itertools import batched

import msgspec
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import QuerySet
from msgspec import Struct

from billing.domain.assembly import Draft
from billing.domain.facts import Reason
from billing.domain.lifecycle import DocumentState, PaymentState
from billing.domain.numbering import render_number
from billing.domain.periods import Month
from billing.models import AddOn, Charge, CloseOutcome, CreditEntry, CreditGrant, Invoice, LegalEntity, NumberSeries
from billing.queries.accounts import Scope
from billing.queries.among import among
from billing.queries.months import local_day
from billing.queries.parties import buyer_snapshots, seller_snapshot
from billing.usecases._bulk import bulk_change, bulk_write
from billing.usecases._close_batch import Result, clear_flags, compute_batch, write_batch
from billing.usecases._collector import collector_paused
from billing.usecases._ledger import book_entries
from billing.usecases._runs import get_close
from organizations.models import Organization

BATCH_SIZE = 500

log = logging.getLogger(__name__)


class UnableToIssue(Exception):
    """Nothing can be issued as asked; the message says why and what to do."""


class NotIssued(Struct, frozen=True):
    """An organization whose month was not issued, and why."""

    external_id: str
    name: str
    reason: Reason


class IssueReport(Struct):
    """What was issued, by number, and what was not."""

    numbers: list[str] = []
    not_issued: list[NotIssued] = []

    def add(self, other: "IssueReport") -> None:
        """Count what another part of the run issued, and what it did not."""
        self.numbers += other.numbers
        self.not_issued += other.not_issued


class _Issued(Struct, frozen=True):
    invoice_id: int
    result: Result
    draft: Draft
    counter: int


def issue_invoices(
    *,
    month: Month,
    at: datetime,
    issue_date: date | None = None,
    organization_ids: Sequence[str] | None = None,
) -> IssueReport:
    """Issue the drafts of a consumption month, of everybody or of the organizations with these public ids.

    Each batch is one transaction: numbers have no gap whatever happens to it. The date defaults to the day of `at`.
    Drafts that cannot be computed any more stay what they are and are named in the report.

    Raises UnableToIssue for a date in the future or before the last one of the series, and for an unknown id.
    """
    today = local_day(at)
    issue_date = issue_date or today
    if issue_date > today:
        raise UnableToIssue(f"The issue date {issue_date} is in the future: use {today} or an earlier day.")
    _check_order(NumberSeries.objects.filter(kind=NumberSeries.Kind.INVOICE), issue_date)
    outcomes = CloseOutcome.objects.filter(month=month.first_day).exclude(kind="on_parent")
    if organization_ids is not None:
        outcomes = outcomes.filter(organization__in=_payers_of(month, organization_ids))
    report = IssueReport(not_issued=_blocked(outcomes))
    ready = outcomes.filter(kind="invoice", invoice__document_state=DocumentState.DRAFT)
    payer_ids = list(ready.order_by("organization_id").values_list("organization_id", flat=True))
    for chunk in batched(payer_ids, BATCH_SIZE, strict=False):
        report.add(_issue(month, chunk, issue_date, at))
    report.not_issued.sort(key=lambda refused: refused.external_id)
    return report


def _check_order(series: QuerySet[NumberSeries], issue_date: date) -> None:
    for template, last_date in series.values_list("template", "last_date"):
        if last_date is not None and issue_date < last_date:
            raise UnableToIssue(
                f"The issue date {issue_date} lies before {last_date}, the last one of the series {template}."
            )


def _payers_of(month: Month, external_ids: Sequence[str]) -> list[int]:
    """Who pays for the organizations in a closed month; a sub-organization stands for its payer."""
    found = dict(Organization.objects.filter(external_id__in=external_ids).values_list("external_id", "id"))
    unknown = [external_id for external_id in external_ids if external_id not in found]
    if unknown:
        raise UnableToIssue(f"Unknown organization: {', '.join(unknown)}.")
    outcomes = CloseOutcome.objects.filter(month=month.first_day, organization__in=found.values())
    return list(outcomes.values_list("payer_id", flat=True))


def _blocked(outcomes: QuerySet[CloseOutcome]) -> list[NotIssued]:
    rows = outcomes.filter(kind="blocked").values_list(
        "organization__external_id", "organization__name", "reason_code", "reason_values"
    )
    return [NotIssued(external_id, name, Reason(code, values)) for external_id, name, code, values in rows]


def _issue(month: Month, payer_ids: Sequence[int], issue_date: date, at: datetime) -> IssueReport:
    """Issue a batch at once; if that fails, invoice by invoice, so that one cannot stop the others."""
    try:
        return _issue_batch(month, payer_ids, issue_date, at)
    except (OperationalError, InterfaceError, UnableToIssue):
        raise
    except Exception as error:
        log.exception("Invoices of %s organizations from %s on could not be issued", len(payer_ids), payer_ids[0])
        if len(payer_ids) == 1:
            return IssueReport(not_issued=[_failed(payer_ids[0], error)])
    report = IssueReport()
    for payer_id in payer_ids:
        report.add(_issue(month, [payer_id], issue_date, at))
    return report


def _failed(payer_id: int, error: Exception) -> NotIssued:
    payer = Organization.objects.get(pk=payer_id)
    reason = Reason("unexpected_error", {"error": f"{type(error).__name__}: {error}"[:300]})
    return NotIssued(payer.external_id, payer.name, reason)


@collector_paused()
@transaction.atomic
def _issue_batch(month: Month, payer_ids: Sequence[int], issue_date: date, at: datetime) -> IssueReport:
    batch = compute_batch(month, Scope(ids=payer_ids), tax_date=issue_date, lock=True)
    invoice_ids = write_batch(batch, close_id=get_close(month).pk, at=at)
    drafts = [result for result in batch.results if isinstance(result.assembled, Draft)]
    not_issued = [
        NotIssued(result.account.external_id, result.account.name, result.assembled.reason)
        for result in batch.results
        if not isinstance(result.assembled, Draft)
    ]
    series = NumberSeries.objects.select_for_update().get(
        legal_entity=batch.loaded.seller, kind=NumberSeries.Kind.INVOICE
    )
    _check_order(NumberSeries.objects.filter(pk=series.pk), issue_date)
    issued = [
        _Issued(invoice_ids[result.account.id], result, result.assembled, counter)
        for counter, result in enumerate(drafts, start=series.last_counter + 1)
        if isinstance(result.assembled, Draft)
    ]
    numbers = _freeze(issued, batch.loaded.seller, series, issue_date, at)
    book_entries([entry for document in issued for entry in _entries(document, at)])
    _sell_credits(issued, at)
    _take_charges_and_add_ons(issued)
    clear_flags(batch, {document.result.account.id for document in issued})
    if issued:
        series.last_counter, series.last_date = issued[-1].counter, issue_date
        series.save(update_fields=("last_counter", "last_date"))
    return IssueReport(numbers, not_issued)


def _freeze(
    issued: Sequence[_Issued], seller: LegalEntity, series: NumberSeries, issue_date: date, at: datetime
) -> list[str]:
    """Give the documents their numbers, dates and copies of the parties; what costs nothing is settled at once."""
    payer_ids = [document.result.account.id for document in issued]
    buyers = buyer_snapshots(payer_ids)
    payers = Organization.objects.filter(among("id", payer_ids))
    terms = dict(payers.values_list("id", "payment_term_days"))
    seller_json = _json(seller_snapshot(seller))
    numbers = [render_number(series.template, date=issue_date, counter=document.counter) for document in issued]
    bulk_change(
        connection,
        Invoice._meta.db_table,
        (
            "id",
            "document_state",
            "payment_state",
            "number",
            "counter",
            "issue_date",
            "due_date",
            "seller",
            "buyer",
            "issued_at",
        ),
        (
            (
                document.invoice_id,
                DocumentState.ISSUED.value,
                (PaymentState.PENDING if document.draft.total_cents else PaymentState.PAID).value,
                number,
                document.counter,
                issue_date,
                issue_date + timedelta(days=terms[payer_id]),
                seller_json,
                _json(buyers[payer_id]),
                at,
            )
            for payer_id, document, number in zip(payer_ids, issued, numbers, strict=True)
        ),
    )
    return numbers


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _entries(document: _Issued, at: datetime) -> Iterable[CreditEntry]:
    month = document.result.facts.month.first_day
    movements = ((CreditEntry.Kind.USE, document.draft.used), (CreditEntry.Kind.EXPIRY, document.draft.expired))
    for kind, taken in movements:
        for grant_id, cents in taken:
            yield CreditEntry(
                grant_id=grant_id,
                kind=kind,
                amount_cents=-cents,
                month=month,
                invoice_id=document.invoice_id,
                booked_at=at,
            )


def _sell_credits(issued: Sequence[_Issued], at: datetime) -> None:
    """The provisions: prepaid credits, pending until their invoice is fully paid."""
    bulk_write(
        connection,
        CreditGrant._meta.db_table,
        (
            "organization_id",
            "type",
            "state",
            "amount_cents",
            "remaining_cents",
            "currency",
            "priority",
            "reason",
            "sold_by_id",
            "created_at",
        ),
        (
            (
                document.result.account.id,
                CreditGrant.Type.PREPAID.value,
                CreditGrant.State.PENDING.value,
                document.draft.statement.refill_cents,
                0,
                document.result.facts.terms.currency,
                0,
                "",
                document.invoice_id,
                at,
            )
            for document in issued
            if document.draft.statement.refill_cents
        ),
    )


def _take_charges_and_add_ons(issued: Sequence[_Issued]) -> None:
    bulk_change(
        connection,
        Charge._meta.db_table,
        ("id", "invoice_id"),
        ((id_, document.invoice_id) for document in issued for id_ in document.draft.charge_ids),
    )
    bulk_change(
        connection,
        AddOn._meta.db_table,
        ("id", "billed_until"),
        (billed_until for document in issued for billed_until in document.draft.add_ons_billed_until),
    )
