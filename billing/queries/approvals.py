"""Who has approved drafts, whose changes they carry, and what needs a second person."""

from collections.abc import Collection
from datetime import date

from msgspec import Struct

from billing.domain.approvals import Policy, why_credit_note_needs_approval, why_invoice_needs_approval
from billing.domain.facts import Reason
from billing.models import Acknowledgement, Adjustment, Approval, ApprovalPolicy, Event, Invoice
from billing.queries.among import among

type People = frozenset[int]


class Given(Struct, frozen=True):
    """An approval: of which content, and by whom."""

    fingerprint: str
    approver_id: int


def load_policy(legal_entity_id: int) -> Policy:
    """From when on a legal entity's documents need a second person; a legal entity without a policy never asks."""
    names = Policy.__struct_fields__
    values = ApprovalPolicy.objects.filter(legal_entity=legal_entity_id).values_list(*names).first()
    return Policy(*values) if values else Policy()


def why_stored_draft_needs_approval(draft: Invoice) -> tuple[Reason, ...]:
    """Why a stored draft, of an invoice or a credit note, needs a second person; nothing when it needs none."""
    policy = load_policy(draft.legal_entity_id)
    if draft.kind == Invoice.Kind.CREDIT_NOTE:
        reason = why_credit_note_needs_approval(policy, total_cents=draft.total_cents)
        return (reason,) if reason else ()
    lines = draft.lines.filter(kind__in=("adjustment", "discount")).order_by().values_list("kind", "net_cents")
    return why_invoice_needs_approval(policy, total_cents=draft.total_cents, lines=lines)


def load_authors_of(draft: Invoice) -> People:
    """Who changed something about a draft, or prepared the credit note: none of them may approve it."""
    if draft.kind == Invoice.Kind.CREDIT_NOTE:
        events = Event.objects.filter(invoice=draft, kind="credit_note.prepared", actor__isnull=False)
        return frozenset(events.order_by().values_list("actor_id", flat=True))
    authors = load_authors(draft.consumption_month, [draft.organization_id])
    return authors.get(draft.organization_id, frozenset())


def load_approvals(invoice_ids: Collection[int]) -> dict[int, list[Given]]:
    """The approvals of drafts, also of what they said before, by invoice and in order."""
    rows = Approval.objects.filter(among("invoice", invoice_ids)).order_by("id")
    approvals: dict[int, list[Given]] = {}
    for invoice_id, fingerprint, approver_id in rows.values_list("invoice_id", "fingerprint", "approver_id"):
        approvals.setdefault(invoice_id, []).append(Given(fingerprint, approver_id))
    return approvals


def load_authors(month: date, payer_ids: Collection[int]) -> dict[int, People]:
    """Who changed something about a month's drafts (its first day), by payer: none of them may approve it.

    Authors of adjustments in force, and whoever acknowledged a finding of the month. In two queries.
    """
    of_month = among("organization", payer_ids)
    adjusted = Adjustment.objects.filter(of_month, month=month, undone_at__isnull=True)
    acknowledged = Acknowledgement.objects.filter(of_month, month=month)
    authors: dict[int, set[int]] = {}
    for rows in (adjusted, acknowledged):
        for payer_id, author_id in rows.order_by().values_list("organization_id", "author_id"):
            if author_id is not None:
                authors.setdefault(payer_id, set()).add(author_id)
    return {payer_id: frozenset(people) for payer_id, people in authors.items()}
