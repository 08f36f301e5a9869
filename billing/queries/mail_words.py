"""An e-mail in words: subject, plain text and HTML, which say the same. They follow from the issued document alone."""

from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import override
from msgspec import Struct

from billing import formatting
from billing.models import OutgoingMail


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
        "total": f"{formatting.format_amount(invoice.total_cents)} {invoice.currency}".replace(
            " ", "\N{NO-BREAK SPACE}"
        ),
        "is_due": invoice.refers_to is None and invoice.total_cents > 0,
        "due_date": date_format(invoice.due_date, "j F Y") if invoice.due_date else "",
        "corrected": invoice.refers_to.number if invoice.refers_to else "",
        "customer": buyer.get("company") or buyer.get("name") or buyer.get("organization_name") or "",
        "seller": seller.get("name", ""),
        "iban": _in_fours(str(seller.get("iban") or "")),
        "bic": seller.get("bic") or "",
        "seller_email": seller.get("email") or "",
        "url": _portal_url(mail),
    }


def _portal_url(mail: OutgoingMail) -> str:
    """The document in the portal, which asks to sign in; nothing while nobody has said where the portal is."""
    if not settings.SITE_URL:
        return ""
    try:
        path = reverse("portal:invoice", args=[mail.organization.external_id, mail.invoice.number])
    except NoReverseMatch:
        path = "/"
    return f"{settings.SITE_URL}{path}"


def _in_fours(iban: str) -> str:
    packed = iban.replace(" ", "")
    return "\N{NO-BREAK SPACE}".join(packed[start : start + 4] for start in range(0, len(packed), 4))
