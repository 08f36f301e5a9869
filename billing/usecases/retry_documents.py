"""Have documents that could not be rendered tried again now, without waiting for their next attempt."""

from datetime import date, datetime

from django.db import transaction

from billing.models import ArchivedDocument
from billing.queries.archive import left_to_render
from billing.usecases._events import NewEvent, record_event
from billing.usecases._permissions import require
from organizations.models import User


@transaction.atomic
def retry_documents(
    *, month: date | None = None, invoice_id: int | None = None, actor: User | None, at: datetime
) -> int:
    """Make the failed documents due, of a month (its first day), of one invoice, or all; returns how many.

    Raises NotAllowed.
    """
    require(actor, "billing.issue_invoice")
    rows = left_to_render().filter(state=ArchivedDocument.State.FAILED, not_before__gt=at)
    if month is not None:
        rows = rows.filter(invoice__consumption_month=month)
    if invoice_id is not None:
        rows = rows.filter(pk=invoice_id)
    retried = ArchivedDocument.objects.filter(pk__in=rows.values("pk")).update(not_before=at)
    if retried and actor is not None:
        values = {"documents": retried, **({"month": f"{month:%Y-%m}"} if month else {})}
        record_event(NewEvent("documents.retried", invoice_id=invoice_id, values=values), actor=actor, at=at)
    return retried
