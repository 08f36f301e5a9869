"""Moving an unpaid invoice between the states that people choose: written off, on hold, waiting for money."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from billing.domain.lifecycle import PaymentState, check_transition
from billing.models import Invoice
from billing.queries.invoices import left_cents
from billing.usecases._accounts import UnableToSettle, check_reason, lock_invoice
from billing.usecases._events import NewEvent, record_event
from billing.usecases._permissions import require
from billing.usecases._settlement import after_change
from organizations.models import User


@transaction.atomic
def change_payment_state(
    invoice_id: int,
    *,
    kind: str,
    new: PaymentState,
    only_from: Collection[PaymentState],
    refusal: UnableToSettle,
    permission: str,
    reason: str,
    actor: User | None,
    at: datetime,
) -> Invoice:
    """Take an invoice that is in one of some states into another, with the event of this kind.

    Raises `refusal` from any other state; NoReason, NoSuchInvoice, NotAllowed.
    """
    require(actor, permission)
    reason = check_reason(reason)
    invoice = lock_invoice(invoice_id)
    state = PaymentState(invoice.payment_state)
    if state not in only_from:
        raise refusal
    check_transition(state, new)
    invoice.payment_state = new.value
    after_change(invoice, at)
    event = NewEvent(
        kind,
        organization_id=invoice.organization_id,
        invoice_id=invoice.pk,
        values={
            "cents": left_cents(invoice),
            "currency": invoice.currency,
            "before": {"payment_state": state.value},
            "after": {"payment_state": invoice.payment_state},
        },
        reason=reason,
    )
    record_event(event, actor=actor, at=at)
    return invoice
