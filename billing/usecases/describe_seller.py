"""Say who issues the invoices."""

from typing import TypedDict, Unpack

from django.db import transaction

from billing.models import LegalEntity


class Seller(TypedDict, total=False):
    """What documents print of the legal entity (BG-4, BG-17); what is left out stays as it is."""

    name: str
    address: str
    postcode: str
    city: str
    country: str
    vat_number: str
    siren: str
    legal_mentions: str
    email: str
    phone: str
    iban: str
    bic: str
    electronic_address: str
    electronic_scheme: str
    vat_on_debits: bool


@transaction.atomic
def describe_seller(**seller: Unpack[Seller]) -> LegalEntity:
    """Fill in the legal entity that `migrate` made; issued invoices keep the copy that they were given."""
    entity = LegalEntity.objects.select_for_update().get()
    for name, value in seller.items():
        setattr(entity, name, value)
    entity.save()
    return entity
