"""The QR code of a bank transfer: what a bank's app reads in it."""

import pytest
from msgspec import structs

from billing.documents.transfer_code import transfer_code
from billing.domain.documents import Document
from tests.builders.documents import SELLER, make_credit_note, make_document, make_line


def test_the_fields_are_in_the_order_of_the_guideline() -> None:
    assert transfer_code(make_document()).split("\n") == [
        "BCD",
        "002",
        "1",
        "SCT",
        "AGRIFRPP",
        "Nuage Clair SAS",
        "FR7630006000011234567890189",
        "EUR818.92",
        "",
        "",
        "F20261102-000042",
    ]


def test_iban_and_bic_are_written_without_spaces_and_the_bic_may_be_missing() -> None:
    seller = structs.replace(SELLER, iban="fr76 3000 6000 0112 3456 7890 189", bic="")
    fields = transfer_code(make_document(seller=seller)).split("\n")

    assert (fields[4], fields[6]) == ("", "FR7630006000011234567890189")


def test_a_name_has_70_letters_at_most_and_never_a_line_break() -> None:
    fields = transfer_code(make_document(seller=structs.replace(SELLER, name="A\nB " * 50))).split("\n")

    assert len(fields) == 11
    assert len(fields[5]) <= 70


def test_cents_have_two_digits() -> None:
    document = make_document(lines=[make_line(net_cents=5, category="O", rate_bp=0)])
    assert "EUR0.05" in transfer_code(document).split("\n")


@pytest.mark.parametrize(
    "document",
    [
        make_credit_note(),
        make_document(lines=[]),
        make_document(number=None),
        make_document(currency="CHF"),
        make_document(seller=structs.replace(SELLER, iban="")),
        make_document(seller=structs.replace(SELLER, iban="FR7630006000011234567890188")),
        make_document(total_cents=1_000_000_000_00),
    ],
    ids=["credit note", "nothing due", "draft", "other currency", "no IBAN", "wrong IBAN", "beyond what SEPA moves"],
)
def test_there_is_no_code_when_no_transfer_is_asked_for(document: Document) -> None:
    assert transfer_code(document) == ""
