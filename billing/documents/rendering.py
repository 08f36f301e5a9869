"""The files of a document: what the archive keeps, the portal hands out and e-mails carry."""

from datetime import UTC, date, datetime, time

from billing.documents.e_invoice import cii_xml
from billing.documents.pdf import make_pdf
from billing.documents.printing import print_document
from billing.domain.documents import Document, Language, Rendered
from billing.queries.e_invoice_words import WORDS


class RateMissing(ValueError):
    """VAT has to be stated in euros too, and nobody knows at which rate: once one is added, rendering works."""


def render(document: Document) -> Rendered:
    """Return the PDF of an issued document, in its buyer's language, with its e-invoice inside, and that by itself.

    The same document always gives the same bytes. Raises RateMissing.
    """
    if document.lacks_rate:
        raise RateMissing(WORDS["exchange_rate"])
    xml = cii_xml(document)
    pdf = make_pdf(print_document(document), timestamp=_timestamp(document), e_invoice=xml)
    return Rendered(pdf=pdf, xml=xml)


def preview(document: Document, language: Language | None = None) -> bytes:
    """Return the PDF of a draft, or of any document in another language, without an e-invoice: for the eye only."""
    return make_pdf(print_document(document, language), timestamp=_timestamp(document))


def _timestamp(document: Document) -> int:
    """Date the files by the document: a clock would give other bytes each time."""
    day: date = document.issue_date or document.provision_month
    return int(datetime.combine(day, time(), UTC).timestamp())
