"""Credit grants with their ledger."""

from datetime import UTC, date, datetime

from billing.models import CloseOutcome, CreditEntry, CreditGrant, Invoice
from organizations.models import Organization

GRANTED_AT = datetime(2026, 9, 15, 9, 0, tzinfo=UTC)


def make_grant(
    *,
    organization: Organization,
    type: str = "prepaid",  # noqa: A002  # the model's word
    state: str = "active",
    amount_cents: int = 10_000,
    reference: str | None = None,
    starts_on: date | None = None,
    expires_on: date | None = None,
    priority: int = 0,
    reason: str = "",
    sold_by: Invoice | None = None,
    at: datetime = GRANTED_AT,
) -> CreditGrant:
    """Store a grant; an active one with its `grant` entry, the whole amount remaining."""
    is_active = state == "active"
    grant = CreditGrant.objects.create(
        reference=reference,
        organization=organization,
        type=type,
        state=state,
        amount_cents=amount_cents,
        remaining_cents=amount_cents if is_active else 0,
        pending_cents=amount_cents if state == "pending" else 0,
        currency=organization.currency,
        starts_on=starts_on,
        expires_on=expires_on,
        priority=priority,
        reason=reason,
        sold_by=sold_by,
    )
    if is_active:
        CreditEntry.objects.create(grant=grant, kind="grant", amount_cents=amount_cents, booked_at=at)
    return grant


def book_entry(
    *,
    grant: CreditGrant,
    kind: str,
    amount_cents: int,
    invoice: Invoice | None = None,
    outcome: CloseOutcome | None = None,
    at: datetime = GRANTED_AT,
) -> CreditEntry:
    """Store a signed movement and what it leaves on the grant."""
    grant.remaining_cents += amount_cents
    grant.save(update_fields=["remaining_cents"])
    month = invoice.consumption_month if invoice else outcome.month if outcome else None
    return CreditEntry.objects.create(
        grant=grant, kind=kind, amount_cents=amount_cents, invoice=invoice, outcome=outcome, month=month, booked_at=at
    )
