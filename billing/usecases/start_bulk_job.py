"""Ask for bulk work on a month: the click leaves a job and its items, workers do it."""

from collections.abc import Collection
from datetime import date, datetime

from django.db import connection, transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from billing.domain.approvals import why_bulk_issue_needs_approval
from billing.domain.periods import Month
from billing.formatting import format_month
from billing.models import BulkJob, BulkJobItem, MonthClose, NumberSeries
from billing.queries.approvals import load_policy
from billing.queries.cockpit import blocked_payers, ready_payers
from billing.queries.months import local_day, month_of
from billing.usecases._bulk import bulk_write
from billing.usecases._events import NewEvent, record_event
from billing.usecases._permissions import require
from billing.usecases._runs import payer_ids
from organizations.models import User

Kind, State = BulkJob.Kind, BulkJob.State


class UnableToStart(ValueError):
    """Nothing was started; the message says why."""


@transaction.atomic
def start_bulk_job(
    *,
    kind: str,
    close_id: int,
    actor: User | None,
    at: datetime,
    issue_date: date | None = None,
    organization_ids: Collection[int] | None = None,
) -> BulkJob:
    """Start bulk work on the payers that it concerns, or on those of them that are named.

    Issuing takes the drafts that are ready now. From the count of the approval policy on it waits for a second person;
    what earlier jobs issued of the month without one counts too. Without an issue date, all its invoices bear the day
    on which it begins: this one, or that of the approval.
    One job of a kind at a time. Raises NotAllowed, and UnableToStart when there is nothing to do, when one is under
    way, or for an issue date in the future or before the last of the series.
    """
    require(actor, "billing.issue_invoice")
    close = MonthClose.objects.select_for_update(no_key=True).get(pk=close_id)
    month = month_of(close.month)
    _check_may_begin(close, kind, month, at)
    if issue_date is not None:
        _check_date(close, issue_date, local_day(at))
    chosen = [id_ for id_ in _payers(kind, month) if organization_ids is None or id_ in organization_ids]
    if not chosen:
        raise UnableToStart(_("There is nothing to do: no organization is in that state."))
    waits = kind == Kind.ISSUE and _needs_approval(close, len(chosen))
    if kind == Kind.ISSUE and not waits:
        issue_date = issue_date or local_day(at)
    job = BulkJob.objects.create(
        kind=kind,
        state=State.WAITING if waits else State.RUNNING,
        close=close,
        issue_date=issue_date,
        author=actor,
        created_at=at,
    )
    _add_items(job, chosen)
    values = {"job": job.pk, "kind": kind, "month": str(month), "organizations": len(chosen)}
    record_event(NewEvent("bulk_job.started", values=values), actor=actor, at=at)
    return job


def _check_may_begin(close: MonthClose, kind: str, month: Month, at: datetime) -> None:
    if not month.has_ended(at) and kind != Kind.PREVIEW:
        raise UnableToStart(
            _("%(month)s has not ended yet: only a dry run can look at it.") % {"month": format_month(month.first_day)}
        )
    if BulkJob.objects.filter(close=close, kind=kind, state__in=(State.WAITING, State.RUNNING)).exists():
        raise UnableToStart(_("The same work is under way already."))


def _add_items(job: BulkJob, payer_ids: Collection[int]) -> None:
    bulk_write(
        connection,
        BulkJobItem._meta.db_table,
        ("job_id", "organization_id", "state", "reason_code", "reason_values"),
        ((job.pk, id_, BulkJobItem.State.LEFT.value, "", "{}") for id_ in payer_ids),
    )


def _payers(kind: str, month: Month) -> Collection[int]:
    match kind:
        case Kind.ISSUE:
            return list(ready_payers(month.first_day))
        case Kind.RETRY:
            return list(blocked_payers(month.first_day))
        case _:
            return payer_ids(month)


def _check_date(close: MonthClose, issue_date: date, today: date) -> None:
    if issue_date > today:
        raise UnableToStart(
            _("The issue date %(day)s is in the future: use %(today)s or an earlier day.")
            % {"day": date_format(issue_date), "today": date_format(today)}
        )
    series = NumberSeries.objects.get(legal_entity=close.legal_entity_id, kind=NumberSeries.Kind.INVOICE)
    if series.last_date is not None and issue_date < series.last_date:
        raise UnableToStart(
            _("The issue date %(day)s lies before %(last)s, the last one of the series.")
            % {"day": date_format(issue_date), "last": date_format(series.last_date)}
        )


def _needs_approval(close: MonthClose, count: int) -> bool:
    policy = load_policy(close.legal_entity_id)
    return why_bulk_issue_needs_approval(policy, count=count + _issued_without_approval(close)) is not None


def _issued_without_approval(close: MonthClose) -> int:
    """How many of the month went out in bulk so far that nobody else approved: small steps count together."""
    items = BulkJobItem.objects.filter(job__close=close, job__kind=Kind.ISSUE, job__approver__isnull=True)
    return items.filter(state=BulkJobItem.State.DONE).count()
