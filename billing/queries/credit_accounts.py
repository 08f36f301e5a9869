"""How the credits of an organization stand, and how they came there, as programs read it."""

from datetime import date, datetime

from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from msgspec import Struct

from billing.domain.money import format_cents
from billing.models import CreditEntry, CreditGrant
from organizations.models import Organization


class CreditBalance(Struct):
    """What can be used, and what will be once invoices are paid."""

    organization: str
    currency: str
    free: str
    prepaid: str
    total: str
    pending: str


class ExportedEntry(Struct):
    """One movement of a grant; amounts below zero take credits away."""

    id: int
    organization: str
    grant: int
    grant_type: str
    grant_reference: str | None
    kind: str
    amount: str
    currency: str
    month: str | None
    invoice: str | None
    starts_on: date | None
    expires_on: date | None
    booked_at: datetime


def credit_balance(organization: Organization) -> CreditBalance:
    """The balance of an organization; credits of its parent are not its own."""
    grants = CreditGrant.objects.filter(organization=organization).order_by()
    sums = grants.aggregate(
        free=Coalesce(Sum("remaining_cents", filter=Q(type="free")), 0),
        prepaid=Coalesce(Sum("remaining_cents", filter=Q(type="prepaid")), 0),
        pending=Coalesce(Sum("pending_cents", filter=Q(state="pending")), 0),
    )
    return CreditBalance(
        organization=organization.external_id,
        currency=organization.currency,
        free=format_cents(sums["free"]),
        prepaid=format_cents(sums["prepaid"]),
        total=format_cents(sums["free"] + sums["prepaid"]),
        pending=format_cents(sums["pending"]),
    )


def credit_entries(*, organization_id: int | None) -> QuerySet[CreditEntry]:
    """The movements of one organization's credits, or of all."""
    entries = CreditEntry.objects.select_related("grant__organization", "invoice")
    return entries if organization_id is None else entries.filter(grant__organization=organization_id)


def export_entry(entry: CreditEntry) -> ExportedEntry:
    """An entry in the words of the API."""
    grant = entry.grant
    return ExportedEntry(
        id=entry.pk,
        organization=grant.organization.external_id,
        grant=grant.pk,
        grant_type=grant.type,
        grant_reference=grant.reference,
        kind=entry.kind,
        amount=format_cents(entry.amount_cents),
        currency=grant.currency,
        month=f"{entry.month:%Y-%m}" if entry.month else None,
        invoice=entry.invoice.number if entry.invoice else None,
        starts_on=grant.starts_on,
        expires_on=grant.expires_on,
        booked_at=entry.booked_at,
    )
