"""A second person's word on bulk work that waits for it."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from billing.models import BulkJob
from billing.queries.months import local_day
from billing.usecases._events import NewEvent, record_event
from billing.usecases._permissions import require
from organizations.models import User

State = BulkJob.State


class UnableToDecide(ValueError):
    """Nothing was decided; the message says why."""


@transaction.atomic
def decide_bulk_job(*, job_id: int, approve: bool, reason: str, actor: User, at: datetime) -> BulkJob:
    """Let a waiting job run, or refuse it. Nobody approves what they asked for; refusing it is up to them too.

    Invoices without an issue date get the day of the approval.

    Raises NotAllowed, and UnableToDecide for a job that does not wait any more or is one's own.
    """
    require(actor, "billing.approve_invoice")
    job = BulkJob.objects.select_for_update(no_key=True).get(pk=job_id)
    if job.state != State.WAITING:
        raise UnableToDecide(_("This work does not wait for an approval any more."))
    if approve and job.author_id == actor.pk:
        raise UnableToDecide(_("Nobody approves what they asked for themselves: somebody else has to."))
    job.state = State.RUNNING if approve else State.REFUSED
    job.approver = actor
    job.finished_at = None if approve else at
    if approve and job.kind == BulkJob.Kind.ISSUE:
        job.issue_date = job.issue_date or local_day(at)
    job.save(update_fields=["state", "approver", "finished_at", "issue_date"])
    kind = "bulk_job.approved" if approve else "bulk_job.refused"
    record_event(NewEvent(kind, values={"job": job.pk}, reason=reason), actor=actor, at=at)
    return job
