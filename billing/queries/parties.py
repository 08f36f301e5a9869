"""Copies of seller and buyer for a document: what is issued must not change when they move."""

from collections.abc import Collection

from billing.models import Invoice, LegalEntity
from billing.queries.among import among
from organizations.models import BillingProfile, Organization

type Snapshot = dict[str, str | bool]

_SELLER_FIELDS = (
    "name",
    "address",
    "postcode",
    "city",
    "vat_number",
    "siren",
    "legal_mentions",
    "email",
    "phone",
    "iban",
    "bic",
    "electronic_address",
    "electronic_scheme",
    "vat_on_debits",
)
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
    "electronic_address",
    "electronic_scheme",
    "requires_e_invoice",
)


def seller_snapshot(entity: LegalEntity) -> Snapshot:
    """The legal entity as it is printed (BG-4)."""
    return {"country": str(entity.country), **{name: getattr(entity, name) for name in _SELLER_FIELDS}}


def credited_buyer(invoice: Invoice, today: Snapshot) -> Snapshot:
    """Whom a credit note is made out to: the buyer of its invoice, who may have to get e-invoices only since."""
    due: Snapshot = {name: today[name] for name in ("requires_e_invoice",) if name in today}
    return {**(invoice.buyer or {}), **due}


def buyer_snapshots(organization_ids: Collection[int]) -> dict[int, Snapshot]:
    """The organizations with their billing profiles as they are printed (BG-7), by id."""
    names = Organization.objects.filter(among("id", organization_ids)).values_list("id", "external_id", "name")
    rows = BillingProfile.objects.filter(among("organization", organization_ids)).values("pk", *_PROFILE_FIELDS)
    profiles = {row.pop("pk"): row for row in rows}
    return {
        id_: {"organization": external_id, "organization_name": name, **profiles.get(id_, {})}
        for id_, external_id, name in names
    }
