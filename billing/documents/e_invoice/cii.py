"""The e-invoice as UN/CEFACT Cross Industry Invoice (D22B): the XML that a Factur-X carries."""

from datetime import date

from billing.documents.e_invoice._xml import kept, leaf, node, to_bytes
from billing.documents.e_invoice.mapping import terms_of
from billing.documents.e_invoice.terms import (
    PROFILE,
    Allowance,
    Identifier,
    Line,
    Party,
    Payment,
    Period,
    Subtotal,
    Tax,
    Terms,
    Totals,
)
from billing.domain.documents import Document

_NAMESPACES = {
    "rsm": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
    "qdt": "urn:un:unece:uncefact:data:standard:QualifiedDataType:100",
}
_INVOICE, _CREDIT_NOTE = "380", "381"
_PIECE = "C62"


def cii_xml(document: Document) -> bytes:
    """Write a document as CII of the profile EN 16931: always the same bytes for the same document.

    Never raises for what a document holds: whether it makes a valid e-invoice is for the validation to say.
    """
    terms = terms_of(document)
    return to_bytes(
        "rsm:CrossIndustryInvoice",
        _NAMESPACES,
        node(
            "rsm:ExchangedDocumentContext",
            _id("ram:BusinessProcessSpecifiedDocumentContextParameter", terms.process),
            _id("ram:GuidelineSpecifiedDocumentContextParameter", PROFILE),
        ),
        _head(terms),
        node(
            "rsm:SupplyChainTradeTransaction",
            *(_line(line) for line in terms.lines),
            _agreement(terms),
            _delivery(terms),
            _settlement(terms),
        ),
    )


def _head(terms: Terms) -> str:
    return node(
        "rsm:ExchangedDocument",
        leaf("ram:ID", terms.number),
        leaf("ram:TypeCode", _CREDIT_NOTE if terms.is_credit_note else _INVOICE),
        _day("ram:IssueDateTime", terms.issue_date),
        *(
            node("ram:IncludedNote", leaf("ram:Content", note.text), leaf("ram:SubjectCode", note.subject))
            for note in terms.notes
        ),
    )


def _line(line: Line) -> str:
    return node(
        "ram:IncludedSupplyChainTradeLineItem",
        node("ram:AssociatedDocumentLineDocument", leaf("ram:LineID", line.id)),
        node("ram:SpecifiedTradeProduct", leaf("ram:Name", line.name), leaf("ram:Description", line.description)),
        node(
            "ram:SpecifiedLineTradeAgreement",
            node("ram:NetPriceProductTradePrice", leaf("ram:ChargeAmount", line.unit_price)),
        ),
        node("ram:SpecifiedLineTradeDelivery", leaf("ram:BilledQuantity", line.quantity, unitCode=_PIECE)),
        node(
            "ram:SpecifiedLineTradeSettlement",
            _tax("ram:ApplicableTradeTax", line.tax),
            _period(line.period),
            node("ram:SpecifiedTradeSettlementLineMonetarySummation", leaf("ram:LineTotalAmount", line.net)),
        ),
    )


def _agreement(terms: Terms) -> str:
    return node(
        "ram:ApplicableHeaderTradeAgreement",
        leaf("ram:BuyerReference", terms.buyer_reference),
        _party("ram:SellerTradeParty", terms.seller),
        _party("ram:BuyerTradeParty", terms.buyer),
        node("ram:BuyerOrderReferencedDocument", leaf("ram:IssuerAssignedID", terms.purchase_order)),
    )


def _delivery(terms: Terms) -> str:
    return kept(
        "ram:ApplicableHeaderTradeDelivery",
        node(
            "ram:ShipToTradeParty",
            leaf("ram:Name", terms.deliver_to),
            node("ram:PostalTradeAddress", leaf("ram:CountryID", terms.buyer.country)),
        ),
    )


def _party(tag: str, party: Party) -> str:
    return kept(
        tag,
        _identifier("ram:GlobalID", party.identifier),
        leaf("ram:Name", party.name),
        node("ram:SpecifiedLegalOrganization", _identifier("ram:ID", party.registration)),
        node(
            "ram:DefinedTradeContact",
            leaf("ram:PersonName", party.contact),
            node("ram:TelephoneUniversalCommunication", leaf("ram:CompleteNumber", party.phone)),
            node("ram:EmailURIUniversalCommunication", leaf("ram:URIID", party.email)),
        ),
        node(
            "ram:PostalTradeAddress",
            leaf("ram:PostcodeCode", party.postcode),
            leaf("ram:LineOne", party.address),
            leaf("ram:CityName", party.city),
            leaf("ram:CountryID", party.country),
        ),
        node("ram:URIUniversalCommunication", _identifier("ram:URIID", party.electronic_address)),
        node("ram:SpecifiedTaxRegistration", leaf("ram:ID", party.vat_number, schemeID="VA")),
    )


