"""What is wrong with an e-invoice, in words that a finance person can act on."""

from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

type Values = Mapping[str, str | int]


def failure_sentence(values: Values) -> str:
    """The sentence of a failure (its fields); a rule that has no words of ours is quoted with its number."""
    words = WORDS.get(str(values.get("problem", "")))
    if words is not None:
        return str(words) % values
    return _("The e-invoice breaks rule %(rule)s: %(text)s") % values


WORDS = {
    "seller_name": gettext_lazy("The legal entity has no name: complete it."),
    "seller_address": gettext_lazy("The legal entity's address, city or country is missing: complete it."),
    "seller_siren": gettext_lazy("The seller's SIREN is missing on the legal entity: complete it."),
    "seller_siren_invalid": gettext_lazy("The SIREN or SIRET %(text)s of the legal entity has a wrong check digit."),
    "seller_vat_number": gettext_lazy("The seller's VAT number is missing on the legal entity: complete it."),
    "seller_iban": gettext_lazy("The IBAN %(text)s of the legal entity is not a valid one: correct it."),
    "seller_electronic_address": gettext_lazy(
        "The seller's electronic address is missing on the legal entity, or has characters that are not allowed."
    ),
    "seller_electronic_scheme": gettext_lazy("The kind of the legal entity's electronic address is missing."),
    "buyer_name": gettext_lazy("The customer has no name: give the billing profile a company or a name."),
    "buyer_address": gettext_lazy("The customer's address, city or country is missing on the billing profile."),
    "buyer_siren": gettext_lazy("The buyer's SIREN is missing on the billing profile: complete it."),
    "buyer_siren_invalid": gettext_lazy(
        "The SIREN or SIRET %(text)s on the billing profile has a wrong check digit: ask the customer."
    ),
    "buyer_electronic_address": gettext_lazy(
        "The buyer's electronic address is missing on the billing profile, or has characters that are not allowed."
    ),
    "buyer_electronic_scheme": gettext_lazy("The kind of electronic address is missing on the billing profile."),
    "buyer_french_address": gettext_lazy(
        "The electronic address of a French company begins with its SIREN and is of the kind 0225: correct the billing "
        "profile."
    ),
    "vat_number_prefix": gettext_lazy(
        "A VAT number does not begin with the code of its country: check the billing profile and the legal entity."
    ),
    "reverse_charge_numbers": gettext_lazy(
        "Reverse charge needs the VAT numbers of both: complete the billing profile and the legal entity."
    ),
    "mixed_with_out_of_scope": gettext_lazy(
        "Lines with VAT and lines outside the scope of VAT cannot be on one e-invoice: close the month again."
    ),
    "country_code": gettext_lazy(
        "E-invoices know no country under the code of the customer or of the legal entity: correct the address."
    ),
    "currency_code": gettext_lazy("E-invoices know no currency under the code of this one: correct the organization."),
    "address_scheme": gettext_lazy(
        "The kind of an electronic address or number is none that e-invoices know: correct the billing profile."
    ),
    "exchange_rate": gettext_lazy(
        "There is no exchange rate of the week before the issue date, to state the VAT in euros: add one to the "
        "exchange rates."
    ),
    "number_series": gettext_lazy(
        "The number series makes numbers that French platforms refuse: use at most 35 letters, digits and + - _ /."
    ),
    "legal_texts": gettext_lazy(
        "A mention of late payment (PMT, PMD) or early payment (AAB) is missing: add it to the legal texts."
    ),
    "foreign_vat_rate": gettext_lazy(
        "The VAT rate is none that French e-invoices may have: check the customer's country."
    ),
    "credited_invoice": gettext_lazy("The credit note names no invoice that it corrects."),
    "due_date": gettext_lazy("The due date lies before the issue date: give the draft a later one."),
}
