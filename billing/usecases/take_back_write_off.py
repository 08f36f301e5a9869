"""Expect again that an invoice is paid."""

from datetime import datetime

from django.utils.translation import gettext as _

from billing.domain.lifecycle import PaymentState
from billing.models import Invoice
from billing.usecases._accounts import NoReason, NoSuchInvoice, UnableToSettle
from billing.usecases._payment_states import change_payment_state
from organizations.models import User

__all__ = ["NoReason", "NoSuchInvoice", "NotWrittenOff", "UnableToSettle", "take_back_write_off"]


class NotWrittenOff(UnableToSettle):
    """The invoice is not written off."""


def take_back_write_off(*, invoice_id: int, reason: str, actor: User | None, at: datetime) -> Invoice:
    """Let a written-off invoice wait for its money again, and the credits that it sold count as pending (g) again.

    Raises a subclass of UnableToSettle, with a sentence, and then changes nothing; NotAllowed.
    """
    return change_payment_state(
        invoice_id,
        kind="invoice.write_off_taken_back",
        new=PaymentState.PENDING,
        only_from=(PaymentState.WONT_PAY,),
        refusal=NotWrittenOff(_("This invoice is not written off.")),
        permission="billing.refund_invoice",
        reason=reason,
        actor=actor,
        at=at,
    )
