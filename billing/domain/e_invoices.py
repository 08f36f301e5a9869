"""What can be wrong with the e-invoice of a document: failed rules, grouped into what a person can mend."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct
from stdnum import iban
from stdnum.fr import siren, siret

from billing.domain.documents import Buyer, Document, Seller

_TERM = re.compile(r"\bB[TG]-\d+")
_RULE = re.compile(r"BR-FR(?:-[A-Z]+)?-\d+|BR-[A-Z0-9]+(?:-\d+)?|FX-SCH-A-\d+|[A-Z-]+\d*")
_SIREN_DIGITS = 9
SIREN_COUNTRIES: Final = frozenset({"FR", "MC", "GP", "MQ", "RE", "GF", "YT", "PM", "BL", "MF"})
"""Where companies have a SIREN, whatever VAT they are charged; the Pacific territories keep registers of their own."""

XSD: Final = "XSD"
"""The rule of whatever does not follow the schema."""

PROBLEMS: Final[Mapping[str, str]] = {
    "BR-06": "seller_name",
    "BR-07": "buyer_name",
    "BR-08": "seller_address",
    "BR-09": "seller_address",
    "BR-10": "buyer_address",
    "BR-11": "buyer_address",
    "BR-53": "exchange_rate",
    "BR-DEC-15": "exchange_rate",
    "BR-62": "seller_electronic_scheme",
    "BR-63": "buyer_electronic_scheme",
    "BR-CO-09": "vat_number_prefix",
    "BR-CO-26": "seller_siren",
    "BR-S-02": "seller_vat_number",
    "BR-S-03": "seller_vat_number",
    "BR-AE-02": "reverse_charge_numbers",
    "BR-AE-03": "reverse_charge_numbers",
    "BR-O-11": "mixed_with_out_of_scope",
    "BR-O-12": "mixed_with_out_of_scope",
    "BR-O-13": "mixed_with_out_of_scope",
    "BR-O-14": "mixed_with_out_of_scope",
    "BR-FR-01": "number_series",
    "BR-FR-02": "number_series",
    "BR-FR-05": "legal_texts",
    "BR-FR-10": "seller_siren",
    "BR-FR-11": "buyer_siren",
    "BR-FR-12": "buyer_electronic_address",
    "BR-FR-13": "seller_electronic_address",
    "BR-FR-16": "foreign_vat_rate",
    "BR-FR-21": "buyer_french_address",
    "BR-FR-CO-05": "credited_invoice",
    "BR-FR-CO-07": "due_date",
    "BR-FR-CO-12": "exchange_rate",
}
"""What a failed rule means to the person who can mend it; the words are in `queries.e_invoice_words`."""

_OF_PARTY: Final[Mapping[str, Mapping[str, str]]] = {
    "BR-FR-09": {"BT-29": "seller_siren", "BT-46": "buyer_siren"},
    "BR-FR-23": {"BT-34": "seller_electronic_address", "BT-49": "buyer_electronic_address"},
    "BR-FR-25": {"BT-34": "seller_electronic_address", "BT-49": "buyer_electronic_address"},
}


CODE_LISTS: Final = {
    "CountryID": "country_code",
    "CurrencyCode": "currency_code",
    "@currencyID": "currency_code",
    "@schemeID": "address_scheme",
}
"""Elements whose values are codes of a list, and what is to be mended where one is not of it."""


class Failure(Struct, frozen=True):
    """One thing that is wrong: the rule, the business term, what the rule says, and what to mend if that is known."""

    rule: str
    term: str = ""
    text: str = ""
    problem: str = ""


def rule_failures(failed: Iterable[tuple[str, str]]) -> tuple[Failure, ...]:
    """Make failures of failed rules (id and text)."""
    failures = tuple(_failure(id_, text) for id_, text in failed)
    # The profile's own rules repeat those of EN 16931 with other numbers, and in technical words.
    has_others = any(not failure.rule.startswith("FX-") for failure in failures)
    return distinct(failure for failure in failures if not (has_others and failure.rule.startswith("FX-")))


def distinct(failures: Iterable[Failure]) -> tuple[Failure, ...]:
    """Each failure once: what can be mended once is one, however many rules it breaks."""
    found: dict[str, Failure] = {}
    for failure in failures:
        found.setdefault(failure.problem or f"{failure.rule} {failure.term}", failure)
    return tuple(found.values())


def _failure(id_: str, text: str) -> Failure:
    match, term = _RULE.match(id_), _TERM.search(f"{id_.partition('_')[2]} {text}")
    rule, found = match[0] if match else id_, term[0] if term else ""
    problem = _OF_PARTY.get(rule, {}).get(found) or PROBLEMS.get(rule, "") or _code_problem(text)
    return Failure(rule, found, text[:500], problem)


def _code_problem(text: str) -> str:
    """The problem of a rule of the profile that says: Value of 'ram:CountryID' is not allowed."""
    return next((problem for name, problem in CODE_LISTS.items() if f"{name}' is not allowed" in text), "")


def own_failures(document: Document) -> tuple[Failure, ...]:
    """What no official rule looks at: check digits, and addresses as the post needs them."""
    return tuple(Failure(problem, term, value, problem) for problem, term, value in _own(document))


def _own(document: Document) -> Iterable[tuple[str, str, str]]:
    seller, buyer = document.seller, document.buyer
    if seller.siren and not _is_siren(seller):
        yield "seller_siren_invalid", "BT-30", seller.siren
    if buyer.siren and buyer.country.upper() in SIREN_COUNTRIES and not _is_siren(buyer):
        yield "buyer_siren_invalid", "BT-47", buyer.siren
    if not (seller.address and seller.city):
        yield "seller_address", "BG-5", ""
    if not (buyer.address and buyer.city):
        yield "buyer_address", "BG-8", ""
    if seller.iban and not iban.is_valid(seller.iban):
        yield "seller_iban", "BT-84", seller.iban


def _is_siren(party: Seller | Buyer) -> bool:
    digits = "".join(party.siren.split())
    return siren.is_valid(digits) if len(digits) <= _SIREN_DIGITS else siret.is_valid(digits)
