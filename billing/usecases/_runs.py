"""A run of a month close: batches in the database are the queue, whoever asks gets the next one.

A batch is closed and marked in one transaction, so a run that was killed is taken up with the batches that are left.
Whoever asks for a new run meanwhile replaces them by batches of everybody, on which all workers go on together.
"""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import batched

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Q, QuerySet
from msgspec import Struct

from billing.domain.facts import Reason
from billing.domain.periods import Month
from billing.models import CloseBatch, CloseOutcome, LegalEntity, MonthClose
from billing.queries.accounts import Scope, load_accounts
from billing.queries.months import local_day, month_of
from billing.usecases._close_batch import block_payer, compute_batch, write_batch
from billing.usecases._collector import collector_paused
from billing.usecases._webhooks import announce_close
from organizations.models import Organization

BATCH_SIZE = 2_000  # more takes memory, less takes time: what a batch costs whatever is in it

log = logging.getLogger(__name__)


class Progress(Struct, frozen=True):
    """How far a run is: batches done of all."""

    done: int
    total: int


def payer_ids(month: Month) -> list[int]:
    """Who may get an invoice of its own for a month, in the order of the batches."""
    last_day, first_day = month.last_day, month.first_day
    open_then = Q(opened_on__lte=last_day) & (Q(closed_on__isnull=True) | Q(closed_on__gte=first_day))
    on_parent = CloseOutcome.objects.filter(month=first_day, kind="on_parent").values("organization")
    alone = CloseOutcome.objects.filter(month=first_day).exclude(kind="on_parent").values("organization")
    takers = Q(open_then, Q(parent__isnull=True) | orphaned_in(month)) | Q(id__in=alone)
    payers = Organization.objects.filter(takers).exclude(id__in=on_parent)
    return list(payers.order_by("id").values_list("id", flat=True))


def orphaned_in(month: Month) -> Q:
    """The condition that a sub-organization stands alone: its parent takes no part in the month."""
    return Q(parent__opened_on__gt=month.last_day) | Q(parent__closed_on__lt=month.first_day)


def scopes(ids: list[int]) -> list[Scope]:
    """Batches of payers as ranges of ids."""
    return [Scope(chunk[0], chunk[-1]) for chunk in batched(ids, BATCH_SIZE, strict=False)]


def get_close(month: Month) -> MonthClose:
    """The row of a month's close, made when it is missing."""
    close, _ = MonthClose.objects.get_or_create(legal_entity=LegalEntity.objects.get(), month=month.first_day)
    return close


@transaction.atomic
def start(month: Month, *, at: datetime) -> MonthClose:
    """Plan a run that closes everybody as of now, in place of what is left of the run that is under way.

    Batches that somebody is at stay with their worker and come again: it may not have seen what is stored by now.
    """
    return _plan(_lock(month), month, at)


@transaction.atomic
def start_or_join(month: Month, *, at: datetime) -> MonthClose:
    """Return the month's close with the run that is under way, or plan a new one."""
    close = _lock(month)
    return close if _left(close).exists() else _plan(close, month, at)


def _lock(month: Month) -> MonthClose:
    """Let nobody else plan or finish a run meanwhile; workers go on, their outcomes only need the row to stay."""
    return MonthClose.objects.select_for_update(no_key=True).get(pk=get_close(month).pk)


def _plan(close: MonthClose, month: Month, at: datetime) -> MonthClose:
    free = close.batches.select_for_update(skip_locked=True).values_list("id", flat=True)
    close.batches.filter(id__in=list(free)).delete()
    close.run += 1
    close.started_at, close.finished_at = at, None
    ranges = scopes(payer_ids(month))
    CloseBatch.objects.bulk_create(
        CloseBatch(
            close=close,
            run=close.run,
            number=number,
            first_organization_id=scope.first_id,
            last_organization_id=scope.last_id,
        )
        for number, scope in enumerate(ranges, start=1)
    )
    if not ranges:
        close.finished_at = at
    close.save(update_fields=("run", "started_at", "finished_at"))
    if close.finished_at is not None:
        announce_close(close, at=at)
    return close


def work(close: MonthClose, *, at: datetime, wait: bool, on_progress: Callable[[Progress], None] | None = None) -> None:
    """Close batches until none is left. `wait`: also for batches that others are at, so that the run is complete."""
    for _ in _claimed(close, at=at, wait=wait):
        if on_progress is not None:
            total = close.batches.count()
            on_progress(Progress(total - _left(close).count(), total))
    _finish(close, at)


def _left(close: MonthClose) -> QuerySet[CloseBatch]:
    """Batches to close, of whatever run: a new one may have been planned since this one was joined."""
    return close.batches.filter(finished_at__isnull=True)


def _claimed(close: MonthClose, *, at: datetime, wait: bool) -> Iterator[CloseBatch]:
    """Claim, close and mark one batch after the other, each in a transaction of its own."""
    can_skip = connection.features.has_select_for_update_skip_locked
    while True:
        with transaction.atomic():
            left = _left(close).order_by("run", "number")
            batch = left.select_for_update(skip_locked=can_skip).first()
            if batch is None and can_skip and wait:
                # Somebody is at the last ones: wait, and take one over if its worker died.
                batch = left.select_for_update().first()
            if batch is None:
                if can_skip and wait and _left(close).exists():
                    continue
                return
            close_range(close, Scope(batch.first_organization_id, batch.last_organization_id), at=at)
            batch.finished_at = at
            batch.save(update_fields=("finished_at",))
        yield batch


def close_range(close: MonthClose, scope: Scope, *, at: datetime) -> None:
    """Close a batch at once; if that fails, organization by organization, so that one cannot stop the others."""
    try:
        with transaction.atomic():
            _close_scope(close, scope, at)
    except (OperationalError, InterfaceError):
        raise  # The database is in trouble, no organization is: the run is taken up again later.
    except Exception:
        log.exception("Batch %s..%s failed, trying one organization at a time", scope.first_id, scope.last_id)
        month = month_of(close.month)
        for payer_id in load_accounts(month, scope, lock=True).payer_ids:
            _close_one(close, month, payer_id, at)


def _close_one(close: MonthClose, month: Month, payer_id: int, at: datetime) -> None:
    try:
        with transaction.atomic():
            _close_scope(close, Scope(ids=[payer_id]), at)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        log.exception("Organization %s could not be closed", payer_id)
        block_payer(month, payer_id, unexpected(error), close_id=close.pk)


def unexpected(error: Exception) -> Reason:
    """The reason of an organization with which something went wrong that nobody thought of; the log has the rest."""
    return Reason("unexpected_error", {"error": f"{type(error).__name__}: {error}"[:300]})


@collector_paused()
def _close_scope(close: MonthClose, scope: Scope, at: datetime) -> None:
    batch = compute_batch(month_of(close.month), scope, tax_date=local_day(at), lock=True)
    write_batch(batch, close_id=close.pk, at=at)


@transaction.atomic
def _finish(close: MonthClose, at: datetime) -> None:
    current = MonthClose.objects.select_for_update(no_key=True).get(pk=close.pk)
    if current.finished_at is None and not _left(current).exists():
        current.finished_at = at
        current.save(update_fields=("finished_at",))
        announce_close(current, at=at)
