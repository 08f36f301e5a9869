"""Do what bulk jobs have left, some items at a time: each chunk and its marks are one transaction.

Killed in the middle, nothing is half done: what was not committed is left, and taken up by the next worker. A failed
item keeps its reason and stops nobody.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Q
from msgspec import Struct, json

from billing.domain.assembly import Blocked
from billing.domain.facts import Reason
from billing.models import BulkJob, BulkJobItem, CloseOutcome
from billing.queries.accounts import Scope, lock_accounts
from billing.queries.among import among
from billing.queries.months import local_day, month_of
from billing.usecases._bulk import bulk_change
from billing.usecases._close_batch import Result, compute_batch
from billing.usecases._permissions import NotAllowed, require
from billing.usecases._price_gate import hold_prices
from billing.usecases._runs import close_range, unexpected
from billing.usecases.issue_invoices import DateOvertaken, issue_payers

CHUNK = 500
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(minutes=10)

log = logging.getLogger(__name__)
Kind, State = BulkJob.Kind, BulkJobItem.State


class Mark(Struct, frozen=True):
    """What became of one item."""

    state: str = State.DONE.value
    reason: Reason | None = None


def work_on_bulk_jobs(*, at: datetime) -> int:
    """Work until no running job has an item left that nobody else is at; returns how many items were worked on.

    Jobs take turns, a chunk each. One on which the database gives up (a lock that nobody lets go of, a time limit)
    waits longer and longer before it is tried again, and holds up no other.
    """
    due = Q(not_before=None) | Q(not_before__lte=at)
    running = BulkJob.objects.filter(due, state=BulkJob.State.RUNNING).select_related("close", "author")
    jobs, worked = list(running.order_by("id")), 0
    while jobs:
        done = {job.pk: _take_turn(job, at) for job in jobs}
        worked += sum(done.values())
        jobs = [job for job in jobs if done[job.pk]]
    return worked


def _take_turn(job: BulkJob, at: datetime) -> int:
    """Work on one chunk; 0 when there is nothing left to do for now."""
    try:
        done = _work_on_chunk(job, at)
    except OperationalError:
        log.exception("The database gave up on bulk job %s", job.pk)
        _back_off(job, at)
        return 0
    if job.failures:
        job.failures, job.not_before = 0, None
        job.save(update_fields=["failures", "not_before"])
    if not done:
        _finish(job, at)
    return done


def _back_off(job: BulkJob, at: datetime) -> None:
    """Where there is no database at all, this fails too, and the next wake-up tries again."""
    job.not_before = at + min(FIRST_WAIT * 2 ** min(job.failures, 10), LONGEST_WAIT)
    job.failures = min(job.failures + 1, 1_000)
    job.save(update_fields=["failures", "not_before"])


@transaction.atomic
def _work_on_chunk(job: BulkJob, at: datetime) -> int:
    left = BulkJobItem.objects.filter(job=job, state=State.LEFT).order_by("id")
    can_skip = connection.features.has_select_for_update_skip_locked
    items = dict(left.select_for_update(skip_locked=can_skip).values_list("organization_id", "id")[:CHUNK])
    if not items:
        return 0
    marks = _do(job, list(items), at)
    bulk_change(
        connection,
        BulkJobItem._meta.db_table,
        ("id", "state", "reason_code", "reason_values"),
        (_row(item_id, marks.get(organization_id, Mark())) for organization_id, item_id in items.items()),
    )
    return len(items)


def _row(item_id: int, mark: Mark) -> tuple[int, str, str, str]:
    reason = mark.reason
    return item_id, mark.state, reason.code if reason else "", json.encode(reason.values if reason else {}).decode()


def _do(job: BulkJob, payer_ids: Sequence[int], at: datetime) -> Mapping[int, Mark]:
    match job.kind:
        case Kind.ISSUE:
            return _issue(job, payer_ids, at)
        case Kind.PREVIEW:
            return dict(_preview(job, payer_ids, at))
        case _:
            return _close(job, payer_ids, at)


def _issue(job: BulkJob, payer_ids: Sequence[int], at: datetime) -> Mapping[int, Mark]:
    month = month_of(job.close.month)
    # Issued one by one, the first takes the counter and the others still their accounts: all of them come first.
    hold_prices()
    lock_accounts(month, Scope(ids=payer_ids))
    try:
        require(job.author, "billing.issue_invoice")  # the click may be long ago
        report = issue_payers(
            month=month,
            payer_ids=payer_ids,
            issue_date=job.issue_date or local_day(at),
            actor=job.author,
            at=at,
        )
    except NotAllowed:
        return dict.fromkeys(payer_ids, Mark(State.FAILED.value, Reason("author_may_not_issue")))
    except DateOvertaken as refusal:
        return dict.fromkeys(payer_ids, Mark(State.FAILED.value, refusal.reason))
    return {refused.payer_id: Mark(State.FAILED.value, refused.reason) for refused in report.not_issued}


def _close(job: BulkJob, payer_ids: Sequence[int], at: datetime) -> Mapping[int, Mark]:
    close_range(job.close, Scope(ids=payer_ids), at=at)
    blocked = CloseOutcome.objects.filter(
        among("organization", payer_ids), month=job.close.month, kind=CloseOutcome.Kind.BLOCKED
    )
    rows = blocked.values_list("organization_id", "reason_code", "reason_values")
    return {id_: Mark(State.FAILED.value, Reason(code, values)) for id_, code, values in rows}


def _preview(job: BulkJob, payer_ids: Sequence[int], at: datetime) -> Iterable[tuple[int, Mark]]:
    """Compute the drafts without writing them; if that fails, one payer after the other, as a real close does."""
    try:
        with transaction.atomic():
            batch = compute_batch(month_of(job.close.month), Scope(ids=payer_ids), tax_date=local_day(at), lock=False)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        if len(payer_ids) == 1:
            log.exception("Organization %s could not be previewed", payer_ids[0])
            return [(payer_ids[0], Mark(State.FAILED.value, unexpected(error)))]
        return [mark for id_ in payer_ids for mark in _preview(job, [id_], at)]
    return [(result.account.id, _difference(result)) for result in batch.results]


def _difference(result: Result) -> Mark:
    if isinstance(result.assembled, Blocked):
        return Mark(State.FAILED.value, result.assembled.reason)
    if result.is_unchanged_draft or (result.page is None and result.existing is None):
        return Mark()
    totals: dict[str, str | int] = {"currency": result.facts.terms.currency}
    if result.existing is not None:
        totals["before_cents"] = result.existing.total_cents
    if result.page is not None:
        totals["after_cents"] = result.page.draft.total_cents
    return Mark(State.CHANGED.value, Reason("would_change", totals))


def _finish(job: BulkJob, at: datetime) -> None:
    if not BulkJobItem.objects.filter(job=job, state=State.LEFT).exists():
        running = BulkJob.objects.filter(pk=job.pk, state=BulkJob.State.RUNNING)
        running.update(state=BulkJob.State.DONE, finished_at=at)
