"""What a credit note waits for: a second person from the amount of the policy on, and a check of its e-invoice."""

from billing.domain.facts import Reason
from billing.models import Invoice
from billing.queries.approvals import load_approvals, load_authors_of, why_stored_draft_needs_approval
from billing.queries.draft_checks import load_checks, load_contents, who_must_get_e_invoices
from billing.queries.reasons import reason_sentence
from billing.usecases._credit_notes import UnableToCredit
from organizations.models import User


class NeedsApproval(UnableToCredit):
    """A second person has to approve the credit note first; the message names the limit."""


class InvalidEInvoice(UnableToCredit):
    """Its customer must get e-invoices, and this one is not known to be valid."""


def may_be_issued(note: Invoice, actor: User | None) -> bool:
    """Whether a draft waits for nothing any more."""
    return is_approved(note, actor) and why_no_e_invoice(note) is None


def why_no_e_invoice(note: Invoice) -> Reason | None:
    """Why the customer would not get the valid e-invoice that they must get of a credit note too."""
    if not who_must_get_e_invoices([note.organization_id]):
        return None
    check = load_checks([note.pk]).get(note.pk)
    if check is None or check.content != load_contents([note.pk])[note.pk][0]:
        return Reason("e_invoice_not_checked")
    return Reason("e_invoice_invalid", {"count": len(check.failures)}) if check.failures else None


def check_e_invoice(note: Invoice) -> None:
    """Raise InvalidEInvoice unless there will be one, or none is needed."""
    if (reason := why_no_e_invoice(note)) is not None:
        raise InvalidEInvoice(reason_sentence(reason.code, reason.values))


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
