"""Collect the money of an invoice again."""

from datetime import datetime

from django.utils.translation import gettext as _

from billing.domain.lifecycle import PaymentState
from billing.models import Invoice
from billing.usecases._accounts import NoReason, NoSuchInvoice, UnableToSettle
from billing.usecases._payment_states import change_payment_state
from organizations.models import User

__all__ = ["NoReason", "NoSuchInvoice", "NotHeld", "UnableToSettle", "resume_payment"]


class NotHeld(UnableToSettle):
    """The payment of the invoice is not held."""


def resume_payment(*, invoice_id: int, reason: str, actor: User | None, at: datetime) -> Invoice:
    """Let an invoice whose payment is held wait for its money again.

    Raises a subclass of UnableToSettle, with a sentence, and then changes nothing; NotAllowed.
    """
    return change_payment_state(
        invoice_id,
        kind="invoice.payment_resumed",
        new=PaymentState.PENDING,
        only_from=(PaymentState.PAYMENT_HELD,),
        refusal=NotHeld(_("The payment of this invoice is not held.")),
        permission="billing.settle_invoice",
        reason=reason,
        actor=actor,
        at=at,
    )
