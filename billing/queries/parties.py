"""Copies of seller and buyer for a document: what is issued must not change when they move."""

from collections.abc import Collection

from billing.models import LegalEntity
from billing.queries.among import among
from organizations.models import BillingProfile, Organization

type Snapshot = dict[str, str | bool]

_PROFILE_FIELDS = (
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
)


def seller_snapshot(entity: LegalEntity) -> Snapshot:
    """The legal entity as it is printed (BG-4)."""
    return {
        "name": entity.name,
        "address": entity.address,
        "postcode": entity.postcode,
        "city": entity.city,
        "country": str(entity.country),
        "vat_number": entity.vat_number,
        "siren": entity.siren,
    }


def buyer_snapshots(organization_ids: Collection[int]) -> dict[int, Snapshot]:
    """The organizations with their billing profiles as they are printed (BG-7), by id."""
    names = Organization.objects.filter(among("id", organization_ids)).values_list("id", "external_id", "name")
    profiles = {
        profile.pk: profile for profile in BillingProfile.objects.filter(among("organization", organization_ids))
    }
    return {
        id_: {"organization": external_id, "organization_name": name, **_profile_values(profiles.get(id_))}
        for id_, external_id, name in names
    }


def _profile_values(profile: BillingProfile | None) -> Snapshot:
    if profile is None:
        return {}
    values = {field: getattr(profile, field) for field in _PROFILE_FIELDS}
    return values | {"country": str(profile.country)}
