"""Settle invoices with money of a payment that settles nothing yet."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from billing.domain.money import format_cents
from billing.models import Invoice, Payment
from billing.queries.payments import unallocated_cents
from billing.usecases._accounts import NoSuchInvoice, NoSuchPayment, UnableToSettle, lock_invoices, lock_payment
from billing.usecases._events import record_event
from billing.usecases._permissions import require
from billing.usecases._settlement import TooMuchMoney, after_change, allocate, allocation_event, payable_cents
from organizations.models import User

__all__ = [
    "MoneyMovedMeanwhile",
    "NoSuchInvoice",
    "NoSuchPayment",
    "NotItsInvoice",
    "NothingToAllocate",
    "Share",
    "TooMuchMoney",
    "UnableToSettle",
    "allocate_payment",
]


class NothingToAllocate(UnableToSettle):
    """No invoice is named, or one is named twice, or nothing is left of it or of the payment."""


class NotItsInvoice(UnableToSettle):
    """The invoice belongs to somebody else than the payment."""


class MoneyMovedMeanwhile(UnableToSettle):
    """Somebody has allocated or refunded money of this payment since the person looked at it."""


class Share(NamedTuple):
    """What an invoice is to get, in cents; None: as much as is left to pay of it, and as there is."""

    invoice_id: int
    cents: int | None = None


@transaction.atomic
def allocate_payment(
    *, payment_id: int, shares: Sequence[Share], seen_cents: int | None, actor: User | None, at: datetime
) -> Payment:
    """Settle one or several invoices of the payer, in the order given; all of it or nothing.

    A part is enough; what is left stays unallocated. A written-off invoice may be named: paid in full, it is not
    written off any more. `seen_cents` is what was unallocated when the person decided (None: whatever it is), so that
    a double click allocates once. Raises a subclass of UnableToSettle, with a sentence; NotAllowed.
    """
    require(actor, "billing.settle_invoice")
    payment = lock_payment(payment_id)
    if seen_cents is not None and seen_cents != unallocated_cents(payment):
        raise MoneyMovedMeanwhile(
            _("Meanwhile %(left)s of this payment are unallocated, not %(seen)s. Look at it again.")
            % {"left": format_cents(unallocated_cents(payment)), "seen": format_cents(seen_cents)}
        )
    for invoice, cents in _invoices(payment, shares):
        share_cents = _share(payment, invoice, cents)
        state = invoice.payment_state
        allocate(payment, invoice, share_cents, at)
        after_change(invoice, at)
        event = allocation_event("payment.allocated", payment, invoice, share_cents, state_before=state)
        record_event(event, actor=actor, at=at)
    return payment


def _invoices(payment: Payment, shares: Sequence[Share]) -> Sequence[tuple[Invoice, int | None]]:
    ids = [share.invoice_id for share in shares]
    if not ids:
        raise NothingToAllocate(_("Name at least one invoice."))
    if len(set(ids)) < len(ids):
        raise NothingToAllocate(_("Name each invoice once."))
    invoices = lock_invoices(ids)
    for id_ in ids:
        if id_ not in invoices:
            raise NoSuchInvoice(_("There is no such issued invoice."))
        if invoices[id_].organization_id != payment.organization_id:
            raise NotItsInvoice(
                _("Invoice %(invoice)s is not an invoice of %(organization)s.")
                % {"invoice": invoices[id_], "organization": payment.organization}
            )
    return [(invoices[id_], cents) for id_, cents in shares]


def _share(payment: Payment, invoice: Invoice, cents: int | None) -> int:
    if not unallocated_cents(payment):
        raise NothingToAllocate(_("Nothing of payment %(payment)s is unallocated.") % {"payment": payment})
    if not payable_cents(invoice):
        raise NothingToAllocate(_("Nothing is left to pay of invoice %(invoice)s.") % {"invoice": invoice})
    return min(unallocated_cents(payment), payable_cents(invoice)) if cents is None else cents
