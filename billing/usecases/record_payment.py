"""Record money received, and settle invoices with it."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import NamedTuple

from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from billing.domain.lifecycle import DocumentState, PaymentState
from billing.domain.money import format_cents
from billing.models import Invoice, Payment
from billing.queries.months import local_day
from billing.queries.payments import unallocated_cents
from billing.usecases._accounts import lock_account
from billing.usecases._events import NewEvent, record_events
from billing.usecases._permissions import require
from billing.usecases._settlement import after_change, allocate, allocation_event, payable_cents
from organizations.models import Organization, User

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
    actor: User | None,
    at: datetime,
) -> Recorded:
    """Record a payment and settle the invoice it names, or the organization's oldest unpaid invoices.

    Oldest by issue date, then counter. What exceeds them stays unallocated on the account and never becomes credits. An
    invoice that is now paid in full makes the credits it sold usable; a partial payment does not. The payment may be
    older than the invoice, but not later than the day of `at`. The same payment again changes nothing.

    Raises a subclass of UnableToRecordPayment, with a sentence, and then stores nothing; NotAllowed.
    """
    require(actor, "billing.add_payment")
    _check(reference, amount_cents, date, method, at)
    organization = _account(organization_id)
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
        settled = list(_settle(payment, _payable_invoices(organization, named), at))
        record_events([_recorded(payment), *settled], actor=actor, at=at)
    else:
        _check_is_same(payment, content)
    return Recorded(payment, is_new)


def _check_is_same(payment: Payment, content: Mapping[str, object]) -> None:
    if any(getattr(payment, name) != value for name, value in content.items()):
        raise PaymentConflict(
            _("Payment %(reference)s is already recorded with other content: %(amount)s %(currency)s on %(day)s.")
            % {
                "reference": payment.reference,
                "amount": format_cents(payment.amount_cents),
                "currency": payment.currency,
                "day": date_format(payment.date),
            }
        )


def _check(reference: str, amount_cents: int, day: date, method: str, at: datetime) -> None:
    if not 1 <= len(reference) <= REFERENCE_LENGTH:
        raise InvalidPayment(
            _("A payment needs a reference of at most %(length)s characters.") % {"length": REFERENCE_LENGTH}
        )
    if amount_cents <= 0:
        raise InvalidPayment(
            _("A payment of %(amount)s is not money received.") % {"amount": format_cents(amount_cents)}
        )
    if method not in Payment.Method.values:
        raise InvalidPayment(
            _("%(method)s is not a payment method: write %(methods)s.")
            % {"method": f"{method!r:.40}", "methods": ", ".join(Payment.Method.values)}
        )
    if day > local_day(at):
        raise InvalidPayment(_("A payment cannot be dated in the future: %(day)s.") % {"day": date_format(day)})


def _account(organization_id: int) -> Organization:
    organization = lock_account(organization_id)
    if organization is None:
        raise UnknownOrganization(_("There is no organization %(organization)s.") % {"organization": organization_id})
    return organization


def _find_invoice(organization: Organization, number: str) -> Invoice:
    invoices = Invoice.objects.filter(
        number=number, kind=Invoice.Kind.INVOICE, document_state=DocumentState.ISSUED.value
    )
    invoice = invoices.filter(organization=organization).first()
    if invoice is not None:
        return invoice
    if invoices.exists():
        raise NotThisOrganizationsInvoice(
            _("Invoice %(invoice)s is not an invoice of %(organization)s.")
            % {"invoice": number, "organization": organization.external_id}
        )
    raise UnknownInvoice(_("There is no issued invoice %(number)s.") % {"number": number})


def _payable_invoices(organization: Organization, named: Invoice | None) -> Iterable[Invoice]:
    invoices = Invoice.objects.select_for_update(no_key=True).filter(
        organization=organization, kind=Invoice.Kind.INVOICE, document_state=DocumentState.ISSUED.value
    )
    if named is not None:
        return invoices.filter(pk=named.pk, payment_state__in=PAYABLE_WHEN_NAMED)
    return invoices.filter(payment_state__in=UNPAID).order_by("issue_date", "counter")


def _settle(payment: Payment, invoices: Iterable[Invoice], at: datetime) -> Iterable[NewEvent]:
    """Let the payment pay the invoices in their order, as far as it goes; yields what happened to each."""
    for invoice in invoices:
        share_cents = min(unallocated_cents(payment), payable_cents(invoice))
        if share_cents <= 0:
            continue
        state = invoice.payment_state
        allocate(payment, invoice, share_cents, at)
        after_change(invoice, at)
        yield allocation_event("payment.allocated", payment, invoice, share_cents, state_before=state)


def _recorded(payment: Payment) -> NewEvent:
    values = {"payment": payment.reference, "cents": payment.amount_cents, "currency": payment.currency}
    return NewEvent(
        "payment.recorded",
        organization_id=payment.organization_id,
        invoice_id=payment.requested_invoice_id,
        values={**values, "method": payment.method, "date": payment.date},
    )
