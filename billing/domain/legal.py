"""Which legal texts a document carries. The texts themselves are dated rows: the references change."""

from collections.abc import Collection
from typing import Final

from billing.domain.taxation import OVERSEAS_POSTCODES, Category, territory_of

LATE_PAYMENT_COSTS: Final = "PMT"
LATE_PAYMENT_INTEREST: Final = "PMD"
EARLY_PAYMENT: Final = "AAB"
VAT_ON_DEBITS: Final = "DEBITS"
REVERSE_CHARGE: Final = "AE"
OUTSIDE_EU: Final = "O_ABROAD"
OVERSEAS: Final = "O_OVERSEAS"

PAYMENT_CODES: Final = (LATE_PAYMENT_COSTS, LATE_PAYMENT_INTEREST, EARLY_PAYMENT)
"""On every document; named as in UNTDID 4451, which the French rules ask for (BR-FR-05)."""

EXEMPTION_CODES: Final = (REVERSE_CHARGE, OUTSIDE_EU, OVERSEAS)
"""Why there is no VAT (BT-120)."""

CODES: Final = (*PAYMENT_CODES, VAT_ON_DEBITS, *EXEMPTION_CODES)


def mention_codes(
    categories: Collection[Category], *, country: str, postcode: str, vat_on_debits: bool
) -> tuple[str, ...]:
    """Name the texts of a document by its VAT categories, the buyer's address and the seller's option, in order."""
    codes = list(PAYMENT_CODES)
    if vat_on_debits and "S" in categories:
        codes.append(VAT_ON_DEBITS)
    if "AE" in categories:
        codes.append(REVERSE_CHARGE)
    if "O" in categories:
        codes.append(OVERSEAS if _is_overseas(country, postcode) else OUTSIDE_EU)
    return tuple(codes)


def _is_overseas(country: str, postcode: str) -> bool:
    """Whether an address lies in a French territory overseas, named by its country or by a French postcode."""
    return territory_of(country, postcode) in OVERSEAS_POSTCODES.values()
