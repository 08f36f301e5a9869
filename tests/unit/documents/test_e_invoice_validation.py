"""E-invoices against the official schemas and rules, by the process that validates.

Few tests for many documents: each process that runs tests starts a validating one, which reads the rules for seconds.
"""

from random import Random
from typing import Any

import pytest
from msgspec import structs

from billing.documents.e_invoice import cii_xml
from billing.documents.e_invoice.validation import CheckerUnavailable, check, validate
from billing.documents.e_invoice.validation.checker import SCHEMAS
from billing.documents.e_invoice.validation.process import Checker, rules_folder
from billing.domain.documents import Buyer, Document, Seller
from tests.builders.documents import BUYER, SELLER, make_credit_note, make_document
from tests.builders.e_invoices import CASES, EXCHANGE, MUST_GET_ONE, Case, make_of_case, make_random

FRANCE = CASES[0]


def everything_wrong(documents: list[tuple[str, Document, Case]]) -> list[tuple[object, ...]]:
    """What both syntaxes break; the French rules know no foreign rates."""
    return [
        (name, syntax, failure)
        for name, document, case in documents
        for syntax in ("cii", "ubl")
        for failure in check(document, syntax, french=case.is_french)
    ]


def test_every_vat_case_is_valid_in_both_syntaxes() -> None:
    on_debits = structs.replace(SELLER, vat_on_debits=True, iban="")
    documents = [(case.name, make_of_case(case), case) for case in CASES]
    documents += [(f"credit note, {case.name}", make_of_case(case, "credit_note"), case) for case in CASES[::3]]
    documents += [
        ("nothing to bill", make_of_case(FRANCE, lines=[]), FRANCE),
        ("VAT on debits, no account", make_of_case(FRANCE, seller=on_debits), FRANCE),
        ("dollars", make_of_case(FRANCE, currency="USD", exchange=EXCHANGE), FRANCE),
        ("dollars without VAT", make_of_case(CASES[-1], currency="USD"), CASES[-1]),
        ("odd characters", make_of_case(FRANCE, note="<b>\x00\ud800 #PMT# & 🎉"), FRANCE),
    ]
    assert everything_wrong(documents) == []


@pytest.mark.long
def test_any_document_is_valid_in_both_syntaxes() -> None:
    random = Random(20261101)  # the same documents every time
    documents = [(str(number), *make_random(random)) for number in range(300)]
    assert everything_wrong(documents) == []


def test_what_is_wrong_is_found_and_named() -> None:
    def problems(**changes: Any) -> set[str]:
        return {failure.problem or failure.rule for failure in validate(make_of_case(FRANCE, **changes))}

    def to(**changes: object) -> Buyer:
        return structs.replace(MUST_GET_ONE, **changes)

    of = FRANCE
    assert problems() == set()
    assert {p.problem for p in validate(make_of_case(Case("", to(siren="", email="a@b.example"))))} == {
        "buyer_siren",
        "buyer_french_address",
    }
    for country in ("FR", "RE"):
        overseas = structs.replace(of.buyer, country=country, postcode="97400", siren="", requires_e_invoice=True)
        assert "buyer_siren" in {p.problem for p in validate(make_of_case(Case("", overseas)))}, country
    assert {p.problem for p in validate(make_of_case(Case("", to(siren="123456789"))))} == {"buyer_siren_invalid"}
    assert {p.problem for p in validate(make_of_case(Case("", to(address="", country=""))))} >= {"buyer_address"}
    assert {p.problem for p in validate(make_of_case(Case("", structs.replace(of.buyer, vat_number="123"))))} == {
        "vat_number_prefix"
    }
    assert problems(currency="USD") == {"exchange_rate"}
    assert problems(currency="ABC", exchange=EXCHANGE) == {"currency_code"}
    assert {p.problem for p in validate(make_of_case(Case("", to(country="XK"))))} == {"country_code"}
    wrong_kind = structs.replace(BUYER, electronic_address="x", electronic_scheme="9999")
    assert {p.problem for p in validate(make_of_case(Case("", wrong_kind)))} == {"address_scheme"}
    assert problems(seller=structs.replace(SELLER, iban="FR00 1234")) == {"seller_iban"}
    assert problems(number="F 1") == {"number_series"}
    assert "legal_texts" in {failure.problem for failure in validate(make_document())}
    assert {failure.problem for failure in validate(make_of_case(FRANCE, "credit_note", refers_to=None))} == {
        "credited_invoice"
    }
    nobody = make_credit_note(seller=Seller(name=""), buyer=Buyer(organization="orga_1"))
    assert {failure.problem for failure in validate(nobody)} >= {"seller_name", "seller_siren", "buyer_name"}


def test_a_process_that_is_gone_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    checker = Checker(rules_folder())
    schema = SCHEMAS["cii", "invoice"]  # without stylesheets, which take seconds to read

    assert checker.failures(cii_xml(make_document()), schema=schema, stylesheets=()) == []
    assert checker._process is not None
    checker._process.kill()
    assert [rule for rule, _ in checker.failures(b"<no-invoice/>", schema=schema, stylesheets=())] == ["XSD"]
    assert [rule for rule, _ in checker.failures(b"no XML", schema=schema, stylesheets=())] == ["XML"]
    checker.close()

    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(CheckerUnavailable):
        checker.failures(b"<no-invoice/>", schema=schema, stylesheets=())
