"""An e-mail in words: subject, plain text and HTML, which say the same.

They follow from the issued document and from what is left to pay of it: it may be settled before its e-mail leaves.
"""

from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import override
from msgspec import Struct

from billing import formatting
from billing.domain.lifecycle import PaymentState
from billing.models import Invoice, OutgoingMail
from billing.queries.invoices import due_cents, uses_credits


class MailText(Struct, frozen=True):
    """What a recipient reads."""

    subject: str
    text: str
    html: str


def compose(mail: OutgoingMail) -> MailText:
    """Word an e-mail in its language; the invoice comes along, and of a credit note what it refers to."""
    with override(mail.language):
        context = _context(mail)
        return MailText(
            subject=" ".join(_subject(context).split()),
            text=render_to_string("emails/document.txt", context),
            html=render_to_string("emails/document.html", context),
        )


def _subject(context: dict[str, Any]) -> str:
    if context["corrected"]:
        return _("Credit note %(number)s for invoice %(invoice)s, %(seller)s") % {
            "number": context["number"],
            "invoice": context["corrected"],
            "seller": context["seller"],
        }
    return _("Invoice %(number)s, %(month)s, %(seller)s") % {
        "number": context["number"],
        "month": context["month"],
        "seller": context["seller"],
    }


def _context(mail: OutgoingMail) -> dict[str, Any]:
    invoice = mail.invoice
    seller, buyer = invoice.seller or {}, invoice.buyer or {}
    return {
        "language": mail.language,
        "number": invoice.number,
        "month": formatting.format_month(invoice.consumption_month),
        "total": _money(invoice.total_cents, invoice.currency),
        "left": _money(due_cents(invoice), invoice.currency),
        "is_partly_settled": due_cents(invoice) < invoice.total_cents,
        "no_payment": _no_payment(invoice),
        "due_date": date_format(invoice.due_date, "j F Y") if invoice.due_date else "",
        "corrected": invoice.refers_to.number if invoice.refers_to else "",
        "customer": buyer.get("company") or buyer.get("name") or buyer.get("organization_name") or "",
        "seller": seller.get("name", ""),
        "iban": _in_fours(str(seller.get("iban") or "")),
        "bic": seller.get("bic") or "",
        "seller_email": seller.get("email") or "",
        "url": _portal_url(mail),
    }


def _no_payment(invoice: Invoice) -> str:
    """Why nobody is asked to pay an invoice, as the portal says it; nothing of one that is to be paid."""
    match invoice.payment_state:
        case PaymentState.PROCESSING:
            return _("Your payment is on its way: we wait for the bank to confirm it. You need not do anything.")
        case PaymentState.PAYMENT_HELD:
            return _("The payment is on hold while we look into it. You need not do anything until you hear of us.")
    if due_cents(invoice) > 0:
        return ""
    if invoice.total_cents > 0:
        return _("There is nothing left to pay.")
    if uses_credits(invoice):
        return _("There is nothing to pay: credits covered all of it.")
    return _("There is nothing to pay: this invoice is settled.")


def _money(cents: int, currency: str) -> str:
    return f"{formatting.format_amount(cents)} {currency}".replace(" ", "\N{NO-BREAK SPACE}")


def _portal_url(mail: OutgoingMail) -> str:
    """The document in the portal, which asks to sign in; nothing while nobody has said where the portal is."""
    if not settings.SITE_URL:
        return ""
    path = reverse("portal:invoice", args=[mail.organization.external_id, mail.invoice.number])
    return f"{settings.SITE_URL}{path}"


def _in_fours(iban: str) -> str:
    packed = iban.replace(" ", "")
    return "\N{NO-BREAK SPACE}".join(packed[start : start + 4] for start in range(0, len(packed), 4))
