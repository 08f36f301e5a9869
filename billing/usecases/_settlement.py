"""The one place that moves money between payments and invoices, and makes sold credits usable or suspends them.

The caller has locked the account, then read and locked the invoice (`_accounts`): a row that was read before would
overwrite what others changed meanwhile. `allocate` and `release` write the rows of the payments and change the amounts
of the invoice that they are given; `after_change` must follow: it stores the invoice with the state that goes with its
amounts, in one step, as the database compares them with each other, and lets the credits follow.

    allocate / release / invoice.credited_cents += …    any number of times, on one invoice object
    after_change(invoice, at)                           once, at the end
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from billing.domain.lifecycle import PaymentState, check_transition, state_by_amounts
from billing.domain.money import format_cents
from billing.models import Allocation, CreditEntry, CreditGrant, Invoice, Payment
from billing.queries.invoices import left_cents
from billing.queries.payments import unallocated_cents
from billing.usecases._accounts import UnableToSettle
from billing.usecases._events import NewEvent
from billing.usecases._ledger import (
    activate_grants,
    book_entries,
    cancel_pending,
    expect_again,
    return_to_pending,
    suspend_grants,
)
from billing.usecases._webhooks import announce_documents

OVER = frozenset({PaymentState.CANCELED, PaymentState.REFUNDED})


class TooMuchMoney(UnableToSettle):
    """There is not that much to allocate, to pay or to release."""


class Freed(NamedTuple):
    """Money of a payment that settles nothing any more, in cents."""

    payment: Payment
    cents: int


def allocate(payment: Payment, invoice: Invoice, cents: int, at: datetime) -> None:
    """Settle an invoice with unallocated money of a payment; `after_change` must follow.

    What this payment already settles of the invoice becomes part of one new, larger allocation. Raises TooMuchMoney
    when the payment has less than that unallocated or the invoice has less left to pay.
    """
    if not 0 < cents <= unallocated_cents(payment):
        raise TooMuchMoney(
            _("%(amount)s cannot be allocated: %(left)s of payment %(payment)s are unallocated.")
            % {"amount": format_cents(cents), "left": format_cents(unallocated_cents(payment)), "payment": payment}
        )
    if cents > payable_cents(invoice):
        raise TooMuchMoney(
            _("%(amount)s cannot be allocated: %(left)s of invoice %(invoice)s are left to pay.")
            % {"amount": format_cents(cents), "left": format_cents(payable_cents(invoice)), "invoice": invoice}
        )
    together_cents = cents
    for allocation in _in_force(invoice).filter(payment=payment):
        together_cents += allocation.amount_cents
        _undo(allocation, at, "")
    Allocation.objects.create(payment=payment, invoice=invoice, amount_cents=together_cents)
    _move(payment, invoice, cents)


def release(
    invoice: Invoice, cents: int, at: datetime, *, reason: str = "", credited_by: Invoice | None = None
) -> list[Freed]:
    """Free that much money of an invoice, newest allocations first; `after_change` must follow.

    It is unallocated on its payments again; of an allocation that is needed in part, the rest becomes one of its own.
    Either `reason` or the credit note in whose favour it is says why. Raises TooMuchMoney when less is paid.
    """
    if not 0 <= cents <= invoice.paid_cents:
        raise TooMuchMoney(
            _("%(amount)s cannot be released: %(paid)s of invoice %(invoice)s are paid.")
            % {"amount": format_cents(cents), "paid": format_cents(invoice.paid_cents), "invoice": invoice}
        )
    freed = []
    for allocation in _in_force(invoice).select_related("payment").order_by("-pk"):
        share_cents = min(cents, allocation.amount_cents)
        if not share_cents:
            break
        cents -= share_cents
        freed.append(undo(allocation, invoice, at, cents=share_cents, reason=reason, credited_by=credited_by))
    return freed


def undo(
    allocation: Allocation,
    invoice: Invoice,
    at: datetime,
    *,
    cents: int | None = None,
    reason: str = "",
    credited_by: Invoice | None = None,
) -> Freed:
    """Free the money of one allocation in force, or `cents` of it; `after_change` must follow."""
    freed_cents = allocation.amount_cents if cents is None else cents
    kept_cents = allocation.amount_cents - freed_cents
    _undo(allocation, at, reason, credited_by)
    if kept_cents:
        Allocation.objects.create(payment=allocation.payment, invoice=invoice, amount_cents=kept_cents)
    _move(allocation.payment, invoice, -freed_cents)
    return Freed(allocation.payment, freed_cents)


def payable_cents(invoice: Invoice) -> int:
    """What money can still settle of an invoice, a written-off one included."""
    return 0 if PaymentState(invoice.payment_state) in OVER else left_cents(invoice)


def after_change(invoice: Invoice, at: datetime) -> None:
    """Store the amounts of an invoice, the payment state they make, and what that makes of the credits it sold.

    Calling it again changes nothing. A write-off or a hold is a change of `payment_state` before the call.
    """
    # The state that is stored may not be one that the amounts exclude, so both are stored at once.
    now = PaymentState(invoice.payment_state)
    new = state_by_amounts(
        now,
        total_cents=invoice.total_cents,
        paid_cents=invoice.paid_cents,
        credited_cents=invoice.credited_cents,
    )
    if new is not now:
        check_transition(now, new)
        invoice.payment_state = new.value
    invoice.save(update_fields=["paid_cents", "credited_cents", "payment_state"])
    settle_credits([invoice], at)
    if new is PaymentState.PAID and now is not new:
        announce_documents("invoice.paid", [invoice.pk], at=at)


def settle_credits(invoices: Iterable[Invoice], at: datetime) -> None:
    """Let the credits that invoices sold follow their payment states.

    Paid: usable. Not paid: what is unused waits (g). Written off: it does not count any more, nobody is expected to pay
    it, but it becomes usable should the customer pay after all. What a credit note takes back, it takes back itself.
    """
    for invoice in invoices:
        grant_ids = list(CreditGrant.objects.filter(sold_by=invoice).values_list("pk", flat=True))
        match PaymentState(invoice.payment_state):
            case PaymentState.PAID:
                activate_grants(grant_ids, at=at)
            case PaymentState.PENDING | PaymentState.PROCESSING | PaymentState.PAYMENT_HELD:
                suspend_grants(grant_ids, at=at)
                expect_again(grant_ids)
            case PaymentState.WONT_PAY:
                suspend_grants(grant_ids, at=at)
                cancel_pending(grant_ids)


def allocation_event(
    kind: str, payment: Payment, invoice: Invoice, cents: int, *, state_before: str, reason: str = ""
) -> NewEvent:
    """What happened between a payment and an invoice, once `after_change` was called."""
    return NewEvent(
        kind,
        organization_id=invoice.organization_id,
        invoice_id=invoice.pk,
        values={
            "payment": payment.reference,
            "cents": cents,
            "currency": payment.currency,
            "before": {"payment_state": state_before},
            "after": {"payment_state": invoice.payment_state, "left_cents": left_cents(invoice)},
        },
        reason=reason,
    )


def return_credits(entries: Sequence[CreditEntry], at: datetime) -> None:
    """Book `return` entries: credits that were used are there again; on a grant whose invoice is unpaid, they wait.

    The caller has locked the account of the grants.
    """
    grants = CreditGrant.objects.select_related("sold_by").in_bulk({entry.grant_id for entry in entries})
    usable = {id_ for id_, grant in grants.items() if grant.state == CreditGrant.State.ACTIVE}
    book_entries([entry for entry in entries if entry.grant_id in usable])
    return_to_pending([entry for entry in entries if entry.grant_id not in usable])
    settle_credits([grant.sold_by for grant in grants.values() if grant.sold_by], at)


def _in_force(invoice: Invoice) -> QuerySet[Allocation]:
    return Allocation.objects.filter(invoice=invoice, undone_at__isnull=True)


def _undo(allocation: Allocation, at: datetime, reason: str, credited_by: Invoice | None = None) -> None:
    allocation.undone_at, allocation.undone_reason, allocation.credited_by = at, reason, credited_by
    allocation.save(update_fields=["undone_at", "undone_reason", "credited_by"])


def _move(payment: Payment, invoice: Invoice, cents: int) -> None:
    # One payment may be in memory more than once.
    Payment.objects.filter(pk=payment.pk).update(allocated_cents=F("allocated_cents") + cents)
    payment.allocated_cents += cents
    invoice.paid_cents += cents
