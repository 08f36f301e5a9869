"""Stop collecting the money of an invoice for now."""

from datetime import datetime

from django.utils.translation import gettext as _

from billing.domain.lifecycle import PaymentState
from billing.models import Invoice
from billing.usecases._accounts import NoReason, NoSuchInvoice, UnableToSettle
from billing.usecases._payment_states import change_payment_state
from organizations.models import User

__all__ = ["NoReason", "NoSuchInvoice", "NothingToHold", "UnableToSettle", "hold_payment"]


class NothingToHold(UnableToSettle):
    """The invoice does not wait for money."""


def hold_payment(*, invoice_id: int, reason: str, actor: User | None, at: datetime) -> Invoice:
    """Hold the payment of an invoice, in a dispute for instance; money that arrives still settles it.

    Raises a subclass of UnableToSettle, with a sentence, and then changes nothing; NotAllowed.
    """
    return change_payment_state(
        invoice_id,
        kind="invoice.payment_held",
        new=PaymentState.PAYMENT_HELD,
        only_from=(PaymentState.PENDING, PaymentState.PROCESSING),
        refusal=NothingToHold(_("Only the payment of an invoice that waits for money can be held.")),
        permission="billing.settle_invoice",
        reason=reason,
        actor=actor,
        at=at,
    )
