"""Word a document for its readers, in their language: the one source of the PDF's and the HTML page's text."""

from django.utils import translation
from django.utils.translation import gettext as _

from billing.documents import _figures as figures
from billing.documents._print_parties import buyer_block, facts, seller_block
from billing.documents._print_statement import print_statement
from billing.documents._print_summary import print_lines, print_payment, print_taxes
from billing.documents._print_usage import print_usage
from billing.documents.printed import Payment, Printed, Total
from billing.domain.documents import Document, Language
from billing.domain.money import euro_cents

__all__ = ["Printed", "print_document"]


def print_document(document: Document, language: Language | None = None) -> Printed:
    """Return the document's text in a language, the buyer's unless told otherwise."""
    language = language or document.buyer.language
    with translation.override(language):
        return _print(document, language)


def _print(document: Document, language: Language) -> Printed:
    is_invoice, payment = document.kind == "invoice", print_payment(document)
    return Printed(
        language=language,
        kind=document.kind,
        is_draft=document.is_draft,
        title=_title(document),
        subtitle=_subtitle(document),
        watermark=_("Draft") if document.is_draft else "",
        facts=facts(document),
        logo=document.seller.logo,
        seller=seller_block(document.seller),
        buyer=buyer_block(document.buyer),
        currency=document.currency,
        lines=print_lines(document),
        taxes=print_taxes(document),
        tax_columns=(_("VAT"), _("Base"), _("Amount")),
        subtotal=Total(_("Subtotal excl. VAT"), figures.amount(document.subtotal_cents)),
        vat=Total(_("Total VAT"), figures.amount(document.vat_cents)),
        euro_vat=_euro_vat(document),
        total=Total(_("Total incl. VAT"), figures.amount(document.total_cents)),
        due=Total(
            _("Amount to pay") if is_invoice else _("Amount credited"),
            figures.money(document.total_cents, document.currency),
            strong=True,
        ),
        due_note=_due_note(document, payment),
        payment=payment,
        statement=print_statement(document),
        usage=print_usage(document),
        note_heading=_("Note"),
        note=document.note,
        mentions_heading=_("Legal notes"),
        mentions=tuple(mention.text for mention in document.mentions),
        footer=document.seller.legal_mentions,
        page_label=_("Page"),
    )


def _title(document: Document) -> str:
    """Name the document; what has no number yet says so."""
    if document.kind == "credit_note":
        return _("Credit note %(number)s") % {"number": document.number} if document.number else _("Draft credit note")
    return _("Invoice %(number)s") % {"number": document.number} if document.number else _("Draft invoice")


def _subtitle(document: Document) -> str:
    sentences = []
    if document.refers_to is not None:
        sentences.append(
            _("Corrects invoice %(number)s of %(day)s.")
            % {"number": document.refers_to.number, "day": figures.day(document.refers_to.issue_date)}
        )
    if document.is_draft:
        sentences.append(_("This is not an invoice: its figures may still change until it is issued."))
    return " ".join(sentences)


def _due_note(document: Document, payment: Payment | None) -> str:
    """Say beside the amount until when it is to be paid, or that there is nothing to pay."""
    if document.kind != "invoice":
        return ""
    if document.total_cents <= 0:
        return payment.sentence if payment else ""
    return _("Due on %(day)s") % {"day": figures.day(document.due_date)} if document.due_date else ""


def _euro_vat(document: Document) -> Total | None:
    """Give the VAT in euros, which an invoice in another currency must name too."""
    exchange = document.exchange
    if exchange is None or exchange.per_euro_micro <= 0:
        return None
    label = _("VAT in EUR (1 EUR = %(rate)s %(currency)s on %(day)s)") % {
        "rate": figures.quantity(exchange.per_euro_micro),
        "currency": document.currency,
        "day": figures.day(exchange.day),
    }
    return Total(label, figures.amount(euro_cents(document.vat_cents, exchange.per_euro_micro)))
