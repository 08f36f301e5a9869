"""The buyer details of an organization as its members see them, and what they mean for VAT."""

import hashlib
from datetime import date

import msgspec
from django.utils.translation import gettext as _
from django_countries import countries

from billing import formatting
from billing.domain.taxation import (
    INVALID_VAT_NUMBER,
    MISSING_VAT_NUMBER,
    UNEXPECTED_VAT_NUMBER,
    Customer,
    UnknownRate,
    tax_treatment,
)
from billing.models import LegalEntity
from billing.queries.price_book import load_tax_rates
from organizations.models import BillingProfile

FIELDS = (
    "is_company",
    "company",
    "name",
    "address",
    "postcode",
    "city",
    "country",
    "vat_number",
    "siren",
    "email",
    "language",
    "purchase_order",
    "cost_center",
    "electronic_address",
    "electronic_scheme",
)
"""What members may change; whether e-invoices are required is agreed with the billing team."""


def values_of(profile: BillingProfile | None) -> dict[str, str | bool]:
    """The details by field; those of a new profile when there is none yet."""
    profile = profile or BillingProfile()
    values = {name: getattr(profile, name) for name in FIELDS}
    return {name: value if isinstance(value, bool) else str(value) for name, value in values.items()}


def details_fingerprint(profile: BillingProfile | None) -> str:
    """What tells these details from any others: a form sends back the one of what its reader saw."""
    return hashlib.sha256(msgspec.json.encode(values_of(profile))).hexdigest()[:32]


def vat_words(profile: BillingProfile | None, *, on: date) -> str:
    """Say which VAT invoices carry with these details, and why."""
    profile = profile or BillingProfile()
    customer = Customer(str(profile.country), profile.postcode, profile.is_company, profile.vat_number)
    seller = LegalEntity.objects.get()
    try:
        treatment = tax_treatment(customer, rates=load_tax_rates(on), over_oss_threshold=seller.over_oss_threshold)
    except UnknownRate:
        return _("Which VAT your invoices carry can be told once your address has a country.")
    rate = formatting.format_rate(treatment.rate_bp)
    match treatment.category, treatment.finding:
        case "AE", _finding:
            return _("Your invoices carry no VAT: with your VAT number you declare it yourself (reverse charge).")
        case "O", _finding:
            return _("Your invoices carry no VAT: %(country)s is outside its territory.") % {
                "country": str(countries.name(str(profile.country)) or profile.country)
            }
        case "S", finding if finding == MISSING_VAT_NUMBER:
            return _(
                "Your invoices carry %(rate)s VAT, like those of a consumer. With a VAT number of your country they "
                "would carry none (reverse charge)."
            ) % {"rate": rate}
        case "S", finding if finding in (INVALID_VAT_NUMBER, UNEXPECTED_VAT_NUMBER):
            return _(
                "Your invoices carry %(rate)s VAT, like those of a consumer: the VAT number is not a valid one of a "
                "company of your country."
            ) % {"rate": rate}
    return _("Your invoices carry %(rate)s VAT.") % {"rate": rate}
