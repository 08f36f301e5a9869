"""The e-invoice of a document: EN 16931, written as CII (which Factur-X carries) or as UBL."""

from billing.documents.e_invoice.cii import cii_xml
from billing.documents.e_invoice.ubl import ubl_xml

__all__ = ["cii_xml", "ubl_xml"]
