"""A printed document as a PDF that people and machines read: PDF/A-3a, PDF/UA-1 and, with the e-invoice, Factur-X."""

from billing.documents.pdf._typesetting import typeset
from billing.documents.pdf.factur_x import declare_factur_x
from billing.documents.printed import Printed

__all__ = ["make_pdf"]


def make_pdf(printed: Printed, *, timestamp: int, e_invoice: bytes | None = None) -> bytes:
    """Return the PDF of a document, with its e-invoice (CII, UTF-8) attached if there is one.

    `timestamp` (seconds since 1970) is the only time that the file names, so the same document always gives the same
    bytes.
    """
    if e_invoice is None:
        return typeset(printed, timestamp=timestamp)
    return declare_factur_x(typeset(printed, timestamp=timestamp, e_invoice=e_invoice.decode()))
