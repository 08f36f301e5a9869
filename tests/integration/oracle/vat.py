"""VAT by the place of the customer, by the table of the rule book (§6)."""

from __future__ import annotations

from fractions import Fraction

from tests.integration.oracle.basics import Json

# One number per country that passes its country's check digits. The calculator knows no checksum: in the scenarios
# these are the valid ones, everything else is malformed.
VALID_VAT_NUMBERS = {
    "AT": "ATU39099603",
    "BE": "BE0695722008",
    "BG": "BG261995822",
    "HR": "HR16978464936",
    "CY": "CY14983550G",
    "CZ": "CZ35972203",
    "DK": "DK72314301",
    "EE": "EE780063943",
    "FI": "FI15516616",
    "DE": "DE852353412",
    "GR": "EL506990798",
    "HU": "HU01696710",
    "IE": "IE9372052C",
    "IT": "IT00243030673",
    "LV": "LV42532272056",
    "LT": "LT395135111",
    "LU": "LU79045142",
    "MT": "MT14565674",
    "NL": "NL819614221B01",
    "PL": "PL8093966394",
    "PT": "PT500170398",
    "RO": "RO34992191",
    "SK": "SK7399610680",
    "SI": "SI74350625",
    "ES": "ESB04142261",
    "SE": "SE864891737801",
    "FR": "FR83404833048",
}

# Standard rates of 2026.
EU_RATES = {
    "AT": "20",
    "BE": "21",
    "BG": "20",
    "HR": "25",
    "CY": "19",
    "CZ": "21",
    "DK": "25",
    "EE": "24",
    "FI": "25.5",
    "DE": "19",
    "GR": "24",
    "HU": "27",
    "IE": "23",
    "IT": "22",
    "LV": "21",
    "LT": "21",
    "LU": "17",
    "MT": "18",
    "NL": "21",
    "PL": "23",
    "PT": "23",
    "RO": "21",
    "SK": "23",
    "SI": "22",
    "ES": "21",
    "SE": "25",
}
FRENCH_RATE = Fraction(20)
OVERSEAS_RATE = Fraction("8.5")
OVERSEAS_POSTCODES = ("971", "972", "974")  # Guadeloupe, Martinique, Réunion
OUTSIDE_POSTCODES = ("973", "975", "976", "977", "978", "984", "986", "987", "988")


def vat_of(billing: Json, *, over_oss_threshold: bool = False) -> tuple[str, Fraction]:
    """Category and rate in percent for the customer with this billing profile (without a country it is blocked)."""
    country, postcode = billing.get("country") or "FR", billing.get("postcode") or ""
    if country in {"GP", "MQ", "RE"}:
        return "S", OVERSEAS_RATE
    if country == "FR" and postcode.startswith(OVERSEAS_POSTCODES):
        return "S", OVERSEAS_RATE
    if country == "FR" and postcode.startswith(OUTSIDE_POSTCODES):
        return "O", Fraction(0)
    if country in {"FR", "MC"}:
        return "S", FRENCH_RATE
    if country not in EU_RATES:
        return "O", Fraction(0)
    if billing.get("is_company") and billing.get("vat_number") == VALID_VAT_NUMBERS[country]:
        return "AE", Fraction(0)
    return "S", Fraction(EU_RATES[country]) if over_oss_threshold else FRENCH_RATE
