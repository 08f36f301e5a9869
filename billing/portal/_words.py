"""Where the money of an invoice is, in words for the customer."""

from dataclasses import dataclass
from datetime import date

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from billing.documents import _figures as figures
from billing.domain.lifecycle import PaymentState
from billing.models import Invoice
from billing.queries.customer_invoices import is_overdue
from billing.queries.invoices import left_cents, uses_credits


@dataclass(frozen=True)
class Status:
    """A label of few words, its colour (a class of portal.css), and a sentence that explains it."""

    label: str
    tone: str
    sentence: str


def status_of(invoice: Invoice, *, today: date) -> Status:
    """Say where the money of an issued document is."""
    if invoice.kind == Invoice.Kind.CREDIT_NOTE:
        return Status(_("Credit note"), "info", _("It takes back an invoice or a part of it. There is nothing to pay."))
    match PaymentState(invoice.payment_state):
        case PaymentState.PENDING:
            return _pending(invoice, today)
        case PaymentState.PROCESSING:
            sentence = _("Your payment is on its way: we wait for the bank to confirm it. You need not do anything.")
            return Status(_("Awaiting validation"), "info", sentence)
        case PaymentState.PAYMENT_HELD:
            sentence = _("The payment is on hold while we look into it. You need not do anything until you hear of us.")
            return Status(_("Payment on hold"), "warn", sentence)
        case PaymentState.PAID:
            return _paid(invoice)
        case PaymentState.CANCELED:
            return Status(_("Cancelled"), "", _cancelled(invoice))
        case PaymentState.REFUNDED:
            return Status(_("Refunded"), "", _("It was credited as a whole after it had been paid."))
    return Status(_("Written off"), "", _("What is left of it is not asked for any more."))


def _pending(invoice: Invoice, today: date) -> Status:
    money = figures.money(left_cents(invoice), invoice.currency)
    day = _day(invoice.due_date)
    if is_overdue(invoice, today) and invoice.due_date is not None:
        late = (today - invoice.due_date).days
        label = ngettext("%(number)d day late", "%(number)d days late", late) % {"number": late}
        return Status(label, "bad", _("%(amount)s was due on %(day)s.") % {"amount": money, "day": day})
    sentence = _("%(amount)s is to be paid by %(day)s.") % {"amount": money, "day": day}
    if invoice.paid_cents:
        return Status(_("Partly paid"), "warn", sentence)
    return Status(_("To pay"), "warn", sentence)


def _paid(invoice: Invoice) -> Status:
    if not invoice.total_cents:
        nothing = _("There is nothing to pay: this invoice is settled.")
        covered = _("Your credits covered everything: there was nothing to pay.")
        return Status(pgettext("invoice", "Settled"), "good", covered if uses_credits(invoice) else nothing)
    if invoice.credited_cents:
        return Status(
            pgettext("invoice", "Paid"), "good", _("It is settled: a part of it was credited, the rest is paid.")
        )
    return Status(pgettext("invoice", "Paid"), "good", _("It is paid in full. Thank you."))


def _cancelled(invoice: Invoice) -> str:
    if invoice.released:
        return _("It was credited as a whole, and its month is invoiced anew.")
    return _("It was credited as a whole: there is nothing to pay.")


def _day(day: date | None) -> str:
    return date_format(day) if day else ""
