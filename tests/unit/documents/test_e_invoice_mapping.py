"""A document in the business terms of EN 16931."""

from datetime import date
from typing import Any

import pytest
from msgspec import structs

from billing.documents.e_invoice.mapping import terms_of
from billing.documents.e_invoice.terms import Allowance, Identifier, Note, Period, Tax
from billing.domain.documents import Exchange, Mention
from billing.domain.quantities import MICRO
from billing.domain.taxation import TaxSubtotal
from tests.builders.documents import BUYER, SELLER, make_credit_note, make_document, make_line

MENTIONS = tuple(Mention(code, f"Text of {code}.") for code in ("PMT", "PMD", "AAB", "DEBITS", "AE", "O_ABROAD"))
OUT_OF_SCOPE = (TaxSubtotal("O", 0, 682_43, 0),)


def test_a_line_has_its_own_period_and_the_document_that_of_all() -> None:
    regularization = make_line(
        position=2, kind="regularization", period_start=date(2026, 10, 1), period_end=date(2026, 11, 1)
    )
    terms = terms_of(make_document(lines=[make_line(), regularization]))

    assert [line.period for line in terms.lines] == [
        Period(date(2026, 11, 1), date(2026, 11, 30)),
        Period(date(2026, 10, 1), date(2026, 10, 31)),
    ]
    assert terms.period == Period(date(2026, 10, 1), date(2026, 11, 30))
    assert terms.lines[0].name == "Credits provision, November 2026"


def test_discounts_are_allowances_of_their_vat_group() -> None:
    discount = make_line(position=2, kind="discount", name="Loyalty", net_cents=-10_00)
    terms = terms_of(make_document(lines=[make_line(), discount]))

    assert terms.allowances == (Allowance("10.00", Tax("S", "20"), "Loyalty", "95"),)
    assert (terms.totals.lines, terms.totals.allowances, terms.totals.net) == ("682.43", "10.00", "672.43")
    assert [line.id for line in terms.lines] == ["1"]


@pytest.mark.parametrize(
    ("quantity_micro", "price_micro", "net_cents", "expected"),
    [
        (2 * MICRO, 12_345_600, 24_69, ("2", "12.3456", "")),
        (-MICRO, 5_000_000, -5_00, ("-1", "5", "")),
        (MICRO, -5_000_000, -5_00, ("-1", "5", "")),  # a price is never negative
        (-MICRO, -5_000_000, 5_00, ("1", "5", "")),
        (123_456, 12_500_000, 1_54, ("1", "1.54", "0.123456 × 12.5")),  # six decimals are two too many
        (MICRO, 49_000_000, 33_19, ("1", "33.19", "1 × 49")),  # 49.00 * 21/31
        (MICRO, 49_000_000, -33_19, ("-1", "33.19", "1 × 49")),
    ],
)
def test_quantity_and_price_give_the_net_amount(
    quantity_micro: int, price_micro: int, net_cents: int, expected: tuple[str, str, str]
) -> None:
    line = make_line(
        kind="adjustment",
        name="By hand",
        quantity_micro=quantity_micro,
        unit_price_micro=price_micro,
        net_cents=net_cents,
    )
    (written,) = terms_of(make_document(lines=[line])).lines
    assert (written.quantity, written.unit_price, written.description) == expected


def test_a_document_without_lines_has_one_of_nothing() -> None:
    terms = terms_of(make_document(lines=[]))
    assert [(line.net, line.tax) for line in terms.lines] == [("0.00", Tax("S", "20"))]
    assert (terms.payment, terms.totals.due) == (None, "0.00")


def test_siren_and_siret_are_told_by_their_length() -> None:
    seller = terms_of(make_document(seller=structs.replace(SELLER, siren="404 833 048 00022"))).seller
    assert (seller.registration, seller.identifier) == (
        Identifier("404833048", "0002"),
        Identifier("40483304800022", "0009"),
    )
    buyer = terms_of(make_document()).buyer
    assert (buyer.registration, buyer.identifier) == (Identifier("303265045", "0002"), None)


def test_the_number_of_a_foreign_register_is_no_siren() -> None:
    buyer = terms_of(make_document(buyer=structs.replace(BUYER, country="BE", siren="0428759497"))).buyer
    assert (buyer.registration, buyer.identifier) == (Identifier("0428759497"), None)
    portuguese = structs.replace(BUYER, country="PT", siren="501964843")  # as many digits as a SIREN
    assert terms_of(make_document(buyer=portuguese)).buyer.registration == Identifier("501964843")


