"""Seller and buyer in business terms (BG-4 to BG-9)."""

from billing.documents.e_invoice._text import clean, compact
from billing.documents.e_invoice.terms import Identifier, Party
from billing.domain.documents import Buyer, Document, Seller
from billing.domain.e_invoices import SIREN_COUNTRIES
from billing.domain.taxation import FRENCH_VAT_TERRITORY

SIREN, SIRET = "0002", "0009"
FRENCH_ADDRESS, E_MAIL = "0225", "EM"
_SIREN_DIGITS = 9


def seller_party(document: Document) -> Party:
    """The legal entity. Outside the scope of VAT no VAT number may be there (BR-O-02): it is in the notes."""
    return _party(document.seller, document.seller.name, is_company=True, has_vat=not _is_out_of_scope(document))


def buyer_party(document: Document) -> Party:
    """The customer; for a company, the person of the billing profile is whom to ask (BT-56)."""
    buyer = document.buyer
    return _party(
        buyer, buyer.legal_name, is_company=buyer.is_company, has_vat=not _is_out_of_scope(document), contact=buyer.name
    )


def is_french_company(buyer: Buyer) -> bool:
    """Whether invoices to this buyer are those of the French mandate: between companies where French VAT applies."""
    return buyer.is_company and buyer.country.upper() in FRENCH_VAT_TERRITORY


def _party(party: Seller | Buyer, name: str, *, is_company: bool, has_vat: bool, contact: str = "") -> Party:
    siren = compact(party.siren)
    is_french = party.country.upper() in SIREN_COUNTRIES
    return Party(
        name=clean(name),
        identifier=Identifier(siren, SIRET) if is_french and len(siren) > _SIREN_DIGITS else None,
        registration=_registration(siren, is_french=is_french),
        vat_number=compact(party.vat_number).upper() if has_vat else "",
        electronic_address=_electronic_address(party, siren[:_SIREN_DIGITS] if is_company else ""),
        address=clean(party.address),
        postcode=clean(party.postcode),
        city=clean(party.city),
        country=clean(party.country).upper(),
        contact=clean(contact) if clean(contact) != clean(name) else "",
        phone=clean(party.phone) if isinstance(party, Seller) else "",
        email=clean(party.email),
    )


def _registration(number: str, *, is_french: bool) -> Identifier | None:
    """The SIREN; the number of a foreign register as it is, for nobody knows which register that is."""
    if not number:
        return None
    return Identifier(number[:_SIREN_DIGITS], SIREN) if is_french else Identifier(number)


def _electronic_address(party: Seller | Buyer, siren: str) -> Identifier | None:
    """The address that was given; else the one that the French directory gives to every company; else the e-mail."""
    given = compact(party.electronic_address)
    if given:
        return Identifier(given, compact(party.electronic_scheme) or (E_MAIL if "@" in given else ""))
    if siren and party.country.upper() in FRENCH_VAT_TERRITORY:
        return Identifier(siren, FRENCH_ADDRESS)
    return Identifier(compact(party.email), E_MAIL) if party.email else None


def _is_out_of_scope(document: Document) -> bool:
    return any(tax.category == "O" for tax in document.taxes)
