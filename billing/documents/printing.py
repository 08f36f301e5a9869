"""Word a document for its readers, in their language: the one source of the PDF's and the HTML page's text."""

from django.utils import translation
from django.utils.translation import gettext as _

from billing.documents import _figures as figures
from billing.documents._print_parties import buyer_block, facts, seller_block
from billing.documents._print_statement import print_statement
from billing.documents._print_summary import print_lines, print_payment, print_taxes
from billing.documents._print_usage import print_usage
from billing.documents.printed import Printed, Total
from billing.domain.documents import Document, Language

__all__ = ["Printed", "print_document"]


def print_document(document: Document, language: Language | None = None) -> Printed:
    """Return the document's text in a language, the buyer's unless told otherwise."""
    language = language or document.buyer.language
    with translation.override(language):
        return _print(document, language)


def _print(document: Document, language: Language) -> Printed:
    is_invoice = document.kind == "invoice"
    return Printed(
        language=language,
        kind=document.kind,
        is_draft=document.is_draft,
        title=_title(document),
        subtitle=_subtitle(document),
        watermark=_("Draft") if document.is_draft else "",
        facts=facts(document),
        seller=seller_block(document.seller),
        buyer=buyer_block(document.buyer),
        currency=document.currency,
        lines=print_lines(document),
        taxes=print_taxes(document),
        tax_columns=(_("VAT"), _("Base"), _("Amount")),
        subtotal=Total(_("Subtotal excl. VAT"), figures.amount(document.subtotal_cents)),
        vat=Total(_("Total VAT"), figures.amount(document.vat_cents)),
        total=Total(_("Total incl. VAT"), figures.amount(document.total_cents)),
        due=Total(
            _("Amount to pay") if is_invoice else _("Amount credited"),
            figures.money(document.total_cents, document.currency),
            strong=True,
        ),
        due_note=_due_note(document),
        payment=print_payment(document),
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


def _due_note(document: Document) -> str:
    """Say until when the amount is to be paid, beside the amount; what is settled or owed to the buyer has no date."""
    if document.kind != "invoice" or document.due_date is None or document.total_cents <= 0:
        return ""
    return _("Due on %(day)s") % {"day": figures.day(document.due_date)}
