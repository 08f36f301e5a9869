"""The locks of everything that moves an organization's money: its account first, then the document (domain page)."""

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from billing.domain.lifecycle import DocumentState
from billing.models import Allocation, Invoice, Payment
from organizations.models import Organization


class UnableToSettle(ValueError):
    """Nothing was changed; the message is a sentence that says why."""


class NoSuchPayment(UnableToSettle):
    """No payment, or no allocation, has this id."""


class NoSuchInvoice(UnableToSettle):
    """No issued invoice has this id: drafts and credit notes are not paid."""


class NoReason(UnableToSettle):
    """What takes money or an expectation away needs a reason."""


def lock_account(organization_id: int) -> Organization | None:
    """Take the account of an organization: first lock of everything that moves its money or credits.

    Whoever holds it may read and change its payments, allocations, refunds and sold credits without further locks.
    """
    return Organization.objects.select_for_update(no_key=True).filter(pk=organization_id).first()


def lock_payment(payment_id: int) -> Payment:
    """Take the account of a payment, and return the payment as it is then. Raises NoSuchPayment."""
    owner = Payment.objects.filter(pk=payment_id).values_list("organization_id", flat=True).first()
    if owner is None or lock_account(owner) is None:
        raise NoSuchPayment(_("This payment does not exist."))
    return Payment.objects.select_related("organization").get(pk=payment_id)


def lock_allocation(allocation_id: int) -> Allocation:
    """Take the account and the invoice of an allocation, and return it with both. Raises NoSuchPayment."""
    found = Allocation.objects.filter(pk=allocation_id).values_list("payment_id", "invoice_id").first()
    if found is None:
        raise NoSuchPayment(_("This allocation does not exist."))
    payment = lock_payment(found[0])
    invoice = lock_invoices([found[1]])[found[1]]
    allocation = Allocation.objects.get(pk=allocation_id)
    allocation.payment, allocation.invoice = payment, invoice
    return allocation


def lock_invoice(invoice_id: int) -> Invoice:
    """Take the account of an issued invoice, then the invoice. Raises NoSuchInvoice."""
    owner = _issued().filter(pk=invoice_id).values_list("organization_id", flat=True).first()
    if owner is None or lock_account(owner) is None:
        raise NoSuchInvoice(_("There is no such issued invoice."))
    return lock_invoices([invoice_id])[invoice_id]


def lock_invoices(invoice_ids: list[int]) -> dict[int, Invoice]:
    """Take issued invoices whose account is locked, in the order of their ids; others are left out."""
    rows = _issued().select_for_update(no_key=True).filter(pk__in=invoice_ids).order_by("pk")
    return {invoice.pk: invoice for invoice in rows}


def check_reason(reason: str) -> str:
    """Return a reason without space around it. Raises NoReason."""
    if not reason.strip():
        raise NoReason(_("Give a reason."))
    return reason.strip()


def _issued() -> QuerySet[Invoice]:
    return Invoice.objects.filter(kind=Invoice.Kind.INVOICE, document_state=DocumentState.ISSUED.value)
