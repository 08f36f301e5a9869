"""Put a draft on hold: it is not issued until somebody releases it."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_noop as _

from billing.models import Invoice
from billing.usecases._drafts import ChangedMeanwhile, UnableToAdjust, check_reason, lock_draft
from billing.usecases._events import NewEvent, record_event
from billing.usecases._permissions import require
from organizations.models import User

__all__ = ["ChangedMeanwhile", "UnableToAdjust", "hold_invoice"]


@transaction.atomic
def hold_invoice(*, invoice_id: int, reason: str, seen: str, actor: User | None, at: datetime) -> Invoice:
    """Hold a draft that is as the person saw it. Raises NotAllowed, ChangedMeanwhile, UnableToAdjust."""
    require(actor, "billing.adjust_invoice")
    reason = check_reason(reason)
    invoice = lock_draft(invoice_id=invoice_id, seen=seen)
    if invoice.hold_reason:
        raise UnableToAdjust(_("It is on hold already: %(reason)s"), reason=invoice.hold_reason)
    invoice.hold_reason = reason
    invoice.save(update_fields=["hold_reason"])
    event = NewEvent("invoice.held", organization_id=invoice.organization_id, invoice_id=invoice.pk, reason=reason)
    record_event(event, actor=actor, at=at)
    return invoice
