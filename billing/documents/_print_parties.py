"""Who sells, who buys, and the dates and references of a document, in words."""

from collections.abc import Iterable

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django_countries import countries

from billing import formatting
from billing.documents import _figures as figures
from billing.documents.printed import Field, Party
from billing.domain.documents import Buyer, Document, Seller
from billing.domain.e_invoices import SIREN_COUNTRIES

_SIRET_LENGTH = 14


def seller_block(seller: Seller) -> Party:
    """Name who issues the document."""
    details = (
        *_registration(seller),
        (_("E-mail"), seller.email),
        (_("Telephone"), seller.phone),
    )
    return Party(_("From"), seller.name, _address(seller), _fields(details))


def buyer_block(buyer: Buyer) -> Party:
    """Name who owes the money; a company's contact is the first line of its address."""
    contact = (buyer.name,) if buyer.company and buyer.name else ()
    name = buyer.legal_name or buyer.organization_name
    details = _registration(buyer)
    return Party(_("Billed to"), name, contact + _address(buyer), _fields(details))


def facts(document: Document) -> tuple[Field, ...]:
    """List dates and references, those that there are."""
    buyer, is_invoice = document.buyer, document.kind == "invoice"
    issue_date, due_date, origin = document.issue_date, document.due_date, document.refers_to
    return _fields(
        (
            (_("Number"), document.number or ""),
            (_("Date"), figures.day(issue_date) if issue_date else ""),
            (_("Due date"), figures.day(due_date) if due_date and is_invoice else ""),
            (_("Corrects invoice"), origin.number if origin else ""),
            (_("Consumption"), formatting.format_month(document.consumption_month) if is_invoice else ""),
            (_("Organization"), buyer.organization_name),
            (_("Customer number"), buyer.organization),
            (_("Purchase order"), buyer.purchase_order),
            (_("Cost center"), buyer.cost_center),
        )
    )


def _address(party: Seller | Buyer) -> tuple[str, ...]:
    town = f"{party.postcode} {party.city}".strip()
    country = str(countries.name(party.country)) if party.country else ""
    lines = (*party.address.splitlines(), town, country)
    return tuple(line.strip() for line in lines if line.strip())


def _registration(party: Seller | Buyer) -> tuple[tuple[str, str], ...]:
    if party.country.upper() not in SIREN_COUNTRIES:
        label = _("Registration number")
    else:
        label = _("SIRET") if len(party.siren.replace(" ", "")) == _SIRET_LENGTH else _("SIREN")
    return (label, party.siren), (capfirst(_("VAT number")), party.vat_number)


def _fields(pairs: Iterable[tuple[str, str]]) -> tuple[Field, ...]:
    # Some labels are those of forms, which do not begin with a capital in every language.
    return tuple(Field(label[:1].upper() + label[1:], value) for label, value in pairs if value)
