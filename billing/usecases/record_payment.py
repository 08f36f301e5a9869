"""Record money received, and settle invoices with it."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

from django.db import transaction

from billing.domain.lifecycle import DocumentState, PaymentState, check_transition
from billing.domain.money import format_cents
from billing.models import Allocation, CreditGrant, Invoice, Payment
from billing.queries.months import local_day
from billing.usecases._ledger import activate_grants
from organizations.models import Organization

REFERENCE_LENGTH = 100
UNPAID = (PaymentState.PENDING, PaymentState.PROCESSING, PaymentState.PAYMENT_HELD)
# A write-off is taken back when the customer pays after all, but only money sent for it does that.
PAYABLE_WHEN_NAMED = (*UNPAID, PaymentState.WONT_PAY)


class UnableToRecordPayment(ValueError):
    """Nothing was recorded; the message is a sentence that says why."""


class InvalidPayment(UnableToRecordPayment):
    """The amount, the method, the date or the reference cannot be right."""


class UnknownOrganization(UnableToRecordPayment):
    """Nobody has this id."""


class UnknownInvoice(UnableToRecordPayment):
    """No issued invoice has this number; drafts have none."""


class NotThisOrganizationsInvoice(UnableToRecordPayment):
    """The number belongs to an invoice of somebody else."""


class PaymentConflict(UnableToRecordPayment):
    """The reference is taken by a payment with other content."""


class Recorded(NamedTuple):
    """The stored payment; `is_new` is False when the same one was there before."""

    payment: Payment
    is_new: bool


@transaction.atomic
def record_payment(
    *,
    reference: str,
    organization_id: int,
    amount_cents: int,
    date: date,
    method: str,
    invoice_number: str | None,
    at: datetime,
) -> Recorded:
    """Record a payment and settle the invoice it names, or the organization's oldest unpaid invoices.

    Oldest by issue date, then counter. What exceeds them stays unallocated on the account and never becomes credits. An
    invoice that is now paid in full makes the credits it sold usable; a partial payment does not. The payment may be
    older than the invoice, but not later than the day of `at`. The same payment again changes nothing.

    Raises a subclass of UnableToRecordPayment, with a sentence, and then stores nothing.
    """
    _check(reference, amount_cents, date, method, at)
    organization = _lock(organization_id)
    named = None if invoice_number is None else _find_invoice(organization, invoice_number)
    content = {
        "organization_id": organization.pk,
        "requested_invoice_id": named.pk if named else None,
        "amount_cents": amount_cents,
        "date": date,
        "method": method,
    }
    # A claim instead of a look: the unique reference decides between two that arrive at once.
    payment, is_new = Payment.objects.get_or_create(
        reference=reference, defaults={**content, "currency": organization.currency, "recorded_at": at}
    )
    if is_new:
        _settle(payment, _payable_invoices(organization, named), at)
    elif any(getattr(payment, name) != value for name, value in content.items()):
        raise PaymentConflict(
            f"Payment {reference} is already recorded with other content: "
            f"{format_cents(payment.amount_cents)} {payment.currency} on {payment.date}."
        )
    return Recorded(payment, is_new)


def _check(reference: str, amount_cents: int, day: date, method: str, at: datetime) -> None:
    if not 1 <= len(reference) <= REFERENCE_LENGTH:
        raise InvalidPayment(f"A payment needs a reference of at most {REFERENCE_LENGTH} characters.")
    if amount_cents <= 0:
        raise InvalidPayment(f"A payment of {format_cents(amount_cents)} is not money received.")
    if method not in Payment.Method.values:
        raise InvalidPayment(f"{method!r:.40} is not a payment method: write {', '.join(Payment.Method.values)}.")
    if day > local_day(at):
        raise InvalidPayment(f"A payment cannot be dated in the future: {day}.")


def _lock(organization_id: int) -> Organization:
    """Take the organization's account: first lock of everything that moves its money or credits."""
    organization = Organization.objects.select_for_update(no_key=True).filter(pk=organization_id).first()
    if organization is None:
        raise UnknownOrganization(f"There is no organization {organization_id}.")
    return organization


def _find_invoice(organization: Organization, number: str) -> Invoice:
    invoices = Invoice.objects.filter(
        number=number, kind=Invoice.Kind.INVOICE, document_state=DocumentState.ISSUED.value
    )
    invoice = invoices.filter(organization=organization).first()
    if invoice is not None:
        return invoice
    if invoices.exists():
        raise NotThisOrganizationsInvoice(f"Invoice {number} is not an invoice of {organization.external_id}.")
    raise UnknownInvoice(f"There is no issued invoice {number}.")


def _payable_invoices(organization: Organization, named: Invoice | None) -> Iterable[Invoice]:
    invoices = Invoice.objects.select_for_update(no_key=True).filter(
        organization=organization, kind=Invoice.Kind.INVOICE, document_state=DocumentState.ISSUED.value
    )
    if named is not None:
        return invoices.filter(pk=named.pk, payment_state__in=PAYABLE_WHEN_NAMED)
    return invoices.filter(payment_state__in=UNPAID).order_by("issue_date", "counter")


def _settle(payment: Payment, invoices: Iterable[Invoice], at: datetime) -> None:
    """Let the payment pay the invoices in their order, as far as it goes."""
    left_cents = payment.amount_cents
    allocations, paid_ids = [], []
    for invoice in invoices:
        share_cents = min(left_cents, invoice.total_cents - invoice.paid_cents)
        if share_cents <= 0:
            continue
        left_cents -= share_cents
        allocations.append(Allocation(payment=payment, invoice=invoice, amount_cents=share_cents))
        if _pay(invoice, share_cents):
            paid_ids.append(invoice.pk)
    Allocation.objects.bulk_create(allocations)
    payment.allocated_cents = payment.amount_cents - left_cents
    payment.save(update_fields=["allocated_cents"])
    sold = CreditGrant.objects.filter(sold_by__in=paid_ids, state=CreditGrant.State.PENDING)
    activate_grants(list(sold.values_list("id", flat=True)), at=at)


def _pay(invoice: Invoice, cents: int) -> bool:
    """Add money to a locked invoice; tell whether it is now paid in full."""
    invoice.paid_cents += cents
    is_paid = invoice.paid_cents == invoice.total_cents
    if is_paid:
        check_transition(PaymentState(invoice.payment_state), PaymentState.PAID)
        invoice.payment_state = PaymentState.PAID.value
    invoice.save(update_fields=["paid_cents", "payment_state"])
    return is_paid
