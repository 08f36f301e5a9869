"""Record that the bank took a payment back."""

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from billing.models import Allocation, Payment, Refund
from billing.queries.payments import unallocated_cents
from billing.usecases._accounts import (
    NoReason,
    NoSuchPayment,
    UnableToSettle,
    check_reason,
    lock_invoices,
    lock_payment,
)
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
from billing.usecases._settlement import after_change, allocation_event, undo
from organizations.models import User

__all__ = [
    "InvalidRefund",
    "NoReason",
    "NoSuchPayment",
    "NothingToTakeBack",
    "RefundConflict",
    "Refunded",
    "UnableToSettle",
    "record_chargeback",
]


class NothingToTakeBack(UnableToSettle):
    """All of the payment went back already."""


@transaction.atomic
def record_chargeback(
    *, payment_id: int, reference: str, date: date, reason: str, actor: User | None, at: datetime
) -> Refunded:
    """Record that all of a payment that did not go back yet is gone: nothing settles an invoice any more.

    The invoices are unpaid again. What is unused of the credits that they sold is suspended and counts as pending (g);
    what is used stays used. The same chargeback again (payment and date under one reference) changes nothing. Raises a
    subclass of UnableToSettle, with a sentence, and then stores nothing; NotAllowed.
    """
    require(actor, "billing.settle_invoice")
    reason = check_reason(reason)
    payment = lock_payment(payment_id)
    check_terms(payment, reference, date, payment.method, at)
    kind = Refund.Kind.CHARGEBACK
    stored = find_refund(reference, payment=payment, kind=kind, date=date)
    if stored is not None:
        return Refunded(stored, is_new=False)
    if payment.refunded_cents == payment.amount_cents:
        raise NothingToTakeBack(_("All of payment %(payment)s went back already.") % {"payment": payment})
    _undo_everything(payment, reason, actor, at)
    refund = store_refund(
        payment,
        kind=kind,
        reference=reference,
        cents=unallocated_cents(payment),
        date=date,
        method=payment.method,
        reason=reason,
        recorded_at=at,
    )
    record_event(refund_event("payment.charged_back", refund, payment), actor=actor, at=at)
    return Refunded(refund, is_new=True)


def _undo_everything(payment: Payment, reason: str, actor: User | None, at: datetime) -> None:
    allocations = list(Allocation.objects.filter(payment=payment, undone_at__isnull=True).order_by("pk"))
    invoices = lock_invoices([allocation.invoice_id for allocation in allocations])
    for allocation in allocations:
        allocation.payment, invoice = payment, invoices[allocation.invoice_id]
        state = invoice.payment_state
        undo(allocation, invoice, at, reason=reason)
        after_change(invoice, at)
        event = allocation_event(
            "allocation.undone", payment, invoice, allocation.amount_cents, state_before=state, reason=reason
        )
        record_event(event, actor=actor, at=at)
