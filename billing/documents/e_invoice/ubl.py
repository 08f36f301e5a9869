"""The e-invoice as UBL 2.1: an Invoice or a CreditNote."""

import re

from billing.documents.e_invoice._xml import kept, leaf, node, to_bytes
from billing.documents.e_invoice.mapping import DUE_WHEN_INVOICED, terms_of
from billing.documents.e_invoice.terms import (
    PROFILE,
    Allowance,
    Identifier,
    Line,
    Note,
    Party,
    Payment,
    Period,
    Subtotal,
    Tax,
    Terms,
)
from billing.domain.documents import Document

_SCHEMAS = "urn:oasis:names:specification:ubl:schema:xsd:"
_PIECE = "C62"
_SUBJECT = re.compile("#(?=[A-Z]{3}#)")


def ubl_xml(document: Document) -> bytes:
    """Write a document as UBL 2.1 of EN 16931: the same data as the CII, and always the same bytes."""
    terms = terms_of(document)
    return (_CreditNote if terms.is_credit_note else _Invoice)(terms).write()


class _Invoice:
    """Writes an Invoice; a CreditNote differs in a few names."""

    name, type_tag, type_code, line_tag, quantity_tag = (
        "Invoice",
        "InvoiceTypeCode",
        "380",
        "InvoiceLine",
        "InvoicedQuantity",
    )

    def __init__(self, terms: Terms) -> None:
        self.terms = terms

    def write(self) -> bytes:
        terms = self.terms
        namespaces = {
            "": f"{_SCHEMAS}{self.name}-2",
            "cac": f"{_SCHEMAS}CommonAggregateComponents-2",
            "cbc": f"{_SCHEMAS}CommonBasicComponents-2",
        }
        return to_bytes(
            self.name,
            namespaces,
            leaf("cbc:CustomizationID", PROFILE),
            leaf("cbc:ProfileID", terms.process),
            leaf("cbc:ID", terms.number),
            leaf("cbc:IssueDate", terms.issue_date.isoformat()),
            self.due_date(),
            leaf(f"cbc:{self.type_tag}", self.type_code),
            *(leaf("cbc:Note", _note(note)) for note in terms.notes),
            leaf("cbc:DocumentCurrencyCode", terms.currency),
            leaf("cbc:TaxCurrencyCode", terms.accounting_currency),
            leaf("cbc:AccountingCost", terms.buyer_account),
            leaf("cbc:BuyerReference", terms.buyer_reference),
            self.period(terms.period, _vat_due(terms.vat_due)),
            node("cac:OrderReference", leaf("cbc:ID", terms.purchase_order)),
            self.preceding(),
            kept("cac:AccountingSupplierParty", self.party(terms.seller)),
            kept("cac:AccountingCustomerParty", self.party(terms.buyer)),
            self.delivery(),
            self.payment(terms.payment),
            node("cac:PaymentTerms", leaf("cbc:Note", terms.payment_terms)),
            *(self.allowance(allowance) for allowance in terms.allowances),
            *self.taxes(),
            self.totals(),
            *(self.line(line) for line in terms.lines),
        )

    def due_date(self) -> str:
        return leaf("cbc:DueDate", self.terms.due_date.isoformat() if self.terms.due_date else "")

    def period(self, period: Period, vat_due: str = "") -> str:
        return node(
            "cac:InvoicePeriod",
            leaf("cbc:StartDate", period.first.isoformat()),
            leaf("cbc:EndDate", period.last.isoformat()),
            leaf("cbc:DescriptionCode", vat_due),
        )

    def preceding(self) -> str:
        preceding = self.terms.preceding
        if preceding is None:
            return ""
        return node(
            "cac:BillingReference",
            node(
                "cac:InvoiceDocumentReference",
                leaf("cbc:ID", preceding.number),
                leaf("cbc:IssueDate", preceding.issue_date.isoformat()),
            ),
        )

    def party(self, party: Party) -> str:
        return kept(
            "cac:Party",
            self.identifier("cbc:EndpointID", party.electronic_address),
            node("cac:PartyIdentification", self.identifier("cbc:ID", party.identifier)),
            node(
                "cac:PostalAddress",
                leaf("cbc:StreetName", party.address),
                leaf("cbc:CityName", party.city),
                leaf("cbc:PostalZone", party.postcode),
                node("cac:Country", leaf("cbc:IdentificationCode", party.country)),
            ),
            node("cac:PartyTaxScheme", leaf("cbc:CompanyID", party.vat_number), self.vat()) if party.vat_number else "",
            node(
                "cac:PartyLegalEntity",
                leaf("cbc:RegistrationName", party.name),
                self.identifier("cbc:CompanyID", party.registration),
            ),
            node(
                "cac:Contact",
                leaf("cbc:Name", party.contact),
                leaf("cbc:Telephone", party.phone),
                leaf("cbc:ElectronicMail", party.email),
            ),
        )

    def delivery(self) -> str:
        country = node("cac:Country", leaf("cbc:IdentificationCode", self.terms.buyer.country))
        return node(
            "cac:Delivery",
            node("cac:DeliveryLocation", node("cac:Address", country)),
            node("cac:DeliveryParty", node("cac:PartyName", leaf("cbc:Name", self.terms.deliver_to))),
        )

    def payment(self, payment: Payment | None) -> str:
        if payment is None:
            return ""
        return node(
            "cac:PaymentMeans",
            leaf("cbc:PaymentMeansCode", payment.code),
            leaf("cbc:PaymentID", payment.reference),
            node(
                "cac:PayeeFinancialAccount",
                leaf("cbc:ID", payment.iban),
                node("cac:FinancialInstitutionBranch", leaf("cbc:ID", payment.bic)),
            ),
        )

    def allowance(self, allowance: Allowance) -> str:
        return node(
            "cac:AllowanceCharge",
            leaf("cbc:ChargeIndicator", "false"),
            leaf("cbc:AllowanceChargeReasonCode", allowance.reason_code),
            leaf("cbc:AllowanceChargeReason", allowance.reason),
            self.amount("cbc:Amount", allowance.amount),
            self.tax("cac:TaxCategory", allowance.tax),
        )

    def taxes(self) -> tuple[str, str]:
        terms = self.terms
        total = node(
            "cac:TaxTotal",
            self.amount("cbc:TaxAmount", terms.totals.vat),
            *(self.subtotal(subtotal) for subtotal in terms.subtotals),
        )
        in_euros = leaf("cbc:TaxAmount", terms.totals.vat_accounting, currencyID=terms.accounting_currency)
        return total, node("cac:TaxTotal", in_euros)

    def subtotal(self, subtotal: Subtotal) -> str:
        return node(
            "cac:TaxSubtotal",
            self.amount("cbc:TaxableAmount", subtotal.base),
            self.amount("cbc:TaxAmount", subtotal.vat),
            self.tax(
                "cac:TaxCategory",
                subtotal.tax,
                leaf("cbc:TaxExemptionReasonCode", subtotal.reason_code),
                leaf("cbc:TaxExemptionReason", subtotal.reason),
            ),
        )

    def totals(self) -> str:
        totals = self.terms.totals
        return node(
            "cac:LegalMonetaryTotal",
            self.amount("cbc:LineExtensionAmount", totals.lines),
            self.amount("cbc:TaxExclusiveAmount", totals.net),
            self.amount("cbc:TaxInclusiveAmount", totals.gross),
            self.amount("cbc:AllowanceTotalAmount", totals.allowances),
            self.amount("cbc:PayableAmount", totals.due),
        )

    def line(self, line: Line) -> str:
        return node(
            f"cac:{self.line_tag}",
            leaf("cbc:ID", line.id),
            leaf(f"cbc:{self.quantity_tag}", line.quantity, unitCode=_PIECE),
            self.amount("cbc:LineExtensionAmount", line.net),
            self.period(line.period),
            node(
                "cac:Item",
                leaf("cbc:Description", line.description),
                leaf("cbc:Name", line.name),
                self.tax("cac:ClassifiedTaxCategory", line.tax),
            ),
            node("cac:Price", self.amount("cbc:PriceAmount", line.unit_price)),
        )

    def tax(self, tag: str, tax: Tax, *exemption: str) -> str:
        return node(
            tag,
            leaf("cbc:ID", tax.category),
            leaf("cbc:Percent", tax.rate or ""),
            *exemption,
            self.vat(),
        )

    def vat(self) -> str:
        return node("cac:TaxScheme", leaf("cbc:ID", "VAT"))

    def amount(self, tag: str, amount: str) -> str:
        return leaf(tag, amount, currencyID=self.terms.currency)

    def identifier(self, tag: str, identifier: Identifier | None) -> str:
        return leaf(tag, identifier.value, schemeID=identifier.scheme) if identifier else ""


class _CreditNote(_Invoice):
    """A credit note has no due date of its own."""

    name, type_tag, type_code, line_tag, quantity_tag = (
        "CreditNote",
        "CreditNoteTypeCode",
        "381",
        "CreditNoteLine",
        "CreditedQuantity",
    )

    def due_date(self) -> str:
        return ""


def _note(note: Note) -> str:
    """UBL has one field: the subject stands before the text, between hashes (as France reads it, BR-FR-05)."""
    text = _SUBJECT.sub("", note.text)
    return f"#{note.subject}#{text}" if note.subject else text


def _vat_due(code: str) -> str:
    """BT-8 is a code of UNTDID 2005 here: 3 when invoiced, 432 when paid."""
    if not code:
        return ""
    return "3" if code == DUE_WHEN_INVOICED else "432"
