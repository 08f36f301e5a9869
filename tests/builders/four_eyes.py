"""The yes of a second person, as a door asks for it."""

from datetime import datetime

from billing.models import Approval, Invoice
from billing.queries.approvals import printed_parties_of
from billing.usecases.approve_invoice import approve_invoice
from organizations.models import User
from tests.builders.closing import local

NOVEMBER_3 = local("2026-11-03 10:00")


def approve(
    invoice: Invoice, actor: User, *, seen: str | None = None, parties: str | None = None, at: datetime = NOVEMBER_3
) -> Approval:
    """Approve a draft as it is stored, unless something else was seen."""
    invoice = Invoice.objects.get(pk=invoice.pk)
    return approve_invoice(
        invoice_id=invoice.pk,
        seen=invoice.fingerprint if seen is None else seen,
        parties=printed_parties_of(invoice) if parties is None else parties,
        actor=actor,
        at=at,
    )
