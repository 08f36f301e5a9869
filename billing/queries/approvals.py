"""Who has approved drafts, whose changes they carry, and what needs a second person."""

from collections.abc import Collection, Iterator
from datetime import date
from hashlib import blake2b

from django.db.models import Q, Sum
from msgspec import Struct, json

from billing.domain.approvals import Policy, why_credit_note_needs_approval, why_invoice_needs_approval
from billing.domain.facts import Reason
from billing.domain.lifecycle import DocumentState
from billing.models import Acknowledgement, Adjustment, Approval, ApprovalPolicy, Event, Invoice, LegalEntity
from billing.queries.among import among
from billing.queries.beside_drafts import Beside, PayerMonth, load_beside, load_taken
from billing.queries.parties import buyer_snapshots, seller_snapshot
from organizations.models import Organization

type People = frozenset[int]


class Given(Struct, frozen=True):
    """An approval: of which content, made out by and to whom (`printed_parties`), and whose."""

    fingerprint: str
    parties: str
    approver_id: int


def load_policy(legal_entity_id: int) -> Policy:
    """From when on a legal entity's documents need a second person; a legal entity without a policy never asks."""
    names = Policy.__struct_fields__
    values = ApprovalPolicy.objects.filter(legal_entity=legal_entity_id).values_list(*names).first()
    return Policy(*values) if values else Policy()


def why_stored_draft_needs_approval(draft: Invoice) -> tuple[Reason, ...]:
    """Why a stored draft, of an invoice or a credit note, needs a second person; nothing when it needs none.

    A credit note counts together with those of its invoice before that needed none.
    """
    policy = load_policy(draft.legal_entity_id)
    if draft.kind == Invoice.Kind.CREDIT_NOTE:
        if not draft.total_cents:
            return ()
        total_cents = draft.total_cents + _credited_without_approval(draft)
        reason = why_credit_note_needs_approval(policy, total_cents=total_cents)
        return (reason,) if reason else ()
    if policy == Policy():
        return ()
    beside = _beside(draft)
    return why_invoice_needs_approval(
        policy, total_cents=draft.total_cents, lines=beside.lines, given_credits_cents=beside.given_credits_cents
    )


def _beside(draft: Invoice) -> Beside:
    key = _key(draft)
    return load_beside(load_taken({key: draft.pk}))[key]


def _key(draft: Invoice) -> PayerMonth:
    return draft.organization_id, draft.consumption_month


def _credited_without_approval(draft: Invoice) -> int:
    """The credit notes of the same invoice so far that nobody else approved, in cents: small notes count together."""
    issued = Invoice.objects.filter(
        refers_to=draft.refers_to_id, kind=Invoice.Kind.CREDIT_NOTE, document_state=DocumentState.ISSUED.value
    )
    total: int = issued.filter(approvals=None).aggregate(total=Sum("total_cents", default=0))["total"]
    return total


def load_authors_of(draft: Invoice) -> People:
    """Who changed something about a draft, or prepared the credit note: none of them may approve it."""
    if draft.kind == Invoice.Kind.CREDIT_NOTE:
        events = Event.objects.filter(invoice=draft, kind="credit_note.prepared", actor__isnull=False)
        return frozenset(events.order_by().values_list("actor_id", flat=True))
    return load_authors([_key(draft)]).get(_key(draft), frozenset()) | _beside(draft).authors


def printed_parties(payer_ids: Collection[int], seller: LegalEntity) -> dict[int, str]:
    """What issuing adds to the drafts of payers, as it is now: 32 hexadecimal digits for the parties and the term."""
    printed = seller_snapshot(seller)
    terms = dict(Organization.objects.filter(among("id", payer_ids)).values_list("id", "payment_term_days"))
    return {
        payer_id: blake2b(json.encode([printed, buyer, terms[payer_id]], order="sorted"), digest_size=16).hexdigest()
        for payer_id, buyer in buyer_snapshots(payer_ids).items()
    }


def printed_parties_of(draft: Invoice) -> str:
    """The same for one draft; nothing for a credit note, which has the parties of its invoice."""
    if draft.kind == Invoice.Kind.CREDIT_NOTE:
        return ""
    return printed_parties([draft.organization_id], draft.legal_entity)[draft.organization_id]


def load_approvals(invoice_ids: Collection[int]) -> dict[int, list[Given]]:
    """The approvals of drafts, also of what they said before, by invoice and in order."""
    rows = Approval.objects.filter(among("invoice", invoice_ids)).order_by("id")
    approvals: dict[int, list[Given]] = {}
    for invoice_id, fingerprint, parties, approver_id in rows.values_list(
        "invoice_id", "fingerprint", "parties", "approver_id"
    ):
        approvals.setdefault(invoice_id, []).append(Given(fingerprint, parties, approver_id))
    return approvals


def load_authors(drafts: Collection[PayerMonth]) -> dict[PayerMonth, People]:
    """Who changed something on drafts: none of them may approve it.

    Authors of adjustments in force, whoever kept one of these on a changed line or undid one of somebody else, and
    whoever acknowledged a finding of the month. In four queries at most.
    """
    of_payers = among("organization", {payer_id for payer_id, _ in drafts})
    months = {month for _, month in drafts}
    adjusted = Adjustment.objects.filter(of_payers, month__in=months, undone_at__isnull=True)
    acknowledged = Acknowledgement.objects.filter(of_payers, month__in=months)
    authors: dict[PayerMonth, set[int]] = {}
    for rows in (adjusted, acknowledged):
        for payer_id, month, author_id in rows.order_by().values_list("organization_id", "month", "author_id"):
            if author_id is not None:
                authors.setdefault((payer_id, month), set()).add(author_id)
    for key, person_id in _deciders(of_payers, months):
        authors.setdefault(key, set()).add(person_id)
    return {key: frozenset(people) for key, people in authors.items()}


def _deciders(of_payers: Q, months: Collection[date]) -> Iterator[tuple[PayerMonth, int]]:
    """Who kept an adjustment that is in force, or undid one of somebody else: a change that leaves no row of theirs."""
    decided = Event.objects.filter(
        of_payers,
        invoice__consumption_month__in=months,
        kind__in=("adjustment.confirmed", "adjustment.undone"),
        actor__isnull=False,
    )
    columns = ("organization_id", "invoice__consumption_month", "actor_id", "kind", "values")
    rows = list(decided.order_by().values_list(*columns))
    adjustments = Adjustment.objects.in_bulk({values["adjustment"] for *_, values in rows})
    for payer_id, month, person_id, kind, values in rows:
        adjustment = adjustments[values["adjustment"]]
        was_undone = kind == "adjustment.undone"
        if adjustment.author_id != person_id if was_undone else adjustment.undone_at is None:
            yield (payer_id, month), person_id
