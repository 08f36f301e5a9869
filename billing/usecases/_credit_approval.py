"""Four eyes on credit notes: from the amount of the policy on, somebody else than who prepared it says yes."""

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from billing.domain.money import format_cents
from billing.models import Approval, ApprovalPolicy, Event, Invoice
from billing.usecases._credit_notes import UnableToCredit
from organizations.models import User


class NeedsApproval(UnableToCredit):
    """A second person has to approve the credit note first; the message names the limit."""


def approval_limit_cents(note: Invoice) -> int | None:
    """From which total on this credit note needs a second person; None when it needs none."""
    policies = ApprovalPolicy.objects.filter(legal_entity=note.legal_entity_id)
    limit_cents = policies.values_list("credit_note_cents", flat=True).first()
    return limit_cents if limit_cents is not None and note.total_cents >= limit_cents else None


def prepared_by(note: Invoice) -> set[int | None]:
    """Who prepared a credit note; nobody approves their own."""
    prepared = Event.objects.filter(kind="credit_note.prepared", invoice=note.pk)
    return set(prepared.values_list("actor_id", flat=True))


def valid_approvals(note: Invoice) -> QuerySet[Approval]:
    """The approvals of a draft as it is now."""
    return Approval.objects.filter(invoice=note.pk, fingerprint=note.fingerprint)


def is_approved(note: Invoice, actor: User | None) -> bool:
    """Whether `actor` may issue a draft: it needs no second person, or one has approved it."""
    if approval_limit_cents(note) is None:
        return True
    approvers = set(valid_approvals(note).values_list("approver_id", flat=True))
    return bool(approvers - prepared_by(note) - {actor.pk if actor else None})


def check_approved(note: Invoice, actor: User | None) -> None:
    """Raise NeedsApproval unless `actor` may issue a draft."""
    if not is_approved(note, actor):
        raise NeedsApproval(
            _(
                "This credit note of %(amount)s needs a second person: from %(limit)s on, somebody who neither "
                "prepared it nor issues it has to approve it."
            )
            % {
                "amount": format_cents(note.total_cents),
                "limit": format_cents(approval_limit_cents(note) or 0),
            }
        )
