"""Issue a month's drafts: recompute under the account's lock, number, date, book the credits, freeze."""

import logging
from collections.abc import Sequence
from datetime import date, datetime
from itertools import batched

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import QuerySet
from msgspec import Struct

from billing.domain.assembly import Draft
from billing.domain.facts import Reason
from billing.domain.lifecycle import DocumentState
from billing.domain.periods import Month
from billing.models import CloseOutcome, NumberSeries
from billing.queries.accounts import Scope
from billing.queries.months import local_day
from billing.usecases._archive import await_rendering
from billing.usecases._close_batch import Result, clear_flags, compute_batch, write_batch
from billing.usecases._collector import collector_paused
from billing.usecases._events import NewEvent, record_events
from billing.usecases._issuing import Issued, book_issued, freeze
from billing.usecases._issuing_gate import pass_gate
from billing.usecases._permissions import require
from billing.usecases._price_gate import hold_prices
from billing.usecases._runs import get_close, unexpected
from billing.usecases._sealing import seal
from billing.usecases._webhooks import announce_documents
from organizations.models import Organization, User

BATCH_SIZE = 1_000

log = logging.getLogger(__name__)


class UnableToIssue(Exception):
    """Nothing can be issued as asked; the message says why and what to do."""


class DateOvertaken(UnableToIssue):
    """Meanwhile a document with a later date was issued in the series."""

    def __init__(self, issue_date: date, last_date: date, template: str) -> None:
        super().__init__(f"The issue date {issue_date} lies before {last_date}, the last one of the series {template}.")
        self.reason = Reason("issue_date_overtaken", {"day": issue_date.isoformat(), "last": last_date.isoformat()})


class NotIssued(Struct, frozen=True):
    """An organization whose month was not issued, and why."""

    payer_id: int
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


def issue_invoices(
    *,
    month: Month,
    at: datetime,
    issue_date: date | None = None,
    organization_ids: Sequence[str] | None = None,
    actor: User | None = None,
) -> IssueReport:
    """Issue the drafts of a consumption month, of everybody or of the organizations with these public ids.

    Each batch is one transaction: numbers have no gap whatever happens to it. The date defaults to the day of `at`.
    Drafts that cannot be computed any more, or that may not be issued (see `_issuing_gate`), stay what they are and
    are named in the report.

    Raises NotAllowed, and UnableToIssue for a date in the future or before the last one of the series, and for an
    unknown id.
    """
    require(actor, "billing.issue_invoice")
    today = local_day(at)
    issue_date = issue_date or today
    if issue_date > today:
        raise UnableToIssue(f"The issue date {issue_date} is in the future: use {today} or an earlier day.")
    _check_order(NumberSeries.objects.filter(kind=NumberSeries.Kind.INVOICE), issue_date)
    outcomes = CloseOutcome.objects.filter(month=month.first_day).exclude(kind="on_parent")
    report = IssueReport()
    if organization_ids is None:
        report.not_issued += _with_reasons(outcomes.filter(kind="blocked"))
    else:
        chosen = _find(organization_ids)
        outcomes = outcomes.filter(organization__in=_payers_of(month, chosen))
        report.not_issued += [*_not_closed(month, chosen), *_with_reasons(outcomes.exclude(kind="invoice"))]
    ready = outcomes.filter(kind="invoice", invoice__document_state=DocumentState.DRAFT)
    payer_ids = list(ready.order_by("organization_id").values_list("organization_id", flat=True))
    for chunk in batched(payer_ids, BATCH_SIZE, strict=False):
        report.add(issue_payers(month=month, payer_ids=chunk, issue_date=issue_date, actor=actor, at=at))
    report.not_issued.sort(key=lambda refused: refused.external_id)
    return report


def _check_order(series: QuerySet[NumberSeries], issue_date: date) -> None:
    for template, last_date in series.values_list("template", "last_date"):
        if last_date is not None and issue_date < last_date:
            raise DateOvertaken(issue_date, last_date, template)


def _find(external_ids: Sequence[str]) -> list[Organization]:
    found = {row.external_id: row for row in Organization.objects.filter(external_id__in=external_ids)}
    unknown = [external_id for external_id in external_ids if external_id not in found]
    if unknown:
        raise UnableToIssue(f"Unknown organization: {', '.join(unknown)}.")
    return list(found.values())


def _payers_of(month: Month, organizations: Sequence[Organization]) -> list[int]:
    """Who pays for the organizations in a closed month; a sub-organization stands for its payer."""
    outcomes = CloseOutcome.objects.filter(month=month.first_day, organization__in=organizations)
    return list(outcomes.values_list("payer_id", flat=True))