def _settlement(terms: Terms) -> str:
    return node(
        "ram:ApplicableHeaderTradeSettlement",
        leaf("ram:PaymentReference", terms.payment.reference if terms.payment else ""),
        leaf("ram:TaxCurrencyCode", terms.accounting_currency),
        leaf("ram:InvoiceCurrencyCode", terms.currency),
        _payment(terms.payment),
        *(_subtotal(subtotal, terms.vat_due) for subtotal in terms.subtotals),
        _period(terms.period),
        *(_allowance(allowance) for allowance in terms.allowances),
        node(
            "ram:SpecifiedTradePaymentTerms",
            leaf("ram:Description", terms.payment_terms),
            _day("ram:DueDateDateTime", terms.due_date),
        ),
        _totals(terms.totals, terms),
        _preceding(terms),
        _id("ram:ReceivableSpecifiedTradeAccountingAccount", terms.buyer_account),
    )


def _payment(payment: Payment | None) -> str:
    if payment is None:
        return ""
    return node(
        "ram:SpecifiedTradeSettlementPaymentMeans",
        leaf("ram:TypeCode", payment.code),
        node("ram:PayeePartyCreditorFinancialAccount", leaf("ram:IBANID", payment.iban)),
        node("ram:PayeeSpecifiedCreditorFinancialInstitution", leaf("ram:BICID", payment.bic)),
    )


def _subtotal(subtotal: Subtotal, vat_due: str) -> str:
    return node(
        "ram:ApplicableTradeTax",
        leaf("ram:CalculatedAmount", subtotal.vat),
        leaf("ram:TypeCode", "VAT"),
        leaf("ram:ExemptionReason", subtotal.reason),
        leaf("ram:BasisAmount", subtotal.base),
        leaf("ram:CategoryCode", subtotal.tax.category),
        leaf("ram:ExemptionReasonCode", subtotal.reason_code),
        leaf("ram:DueDateTypeCode", vat_due if subtotal.tax.category == "S" else ""),
        leaf("ram:RateApplicablePercent", subtotal.tax.rate or ""),
    )


def _allowance(allowance: Allowance) -> str:
    return node(
        "ram:SpecifiedTradeAllowanceCharge",
        node("ram:ChargeIndicator", leaf("udt:Indicator", "false")),
        leaf("ram:ActualAmount", allowance.amount),
        leaf("ram:ReasonCode", allowance.reason_code),
        leaf("ram:Reason", allowance.reason),
        _tax("ram:CategoryTradeTax", allowance.tax),
    )


def _totals(totals: Totals, terms: Terms) -> str:
    return node(
        "ram:SpecifiedTradeSettlementHeaderMonetarySummation",
        leaf("ram:LineTotalAmount", totals.lines),
        leaf("ram:AllowanceTotalAmount", totals.allowances),
        leaf("ram:TaxBasisTotalAmount", totals.net),
        leaf("ram:TaxTotalAmount", totals.vat, currencyID=terms.currency),
        leaf("ram:TaxTotalAmount", totals.vat_accounting, currencyID=terms.accounting_currency),
        leaf("ram:GrandTotalAmount", totals.gross),
        leaf("ram:DuePayableAmount", totals.due),
    )


def _preceding(terms: Terms) -> str:
    if terms.preceding is None:
        return ""
    return node(
        "ram:InvoiceReferencedDocument",
        leaf("ram:IssuerAssignedID", terms.preceding.number),
        node("ram:FormattedIssueDateTime", _date("qdt:DateTimeString", terms.preceding.issue_date)),
    )


def _tax(tag: str, tax: Tax) -> str:
    return node(
        tag,
        leaf("ram:TypeCode", "VAT"),
        leaf("ram:CategoryCode", tax.category),
        leaf("ram:RateApplicablePercent", tax.rate or ""),
    )


def _period(period: Period) -> str:
    return node(
        "ram:BillingSpecifiedPeriod", _day("ram:StartDateTime", period.first), _day("ram:EndDateTime", period.last)
    )


def _day(tag: str, day: date | None) -> str:
    return node(tag, _date("udt:DateTimeString", day)) if day else ""


def _date(tag: str, day: date) -> str:
    return leaf(tag, f"{day:%Y%m%d}", format="102")


def _id(tag: str, value: str) -> str:
    return node(tag, leaf("ram:ID", value))


def _identifier(tag: str, identifier: Identifier | None) -> str:
    return leaf(tag, identifier.value, schemeID=identifier.scheme) if identifier else ""
