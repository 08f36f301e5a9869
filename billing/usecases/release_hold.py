"""Release a draft from hold."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_noop as _

from billing.models import Invoice
from billing.usecases._drafts import ChangedMeanwhile, UnableToAdjust, lock_draft
from billing.usecases._events import NewEvent, record_event
from billing.usecases._permissions import require
from organizations.models import User

__all__ = ["ChangedMeanwhile", "UnableToAdjust", "release_hold"]


@transaction.atomic
def release_hold(*, invoice_id: int, seen: str, actor: User | None, at: datetime, reason: str = "") -> Invoice:
    """Let a held draft be issued again. Raises NotAllowed, ChangedMeanwhile, UnableToAdjust."""
    require(actor, "billing.adjust_invoice")
    invoice = lock_draft(invoice_id=invoice_id, seen=seen)
    held_because = invoice.hold_reason
    if not held_because:
        raise UnableToAdjust(_("It is not on hold."))
    invoice.hold_reason = ""
    invoice.save(update_fields=["hold_reason"])
    event = NewEvent(
        "invoice.hold_released",
        organization_id=invoice.organization_id,
        invoice_id=invoice.pk,
        values={"held_because": held_because},
        reason=reason.strip(),
    )
    record_event(event, actor=actor, at=at)
    return invoice
