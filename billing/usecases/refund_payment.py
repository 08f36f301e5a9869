"""Give money back that settles nothing."""

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from billing.domain.money import format_cents
from billing.models import Payment, Refund
from billing.queries.payments import unallocated_cents
from billing.usecases._accounts import NoReason, NoSuchPayment, UnableToSettle, check_reason, lock_payment
from billing.usecases._events import record_event
from billing.usecases._permissions import require
from billing.usecases._refunds import (
    InvalidRefund,
    RefundConflict,
    Refunded,
    check_terms,
    find_refund,
    refund_event,
    store_refund,
)
from organizations.models import User

__all__ = [
    "InvalidRefund",
    "NoReason",
    "NoSuchPayment",
    "NotThatMuchUnallocated",
    "RefundConflict",
    "Refunded",
    "UnableToSettle",
    "refund_payment",
]


class NotThatMuchUnallocated(UnableToSettle):
    """Only unallocated money can go back; what settles an invoice has to be undone or credited first."""


@transaction.atomic
def refund_payment(
    *,
    payment_id: int,
    reference: str,
    amount_cents: int,
    date: date,
    method: str,
    reason: str,
    actor: User | None,
    at: datetime,
) -> Refunded:
    """Record that unallocated money of a payment went back to its payer.

    The same refund again (payment, amount, date, method under one reference) changes nothing. Raises a subclass of
    UnableToSettle, with a sentence, and then stores nothing; NotAllowed.
    """
    require(actor, "billing.refund_invoice")
    reason = check_reason(reason)
    payment = lock_payment(payment_id)
    check_terms(payment, reference, date, method, at)
    kind = Refund.Kind.REFUND
    stored = find_refund(reference, payment=payment, kind=kind, amount_cents=amount_cents, date=date, method=method)
    if stored is not None:
        return Refunded(stored, is_new=False)
    _check_amount(amount_cents, payment)
    refund = store_refund(
        payment,
        kind=kind,
        reference=reference,
        cents=amount_cents,
        date=date,
        method=method,
        reason=reason,
        recorded_at=at,
    )
    record_event(refund_event("payment.refunded", refund, payment), actor=actor, at=at)
    return Refunded(refund, is_new=True)


def _check_amount(amount_cents: int, payment: Payment) -> None:
    if amount_cents <= 0:
        raise InvalidRefund(_("A refund gives more than nothing back."))
    if amount_cents > unallocated_cents(payment):
        raise NotThatMuchUnallocated(
            _("%(amount)s cannot go back: %(left)s of payment %(payment)s are unallocated.")
            % {
                "amount": format_cents(amount_cents),
                "left": format_cents(unallocated_cents(payment)),
                "payment": payment,
            }
        )
