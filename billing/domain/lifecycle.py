"""The states of a document and of its payment, and the ways between them (domain page, section 7)."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import overload


class DocumentState(StrEnum):
    """Whether a document can still change. Only an issued one has a number; corrections are credit notes."""

    DRAFT = "draft"
    ISSUED = "issued"
    DISCARDED = "discarded"


class PaymentState(StrEnum):
    """Where the money of an issued invoice is. A partly paid invoice is still pending."""

    PENDING = "pending"
    PROCESSING = "processing"
    PAYMENT_HELD = "payment_held"
    PAID = "paid"
    CANCELED = "canceled"
    REFUNDED = "refunded"
    WONT_PAY = "wont_pay"


class ForbiddenTransition(ValueError):
    """A document or a payment cannot go from this state to that one."""


DOCUMENT_TRANSITIONS: Mapping[DocumentState, frozenset[DocumentState]] = MappingProxyType(
    {
        DocumentState.DRAFT: frozenset({DocumentState.ISSUED, DocumentState.DISCARDED}),
        DocumentState.ISSUED: frozenset(),
        DocumentState.DISCARDED: frozenset(),
    }
)

PAYMENT_TRANSITIONS: Mapping[PaymentState, frozenset[PaymentState]] = MappingProxyType(
    {
        # A transfer or credits settle it at once; a card or a debit is processed first. A full credit note cancels
        # it, finance may write it off.
        PaymentState.PENDING: frozenset(
            {
                PaymentState.PROCESSING,
                PaymentState.PAYMENT_HELD,
                PaymentState.PAID,
                PaymentState.CANCELED,
                PaymentState.WONT_PAY,
            }
        ),
        # A payment that fails makes the invoice pending again. A full credit note need not wait for the bank:
        # money that still arrives stays unallocated on the account.
        PaymentState.PROCESSING: frozenset(
            {PaymentState.PENDING, PaymentState.PAYMENT_HELD, PaymentState.PAID, PaymentState.CANCELED}
        ),
        PaymentState.PAYMENT_HELD: frozenset(
            {
                PaymentState.PENDING,
                PaymentState.PROCESSING,
                PaymentState.PAID,
                PaymentState.CANCELED,
                PaymentState.WONT_PAY,
            }
        ),
        # A chargeback makes it unpaid again. Credited in full: refunded when money goes back, canceled when there
        # was none to give back (a total of 0.00 that credits had covered).
        PaymentState.PAID: frozenset({PaymentState.PENDING, PaymentState.REFUNDED, PaymentState.CANCELED}),
        PaymentState.CANCELED: frozenset(),
        PaymentState.REFUNDED: frozenset(),
        # A write-off is taken back when the customer pays after all, or is confirmed by a credit note.
        PaymentState.WONT_PAY: frozenset({PaymentState.PENDING, PaymentState.PAID, PaymentState.CANCELED}),
    }
)


def state_by_amounts(current: PaymentState, *, total_cents: int, paid_cents: int, credited_cents: int) -> PaymentState:
    """Return the payment state that an invoice has once its amounts changed.

    Nothing left to pay makes it paid, a write-off too; something left again makes a paid one pending. Credited as a
    whole, it is refunded if it was paid and cancelled otherwise; both are final. A part paid of a written-off invoice
    leaves the rest written off.
    """
    if current in (PaymentState.CANCELED, PaymentState.REFUNDED):
        return current
    if credited_cents and credited_cents == total_cents:
        return PaymentState.REFUNDED if current is PaymentState.PAID else PaymentState.CANCELED
    if total_cents == paid_cents + credited_cents:
        return PaymentState.PAID
    return PaymentState.PENDING if current is PaymentState.PAID else current


@overload
def check_transition(current: DocumentState, new: DocumentState) -> None: ...
@overload
def check_transition(current: PaymentState, new: PaymentState) -> None: ...
def check_transition(current: DocumentState | PaymentState, new: DocumentState | PaymentState) -> None:
    """Raise ForbiddenTransition unless the table allows the step; staying in a state is not a step."""
    if isinstance(current, DocumentState):
        allowed = new in DOCUMENT_TRANSITIONS[current]
        what = "document"
    else:
        allowed = new in PAYMENT_TRANSITIONS[current]
        what = "payment"
    if not allowed:
        raise ForbiddenTransition(f"A {what} that is {_words(current)} cannot become {_words(new)}.")


def _words(state: DocumentState | PaymentState) -> str:
    return state.value.replace("_", " ")
