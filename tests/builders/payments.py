"""Money received."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from itertools import count

from billing.models import Allocation, Invoice, Payment, Refund
from billing.queries.invoices import left_cents
from organizations.models import Organization

_serial = count(1)


def make_payment(
    *,
    organization: Organization,
    amount_cents: int = 10_000,
    reference: str | None = None,
    day: date = date(2026, 11, 5),
    method: str = "bank_transfer",
    requested_invoice: Invoice | None = None,
    settles: Mapping[Invoice, int] | None = None,
    at: datetime = datetime(2026, 11, 5, 9, 0, tzinfo=UTC),
) -> Payment:
    """Store a payment and what it settles, in cents per invoice; the rest is unallocated."""
    settles = settles or {}
    payment = Payment.objects.create(
        reference=reference or f"BANK-{next(_serial)}",
        organization=organization,
        amount_cents=amount_cents,
        allocated_cents=sum(settles.values()),
        currency=organization.currency,
        date=day,
        method=method,
        requested_invoice=requested_invoice,
        recorded_at=at,
    )
    for invoice, cents in settles.items():
        Allocation.objects.create(payment=payment, invoice=invoice, amount_cents=cents)
        invoice.paid_cents += cents
        if left_cents(invoice) == 0:
            invoice.payment_state = "paid"
        invoice.save(update_fields=["paid_cents", "payment_state"])
    return payment


def make_refund(
    *,
    payment: Payment,
    amount_cents: int = 1_000,
    kind: str = "refund",
    reference: str | None = None,
    day: date = date(2026, 11, 6),
    reason: str = "Paid twice",
    at: datetime = datetime(2026, 11, 6, 9, 0, tzinfo=UTC),
) -> Refund:
    """Store money of a payment that went back; it has to be unallocated."""
    payment.refunded_cents += amount_cents
    payment.save(update_fields=["refunded_cents"])
    return Refund.objects.create(
        kind=kind,
        reference=reference or f"BACK-{next(_serial)}",
        payment=payment,
        amount_cents=amount_cents,
        date=day,
        method=payment.method,
        reason=reason,
        recorded_at=at,
    )
