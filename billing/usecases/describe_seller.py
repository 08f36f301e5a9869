"""Say who issues the invoices."""

from django.db import transaction

from billing.models import LegalEntity


@transaction.atomic
def describe_seller(
    *, name: str, address: str, postcode: str, city: str, country: str, vat_number: str, siren: str
) -> LegalEntity:
    """Fill in the legal entity (BG-4) that `migrate` made; issued invoices keep the copy that they were given."""
    entity = LegalEntity.objects.select_for_update().get()
    entity.name, entity.vat_number, entity.siren = name, vat_number, siren
    entity.address, entity.postcode, entity.city, entity.country = address, postcode, city, country
    entity.save()
    return entity
