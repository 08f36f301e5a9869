"""A document in the business terms of EN 16931: what is French about it is here too.

Total: whatever a document holds, it has terms. What is missing or wrong is for the validation to say.
"""

from datetime import date

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import override

from billing.documents.e_invoice._text import clean, compact
from billing.documents.e_invoice.lines import (
    EURO,
    allowances,
    billed_period,
    invoice_lines,
    subtotals,
    totals,
)
from billing.documents.e_invoice.parties import buyer_party, is_french_company, seller_party
from billing.documents.e_invoice.terms import Note, Payment, Preceding, Terms
from billing.domain import legal
from billing.domain.documents import Document

SERVICES = "S1"
"""BT-23 as France codes it (BR-FR-08): an invoice for services."""

DUE_WHEN_INVOICED, DUE_WHEN_PAID = "5", "72"
_SEPA_TRANSFER, _TRANSFER = "58", "30"
_LEGAL_INFORMATION, _REGULATORY_INFORMATION, _GENERAL_INFORMATION = "ABL", "REG", "AAI"
_TREATMENT = "BAR"


def terms_of(document: Document) -> Terms:
    """Map a document, in its buyer's language. A draft has a provisional number, and a date to be written."""
    with override(document.buyer.language):
        return Terms(
            number=clean(document.number) if document.number else f"DRAFT-{document.id}",
            issue_date=_issue_date(document),
            is_credit_note=document.kind == "credit_note",
            currency=clean(document.currency),
            accounting_currency="" if document.currency == EURO else EURO,
            vat_due=_vat_due(document),
            due_date=None if document.kind == "credit_note" else document.due_date,
            buyer_reference=clean(document.buyer.cost_center),
            purchase_order=clean(document.buyer.purchase_order),
            buyer_account=clean(document.buyer.cost_center),
            payment_terms=_payment_terms(document),
            notes=_notes(document),
            process=SERVICES,
            preceding=_preceding(document),
            seller=seller_party(document),
            buyer=buyer_party(document),
            deliver_to=clean(document.buyer.organization_name),
            payment=_payment(document),
            period=billed_period(document),
            allowances=allowances(document),
            totals=totals(document),
            subtotals=subtotals(document),
            lines=invoice_lines(document),
        )


def _issue_date(document: Document) -> date:
    return document.issue_date or document.provision_month


def _vat_due(document: Document) -> str:
    """When VAT is due (BT-8): services are taxed when they are paid, unless the seller has opted for the debits."""
    if all(tax.category != "S" for tax in document.taxes):
        return ""
    return DUE_WHEN_INVOICED if document.seller.vat_on_debits else DUE_WHEN_PAID


def _payment_terms(document: Document) -> str:
    """Say in words what is to be paid until when (BT-20)."""
    if document.kind == "credit_note":
        return clean(_("Nothing to pay: this amount is credited."))
    if document.due_date is None:
        return clean(_("By the payment term that was agreed.")) if document.total_cents > 0 else ""
    return clean(_("Payable by %(day)s.") % {"day": date_format(document.due_date, "j F Y")})


def _preceding(document: Document) -> Preceding | None:
    reference = document.refers_to
    return Preceding(clean(reference.number), reference.issue_date) if reference else None


def _payment(document: Document) -> Payment | None:
    """A transfer to the seller's account, while there is something to pay; nothing without an account (BR-61)."""
    iban = compact(document.seller.iban).upper()
    if not iban or document.kind == "credit_note" or document.total_cents <= 0:
        return None
    code = _SEPA_TRANSFER if document.currency == EURO else _TRANSFER
    return Payment(code, clean(document.number or ""), iban, compact(document.seller.bic).upper())


def _notes(document: Document) -> tuple[Note, ...]:
    """The French mentions first, under the codes that the law gives them; how France treats it last (BR-FR-20)."""
    notes = [
        Note(clean(mention.text), mention.code if mention.code in legal.PAYMENT_CODES else _REGULATORY_INFORMATION)
        for mention in document.mentions
        if mention.code not in legal.EXEMPTION_CODES
    ]
    notes.append(Note(clean(document.seller.legal_mentions), _LEGAL_INFORMATION))
    notes.append(Note(_vat_number_note(document), _REGULATORY_INFORMATION))
    notes.append(Note(clean(document.note), _GENERAL_INFORMATION))
    if document.buyer.requires_e_invoice and is_french_company(document.buyer):
        notes.append(Note("B2B", _TREATMENT))
    return tuple(note for note in notes if note.text)


def _vat_number_note(document: Document) -> str:
    """The seller's VAT number, where no field may have it: outside the scope of VAT (BR-O-02)."""
    number = compact(document.seller.vat_number)
    if not number or all(tax.category != "O" for tax in document.taxes):
        return ""
    return clean(_("VAT number of the seller: %(number)s") % {"number": number})
