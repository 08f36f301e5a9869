"""Approve a credit note as the second person that its amount asks for."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from billing.models import Approval
from billing.usecases._credit_approval import approval_limit_cents, prepared_by
from billing.usecases._credit_notes import CreditedMeanwhile, NoSuchCreditNote, UnableToCredit, lock_credit_note
from billing.usecases._events import NewEvent, record_event
from billing.usecases._permissions import require
from organizations.models import User

__all__ = ["CreditedMeanwhile", "NoSuchCreditNote", "UnableToApproveCreditNote", "approve_credit_note"]


class UnableToApproveCreditNote(UnableToCredit):
    """Nothing was approved; the message says why."""


@transaction.atomic
def approve_credit_note(*, credit_note_id: int, seen: str, actor: User, at: datetime) -> Approval:
    """Approve a draft as it is: `seen` is its fingerprint. Whoever approves it can not issue it.

    Raises NotAllowed, NoSuchCreditNote, CreditedMeanwhile and UnableToApproveCreditNote.
    """
    require(actor, "billing.approve_invoice")
    note, _invoice = lock_credit_note(credit_note_id)
    if seen != note.fingerprint:
        raise CreditedMeanwhile
    if approval_limit_cents(note) is None:
        raise UnableToApproveCreditNote(_("This credit note needs no second person."))
    if actor.pk in prepared_by(note):
        raise UnableToApproveCreditNote(_("You prepared this credit note yourself: somebody else approves it."))
    approval, is_new = Approval.objects.get_or_create(
        invoice=note, fingerprint=note.fingerprint, approver=actor, defaults={"approved_at": at}
    )
    if not is_new:
        raise UnableToApproveCreditNote(_("You have approved this credit note already."))
    values = {"cents": note.total_cents, "currency": note.currency, "fingerprint": note.fingerprint}
    record_event(NewEvent("credit_note.approved", note.organization_id, note.pk, values), actor=actor, at=at)
    return approval
