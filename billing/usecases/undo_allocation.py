"""Take back that a payment settles an invoice."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from billing.models import Allocation
from billing.usecases._accounts import NoReason, NoSuchPayment, UnableToSettle, check_reason, lock_allocation
from billing.usecases._events import record_event
from billing.usecases._permissions import require
from billing.usecases._settlement import after_change, allocation_event, undo
from organizations.models import User

__all__ = ["AlreadyUndone", "NoReason", "NoSuchPayment", "UnableToSettle", "undo_allocation"]


class AlreadyUndone(UnableToSettle):
    """The allocation settles nothing any more."""


@transaction.atomic
def undo_allocation(*, allocation_id: int, reason: str, actor: User | None, at: datetime) -> Allocation:
    """Make the money of an allocation unallocated again; it stays on the account of the payer.

    The invoice is unpaid again: what is unused of the credits that it sold is suspended until it is paid. Raises a
    subclass of UnableToSettle, with a sentence; NotAllowed.
    """
    require(actor, "billing.settle_invoice")
    reason = check_reason(reason)
    allocation = lock_allocation(allocation_id)
    payment, invoice = allocation.payment, allocation.invoice
    if allocation.undone_at is not None:
        raise AlreadyUndone(
            _("That payment %(payment)s settles invoice %(invoice)s was undone already.")
            % {"payment": payment, "invoice": invoice}
        )
    state = invoice.payment_state
    undo(allocation, invoice, at, reason=reason)
    after_change(invoice, at)
    event = allocation_event(
        "allocation.undone", payment, invoice, allocation.amount_cents, state_before=state, reason=reason
    )
    record_event(event, actor=actor, at=at)
    return allocation
