"""Stop expecting that an invoice is paid."""

from datetime import datetime

from django.utils.translation import gettext as _

from billing.domain.lifecycle import PaymentState
from billing.models import Invoice
from billing.usecases._accounts import NoReason, NoSuchInvoice, UnableToSettle
from billing.usecases._payment_states import change_payment_state
from organizations.models import User

__all__ = ["NoReason", "NoSuchInvoice", "NothingToWriteOff", "UnableToSettle", "write_off_invoice"]


class NothingToWriteOff(UnableToSettle):
    """The invoice does not wait for money: it is settled, being paid, or written off already."""


def write_off_invoice(*, invoice_id: int, reason: str, actor: User | None, at: datetime) -> Invoice:
    """Write off what is left to pay of an invoice.

    The credits that it sold leave g, since nobody is expected to pay them; they are cancelled, but become usable should
    the customer pay after all. Money in part leaves the rest written off, money in full makes the invoice paid; when
    that is taken back it waits for money like any other.

    Raises a subclass of UnableToSettle, with a sentence, and then changes nothing; NotAllowed.
    """
    return change_payment_state(
        invoice_id,
        kind="invoice.written_off",
        new=PaymentState.WONT_PAY,
        only_from=(PaymentState.PENDING, PaymentState.PAYMENT_HELD),
        refusal=NothingToWriteOff(_("Only an invoice that waits for money can be written off.")),
        permission="billing.refund_invoice",
        reason=reason,
        actor=actor,
        at=at,
    )
