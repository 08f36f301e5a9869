"""The text of the QR code with which a bank's app fills in a SEPA transfer (EPC069-12, version 002)."""

from stdnum import bic, iban

from billing.domain.documents import Document

_NAME_LENGTH = 70
_REMITTANCE_LENGTH = 140
_HIGHEST_CENTS = 999_999_999_99


def transfer_code(document: Document) -> str:
    """Return the payload for a document that is to be paid in euro to an IBAN, else "".

    The remittance text is the document's number. The BIC is optional in version 002, which is for the EEA.
    """
    seller, cents = document.seller, document.total_cents
    if document.kind != "invoice" or document.number is None or document.currency != "EUR":
        return ""
    if not 0 < cents <= _HIGHEST_CENTS or not iban.is_valid(seller.iban):
        return ""
    lines = (
        "BCD",
        "002",
        "1",  # UTF-8
        "SCT",
        bic.compact(seller.bic) if bic.is_valid(seller.bic) else "",
        _one_line(seller.name)[:_NAME_LENGTH].strip(),
        iban.compact(seller.iban),
        f"EUR{cents // 100}.{cents % 100:02d}",
        "",  # purpose
        "",  # structured reference
        _one_line(document.number)[:_REMITTANCE_LENGTH],
    )
    return "\n".join(lines)


def _one_line(text: str) -> str:
    """A line break inside a name would shift every field after it."""
    return " ".join(text.split())
