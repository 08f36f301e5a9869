"""Whether a document makes a valid e-invoice: XML schema, rules of EN 16931, French rules, and a few of our own."""

from billing.documents.e_invoice.validation.checker import Syntax, check, validate
from billing.documents.e_invoice.validation.process import CheckerUnavailable
from billing.domain.e_invoices import Failure

__all__ = ["CheckerUnavailable", "Failure", "Syntax", "check", "validate"]
