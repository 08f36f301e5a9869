"""Approve a draft, of an invoice or a credit note, as the second person that its amounts ask for."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_noop as _

from billing.models import Approval, Invoice
from billing.queries.approvals import load_authors_of, printed_parties_of, why_stored_draft_needs_approval
from billing.usecases._drafts import ChangedMeanwhile, lock_draft
from billing.usecases._events import NewEvent, record_event
from billing.usecases._permissions import require
from organizations.models import User


class UnableToApprove(Exception):
    """Nothing was approved; the message says why."""


@transaction.atomic
def approve_invoice(*, invoice_id: int, seen: str, parties: str, actor: User, at: datetime) -> Approval:
    """Approve a draft as it is: `seen` is its fingerprint, and any other content needs another approval.

    So do other parties, or another payment term: `parties` are those that the person saw (`printed_parties_of`).

    Whoever adjusted the draft, decided about an adjustment, acknowledged a finding or set beside it what it takes up
    cannot approve it, and whoever approves it cannot issue it.

    Raises NotAllowed, NotADraft, ChangedMeanwhile and UnableToApprove.
    """
    require(actor, "billing.approve_invoice")
    invoice = lock_draft(invoice_id=invoice_id, seen=seen)
    reasons = why_stored_draft_needs_approval(invoice)
    if not reasons:
        raise UnableToApprove(_("This document needs no second person."))
    if parties != printed_parties_of(invoice):
        raise ChangedMeanwhile
    _check(invoice, actor)
    approval, is_new = Approval.objects.get_or_create(
        invoice=invoice,
        fingerprint=invoice.fingerprint,
        parties=parties,
        approver=actor,
        defaults={"approved_at": at},
    )
    if not is_new:
        raise UnableToApprove(_("You have approved this draft already."))
    values = {"fingerprint": invoice.fingerprint, "total_cents": invoice.total_cents, "currency": invoice.currency}
    kind = "credit_note.approved" if invoice.kind == Invoice.Kind.CREDIT_NOTE else "invoice.approved"
    record_event(
        NewEvent(kind, invoice.organization_id, invoice.pk, {**values, "why": reasons[0].values}),
        actor=actor,
        at=at,
    )
    return approval


def _check(invoice: Invoice, actor: User) -> None:
    if invoice.hold_reason:
        raise UnableToApprove(_("The draft is on hold: release it first."))
    if invoice.open_findings:
        raise UnableToApprove(_("The draft has findings that nobody has acknowledged: that comes first."))
    if actor.pk in load_authors_of(invoice):
        raise UnableToApprove(
            _("You changed this draft or what it bills, or acknowledged a finding: somebody else approves it.")
        )
