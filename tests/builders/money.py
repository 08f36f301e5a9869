"""Money in and out through the use cases, with what a test does not care about filled in."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from itertools import count

from billing.models import Allocation, CreditEntry, CreditGrant, Invoice, Payment, Refund
from billing.usecases.allocate_payment import Share, allocate_payment
from billing.usecases.issue_credit_note import issue_credit_note
from billing.usecases.prepare_credit_note import prepare_credit_note
from billing.usecases.record_chargeback import record_chargeback
from billing.usecases.record_payment import record_payment
from billing.usecases.refund_payment import refund_payment
from billing.usecases.take_back_write_off import take_back_write_off
from billing.usecases.undo_allocation import undo_allocation
from billing.usecases.write_off_invoice import write_off_invoice
from organizations.models import Organization, User

AT = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)

_serial = count(1)


def receive(
    organization: Organization,
    cents: int,
    *,
    for_invoice: Invoice | None = None,
    actor: User | None = None,
    at: datetime = AT,
) -> Payment:
    """Record a payment, for one invoice or for the oldest ones."""
    return record_payment(
        reference=f"PAY-{next(_serial)}",
        organization_id=organization.pk,
        amount_cents=cents,
        date=date(2026, 11, 15),
        method="bank_transfer",
        invoice_number=for_invoice.number if for_invoice else None,
        actor=actor,
        at=at,
    ).payment


def allocate(
    payment: Payment, *shares: tuple[Invoice, int | None], seen: int | None = None, actor: User | None = None
) -> Payment:
    """Settle invoices with unallocated money."""
    return allocate_payment(
        payment_id=payment.pk,
        shares=[Share(invoice.pk, cents) for invoice, cents in shares],
        seen_cents=seen,
        actor=actor,
        at=AT,
    )


def undo(payment: Payment, invoice: Invoice, *, reason: str = "Wrong invoice", actor: User | None = None) -> Allocation:
    """Undo what a payment settles of an invoice."""
    allocation = Allocation.objects.get(payment=payment, invoice=invoice, undone_at=None)
    return undo_allocation(allocation_id=allocation.pk, reason=reason, actor=actor, at=AT)


def charge_back(
    payment: Payment,
    *,
    reference: str | None = None,
    reason: str = "Insufficient funds",
    actor: User | None = None,
    at: datetime = AT,
) -> Refund:
    """The bank takes a payment back."""
    return record_chargeback(
        payment_id=payment.pk,
        reference=reference or f"BACK-{next(_serial)}",
        date=date(2026, 11, 18),
        reason=reason,
        actor=actor,
        at=at,
    ).refund


def refund(payment: Payment, cents: int, *, reference: str | None = None, actor: User | None = None) -> Refund:
    """Give unallocated money back."""
    return refund_payment(
        payment_id=payment.pk,
        reference=reference or f"BACK-{next(_serial)}",
        amount_cents=cents,
        date=date(2026, 11, 18),
        method="bank_transfer",
        reason="Paid twice",
        actor=actor,
        at=AT,
    ).refund


def write_off(invoice: Invoice, *, actor: User | None = None) -> None:
    """Stop expecting that an invoice is paid."""
    write_off_invoice(invoice_id=invoice.pk, reason="Bankrupt", actor=actor, at=AT)


def take_back(invoice: Invoice, *, actor: User | None = None) -> None:
    """Expect again that an invoice is paid."""
    take_back_write_off(invoice_id=invoice.pk, reason="The liquidator pays", actor=actor, at=AT)


def stands(invoice: Invoice) -> tuple[str, int]:
    """The payment state of an invoice, and what is paid of it in cents."""
    invoice.refresh_from_db()
    return invoice.payment_state, invoice.paid_cents


def credits_of(invoice: Invoice) -> tuple[str, int, int]:
    """The credits that an invoice sold: state, what remains, and what is pending, in cents."""
    grant = CreditGrant.objects.get(sold_by=invoice)
    return grant.state, grant.remaining_cents, grant.pending_cents


def ledger_of(invoice: Invoice) -> list[str]:
    """The entries of the credits that an invoice sold: "grant 10000"."""
    entries = CreditEntry.objects.filter(grant__sold_by=invoice).order_by("pk")
    return [f"{kind} {cents}" for kind, cents in entries.values_list("kind", "amount_cents")]


def money_of(payment: Payment) -> tuple[int, int, int]:
    """What of a payment settles invoices, went back, and is unallocated, in cents."""
    payment.refresh_from_db()
    settled, back = payment.allocated_cents, payment.refunded_cents
    return settled, back, payment.amount_cents - settled - back


def credit(
    invoice: Invoice,
    amounts: Mapping[str, int] | None = None,
    *,
    reason: str = "Outage on 12 October",
    actor: User | None = None,
    at: datetime = AT,
) -> Invoice:
    """Prepare and issue a credit note of `amounts` (cents by kind of line), or of all that is left."""
    note = prepare(invoice, amounts, reason=reason, actor=actor, at=at)
    return issue_credit_note(credit_note_id=note.pk, seen=note.fingerprint, actor=actor, at=at)


def prepare(
    invoice: Invoice,
    amounts: Mapping[str, int] | None = None,
    *,
    reason: str = "Outage on 12 October",
    actor: User | None = None,
    at: datetime = AT,
) -> Invoice:
    """Prepare a credit note of `amounts` (cents by kind of line), or of all that is left."""
    ids = dict(invoice.lines.values_list("kind", "pk"))
    by_line = None if amounts is None else {ids[kind]: cents for kind, cents in amounts.items()}
    return prepare_credit_note(invoice_id=invoice.pk, amounts=by_line, reason=reason, actor=actor, at=at)
