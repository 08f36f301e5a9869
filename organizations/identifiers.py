"""VAT and company numbers as their owners write them: format and check digits, without asking any register."""

from django.utils.translation import gettext as _
from stdnum import get_cc_module
from stdnum.exceptions import InvalidChecksum, ValidationError
from stdnum.fr import siren, siret

_AS_IN_ISO_3166 = (
    *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "HR", "HU", "IE"),
    *("IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK", "XI"),
)
EU_PREFIXES = {**{code: code for code in _AS_IN_ISO_3166}, "GR": "EL", "MC": "FR"}
"""What a VAT number begins with, by country of the European VAT area (Monaco has French ones)."""


class InvalidIdentifier(ValueError):
    """The number cannot be right; the message says in one sentence what is wrong with it."""


def check_vat_number(number: str, country: str) -> str:
    """Return a VAT number as it is stored: capitals, its country's prefix, nothing between; "" for none.

    Of the countries of the European VAT area form and check digits are checked; others are kept as they are written.
    Raises InvalidIdentifier.
    """
    compact = "".join(character for character in number.upper() if character not in " .-/\u00a0\u202f")
    prefix = EU_PREFIXES.get(country)
    if not compact or prefix is None:
        return compact
    if country == "GR" and compact.startswith("GR"):
        compact = prefix + compact.removeprefix("GR")
    if not compact.startswith(prefix):
        raise InvalidIdentifier(
            _("A VAT number of this country begins with %(prefix)s; yours does not.") % {"prefix": prefix}
        )
    module = get_cc_module("GB" if prefix == "XI" else prefix, "vat")
    if module is None:
        return compact
    try:
        module.validate(compact.removeprefix(prefix) if prefix in ("XI", "EL") else compact)
    except InvalidChecksum as error:
        raise InvalidIdentifier(
            _("The check digits of this VAT number are wrong: probably one character is mistyped.")
        ) from error
    except ValidationError as error:
        raise InvalidIdentifier(_("This does not have the form of a VAT number of this country.")) from error
    return compact


def check_siren(number: str) -> str:
    """Return a SIREN (9 digits) or SIRET (14) without spaces; "" for none. Raises InvalidIdentifier."""
    compact = "".join(character for character in number if character not in " .-\u00a0\u202f")
    if not compact:
        return ""
    if not (compact.isascii() and compact.isdigit() and len(compact) in (9, 14)):
        raise InvalidIdentifier(_("A SIREN has 9 digits, a SIRET has 14."))
    try:
        (siren if len(compact) == 9 else siret).validate(compact)
    except ValidationError as error:
        raise InvalidIdentifier(
            _("The check digit of this number is wrong: probably one digit is mistyped.")
        ) from error
    return compact


def check_same_company(vat_number: str, company_number: str) -> None:
    """Check that a French VAT number and a SIREN or SIRET are those of one company. Raises InvalidIdentifier."""
    if vat_number.startswith("FR") and company_number and vat_number[4:13] != company_number[:9]:
        raise InvalidIdentifier(
            _("This is not the company of the VAT number, which ends with the SIREN %(siren)s.")
            % {"siren": vat_number[4:13]}
        )
