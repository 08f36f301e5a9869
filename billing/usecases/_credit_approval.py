"""Four eyes on credit notes: from the amount of the policy on, somebody else than who prepared it says yes."""

from billing.models import Invoice
from billing.queries.approvals import load_approvals, load_authors_of, why_stored_draft_needs_approval
from billing.queries.reasons import reason_sentence
from billing.usecases._credit_notes import UnableToCredit
from organizations.models import User


class NeedsApproval(UnableToCredit):
    """A second person has to approve the credit note first; the message names the limit."""


def is_approved(note: Invoice, actor: User | None) -> bool:
    """Whether `actor` may issue a draft: it needs no second person, or one has approved what it says now."""
    if not why_stored_draft_needs_approval(note):
        return True
    given = load_approvals([note.pk]).get(note.pk, [])
    approvers = {approval.approver_id for approval in given if approval.fingerprint == note.fingerprint}
    return bool(approvers - load_authors_of(note) - {actor.pk if actor else None})


def check_approved(note: Invoice, actor: User | None) -> None:
    """Raise NeedsApproval unless `actor` may issue a draft."""
    if not is_approved(note, actor):
        [reason] = why_stored_draft_needs_approval(note)
        raise NeedsApproval(reason_sentence(reason.code, reason.values))