def _not_closed(month: Month, organizations: Sequence[Organization]) -> list[NotIssued]:
    closed = CloseOutcome.objects.filter(month=month.first_day, organization__in=organizations)
    closed_ids = set(closed.values_list("organization_id", flat=True))
    reason = Reason("month_not_closed", {"month": str(month)})
    return [NotIssued(row.pk, row.external_id, row.name, reason) for row in organizations if row.pk not in closed_ids]


def _with_reasons(outcomes: QuerySet[CloseOutcome]) -> list[NotIssued]:
    columns = ("organization_id", "organization__external_id", "organization__name", "reason_code", "reason_values")
    return [
        NotIssued(payer_id, external_id, name, Reason(code, values))
        for payer_id, external_id, name, code, values in outcomes.values_list(*columns)
    ]


def issue_payers(
    *, month: Month, payer_ids: Sequence[int], issue_date: date, actor: User | None, at: datetime
) -> IssueReport:
    """Issue a batch at once; if that fails, invoice by invoice, so that one cannot stop the others.

    Raises UnableToIssue for a date before the last one of the series, and then has issued nothing.
    """
    try:
        return _issue_batch(month, payer_ids, issue_date, at, actor)
    except (OperationalError, InterfaceError, UnableToIssue):
        raise
    except Exception as error:
        log.exception("Invoices of %s organizations from %s on could not be issued", len(payer_ids), payer_ids[0])
        if len(payer_ids) == 1:
            return IssueReport(not_issued=[_failed(payer_ids[0], error)])
    report = IssueReport()
    for payer_id in payer_ids:
        report.add(issue_payers(month=month, payer_ids=[payer_id], issue_date=issue_date, actor=actor, at=at))
    return report


def _failed(payer_id: int, error: Exception) -> NotIssued:
    payer = Organization.objects.get(pk=payer_id)
    return NotIssued(payer.pk, payer.external_id, payer.name, unexpected(error))


def _refused(result: Result, reason: Reason) -> NotIssued:
    return NotIssued(result.account.id, result.account.external_id, result.account.name, reason)


@collector_paused()
@transaction.atomic
def _issue_batch(
    month: Month, payer_ids: Sequence[int], issue_date: date, at: datetime, actor: User | None
) -> IssueReport:
    hold_prices()
    computed = compute_batch(month, Scope(ids=payer_ids), tax_date=issue_date, lock=True)
    batch, refused = pass_gate(computed, issue_date=issue_date, actor=actor)
    invoice_ids = write_batch(batch, close_id=get_close(month).pk, at=at)
    drafts = [result for result in batch.results if isinstance(result.assembled, Draft)]
    not_issued = [_refused(result, reason) for result, reason in refused]
    not_issued += [
        _refused(result, result.assembled.reason) for result in batch.results if not isinstance(result.assembled, Draft)
    ]
    series = NumberSeries.objects.select_for_update().get(
        legal_entity=batch.loaded.seller, kind=NumberSeries.Kind.INVOICE
    )
    _check_order(NumberSeries.objects.filter(pk=series.pk), issue_date)
    issued = [
        Issued(invoice_ids[result.account.id], result, result.assembled, counter)
        for counter, result in enumerate(drafts, start=series.last_counter + 1)
        if isinstance(result.assembled, Draft)
    ]
    numbers = freeze(issued, batch.loaded.seller, series, issue_date, at)
    book_issued(issued, at)
    clear_flags(batch, {document.result.account.id for document in issued})
    if issued:
        series.last_counter, series.last_date = issued[-1].counter, issue_date
        series.save(update_fields=("last_counter", "last_date"))
        seal([document.invoice_id for document in issued], series)
        await_rendering([document.invoice_id for document in issued], at=at)
        record_events(map(_event, issued, numbers), actor=actor, at=at)
        announce_documents("invoice.issued", [document.invoice_id for document in issued], at=at)
        # What credits covered is settled with that.
        covered = [document.invoice_id for document in issued if not document.draft.total_cents]
        announce_documents("invoice.paid", covered, at=at)
    return IssueReport(numbers, not_issued)


def _event(document: Issued, number: str) -> NewEvent:
    account, draft = document.result.account, document.draft
    return NewEvent(
        "invoice.issued", account.id, document.invoice_id, {"number": number, "total_cents": draft.total_cents}
    )
