"""Which VAT a customer is charged, and the tax subtotals of a document (domain page, section 6).

Rates are dated data, so they come as a mapping valid at the tax date; only the rules are here.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal

from msgspec import Struct
from stdnum.eu import vat

from billing.domain.money import vat_cents

Category = Literal["S", "AE", "O"]
"""UNCL5305 as EN 16931 uses it: standard rate, reverse charge, outside the scope of VAT."""

OTHER_EU_COUNTRIES: Final = frozenset(
    {"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "GR", "HR", "HU"}
    | {"IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"}
)
OWN_RATE_DEPARTMENTS: Final = frozenset({"GP", "MQ", "RE"})
FRENCH_VAT_TERRITORY: Final = frozenset({"FR"}) | OWN_RATE_DEPARTMENTS

# The first three digits of a French postcode name the overseas territory, which may have its own VAT or none.
OVERSEAS_POSTCODES: Final[Mapping[str, str]] = {
    "971": "GP",
    "972": "MQ",
    "973": "GF",
    "974": "RE",
    "975": "PM",
    "976": "YT",
    "977": "BL",
    "978": "MF",
    "984": "TF",
    "986": "WF",
    "987": "PF",
    "988": "NC",
}

# Constant sentences, so that a door can translate them.
MISSING_VAT_NUMBER: Final = "This EU company has no VAT number: it is charged VAT like a consumer."
INVALID_VAT_NUMBER: Final = (
    "The VAT number of this EU company is not a valid one of its country: it is charged VAT like a consumer."
)
UNEXPECTED_VAT_NUMBER: Final = (
    "This EU customer has a VAT number but is not marked as a company: it is charged VAT like a consumer."
)


class UnknownRate(LookupError):
    """The VAT of a customer cannot be told; the message says what to complete."""


class Customer(Struct, frozen=True, gc=False):
    """What decides the VAT of a customer: ISO 3166 country (EL is read as GR), postcode, status."""

    country: str
    postcode: str = ""
    is_company: bool = False
    vat_number: str = ""


class TaxTreatment(Struct, frozen=True, gc=False):
    """VAT category and rate in basis points; `finding` is a sentence for the reviewer, or None."""

    category: Category
    rate_bp: int
    finding: str | None = None


class TaxSubtotal(Struct, frozen=True, gc=False):
    """Base and VAT in cents of one category and rate (EN 16931 BG-23)."""

    category: Category
    rate_bp: int
    base_cents: int
    vat_cents: int


OUT_OF_SCOPE: Final = TaxTreatment("O", 0)
REVERSE_CHARGE: Final = TaxTreatment("AE", 0)


def tax_treatment(customer: Customer, *, rates: Mapping[str, int], over_oss_threshold: bool) -> TaxTreatment:
    """The VAT by the place of the customer of a French seller.

    `rates`: rate in basis points at the tax date, per territory (FR, GP, MQ, RE and the EU countries).
    France and Monaco: French rate. Guadeloupe, Martinique, Reunion: their own. Other overseas territories: out of
    scope. EU company with a valid VAT number of its country: reverse charge. EU consumer: French rate, or the rate of
    the country once the seller is over the OSS threshold. Everybody else, Northern Ireland too: out of scope.

    Raises UnknownRate when the country is missing or the rate is not in `rates`.
    """
    territory = _territory(customer)
    if territory in ("FR", "MC"):
        return TaxTreatment("S", _rate(rates, "FR"))
    if territory in OWN_RATE_DEPARTMENTS:
        return TaxTreatment("S", _rate(rates, territory))
    if territory not in OTHER_EU_COUNTRIES:
        return OUT_OF_SCOPE
    finding = _vat_number_finding(customer, territory)
    if customer.is_company and finding is None:
        return REVERSE_CHARGE
    return TaxTreatment("S", _rate(rates, territory if over_oss_threshold else "FR"), finding)


def tax_subtotals(lines: Iterable[tuple[Category, int, int]], fallback: TaxTreatment) -> list[TaxSubtotal]:
    """Base and VAT per (category, rate) of the lines (category, rate in basis points, net cents).

    VAT is rounded once per group, on the sum of its lines (EN 16931 BR-CO-17). Without any line the document keeps one
    subtotal of base 0, with the treatment of its customer. Sorted by category, then rate.
    """
    bases: dict[tuple[Category, int], int] = {}
    for category, rate_bp, net_cents in lines:
        group = category, rate_bp
        bases[group] = bases.get(group, 0) + net_cents
    if not bases:
        return [TaxSubtotal(fallback.category, fallback.rate_bp, 0, 0)]
    return [
        TaxSubtotal(category, rate_bp, base_cents, vat_cents(base_cents, rate_bp))
        for (category, rate_bp), base_cents in sorted(bases.items())
    ]


def territory_of(country: str, postcode: str) -> str:
    """The country of an address as ISO 3166 writes it, or the overseas territory that a French postcode names."""
    country = country.strip().upper()
    if country == "FR":
        digits = "".join([character for character in postcode if character.isdigit()])
        return OVERSEAS_POSTCODES.get(digits[:3], "FR")
    return "GR" if country == "EL" else country


def _territory(customer: Customer) -> str:
    territory = territory_of(customer.country, customer.postcode)
    if len(territory) != 2:
        raise UnknownRate(f"The customer's country is {territory!r}, not a code of two letters: complete the address.")
    return territory


def _vat_number_finding(customer: Customer, country: str) -> str | None:
    """Why an EU company is not under reverse charge; None for one that is, and for a plain consumer."""
    number = customer.vat_number.strip()
    if not customer.is_company:
        return UNEXPECTED_VAT_NUMBER if number else None
    if not number:
        return MISSING_VAT_NUMBER
    return None if _is_vat_number_of(number, country) else INVALID_VAT_NUMBER


def _is_vat_number_of(number: str, country: str) -> bool:
    """Whether the number has its country's prefix (EL or GR for Greece), format and check digits."""
    prefixes = ("EL", "GR") if country == "GR" else (country,)
    return number.upper().startswith(prefixes) and vat.is_valid(number)


def _rate(rates: Mapping[str, int], territory: str) -> int:
    rate_bp = rates.get(territory)
    if rate_bp is None and territory == "GR":
        rate_bp = rates.get("EL")
    if rate_bp is None:
        raise UnknownRate(f"There is no VAT rate for {territory} at this date: add it to the tax rates.")
    return rate_bp