@pytest.mark.parametrize(
    ("profile", "address"),
    [
        ({"electronic_address": "303265045_PARIS", "electronic_scheme": "0225"}, Identifier("303265045_PARIS", "0225")),
        ({}, Identifier("303265045", "0225")),  # the directory gives every French company this one
        ({"siren": "", "email": "pay@atlas.example"}, Identifier("pay@atlas.example", "EM")),
        ({"country": "RE", "postcode": "97400"}, Identifier("303265045", "0225")),
        ({"country": "BE", "email": "pay@atlas.example"}, Identifier("pay@atlas.example", "EM")),
        ({"is_company": False, "email": "pay@atlas.example"}, Identifier("pay@atlas.example", "EM")),
        ({"siren": ""}, None),
    ],
)
def test_where_the_e_invoice_goes(profile: dict[str, Any], address: Identifier | None) -> None:
    assert terms_of(make_document(buyer=structs.replace(BUYER, **profile))).buyer.electronic_address == address


def test_the_french_mentions_are_notes_under_their_codes() -> None:
    terms = terms_of(make_document(mentions=MENTIONS, note="Thank you"))
    assert [note.subject for note in terms.notes] == ["PMT", "PMD", "AAB", "REG", "ABL", "AAI"]
    assert terms.process == "S1"


def test_outside_the_scope_of_vat_the_number_is_in_the_notes() -> None:
    terms = terms_of(make_document(lines=[make_line(category="O", rate_bp=0)], mentions=MENTIONS))

    assert (terms.seller.vat_number, terms.buyer.vat_number) == ("", "")
    assert Note("VAT number of the seller: FR83404833048", "REG") in terms.notes
    (subtotal,) = terms.subtotals
    assert (subtotal.tax, subtotal.reason, subtotal.reason_code) == (Tax("O", None), "Text of O_ABROAD.", "VATEX-EU-O")


def test_reverse_charge_says_why() -> None:
    (subtotal,) = terms_of(make_document(lines=[make_line(category="AE", rate_bp=0)], mentions=MENTIONS)).subtotals
    assert (subtotal.tax, subtotal.reason, subtotal.reason_code) == (Tax("AE", "0"), "Text of AE.", "VATEX-EU-AE")


@pytest.mark.parametrize(("on_debits", "code"), [(True, "5"), (False, "72")])
def test_when_vat_is_due(on_debits: bool, code: str) -> None:
    assert terms_of(make_document(seller=structs.replace(SELLER, vat_on_debits=on_debits))).vat_due == code


def test_payment_is_by_transfer_to_the_sellers_account() -> None:
    payment = terms_of(make_document()).payment
    assert payment is not None
    assert (payment.code, payment.iban, payment.bic) == ("58", "FR7630006000011234567890189", "AGRIFRPP")
    assert terms_of(make_document(seller=structs.replace(SELLER, iban=""))).payment is None


def test_a_credit_note_names_its_invoice_and_asks_for_nothing() -> None:
    terms = terms_of(make_credit_note())
    assert terms.preceding is not None
    assert (terms.preceding.number, terms.preceding.issue_date) == ("F20261102-000042", date(2026, 11, 2))
    assert (terms.is_credit_note, terms.payment, terms.due_date) == (True, None, None)
    assert terms.totals.gross == "818.92"


def test_vat_of_another_currency_is_stated_in_euros() -> None:
    # 136.49 USD / 1.0837 = 125.948...
    exchange = Exchange(date(2026, 10, 30), 1_083_700)
    terms = terms_of(make_document(currency="USD", exchange=exchange))
    assert (terms.currency, terms.accounting_currency, terms.totals.vat_accounting) == ("USD", "EUR", "125.95")
    assert terms.payment is not None
    assert terms.payment.code == "30"
    assert terms_of(make_document(currency="USD")).totals.vat_accounting == ""


def test_only_french_companies_that_must_get_one_are_named_as_such() -> None:
    required = structs.replace(BUYER, requires_e_invoice=True)
    for french in (required, structs.replace(required, country="RE", postcode="97400")):
        assert terms_of(make_document(buyer=french)).notes[-1] == Note("B2B", "BAR")
    for other in (BUYER, structs.replace(required, country="BE"), structs.replace(required, is_company=False)):
        assert all(note.subject != "BAR" for note in terms_of(make_document(buyer=other)).notes)
