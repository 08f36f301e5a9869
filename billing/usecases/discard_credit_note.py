"""Discard a credit note that is still a draft."""

from datetime import datetime

from django.db import transaction

from billing.domain.lifecycle import DocumentState
from billing.models import Invoice
from billing.usecases._accounts import check_reason
from billing.usecases._credit_notes import NoSuchCreditNote, lock_credit_note
from billing.usecases._events import NewEvent, record_events
from billing.usecases._permissions import require
from organizations.models import User

__all__ = ["NoSuchCreditNote", "discard_credit_note"]


@transaction.atomic
def discard_credit_note(*, credit_note_id: int, reason: str, actor: User | None, at: datetime) -> Invoice:
    """Discard a draft: it never had a number and takes nothing back. Raises NoSuchCreditNote, NoReason, NotAllowed."""
    require(actor, "billing.credit_invoice")
    reason = check_reason(reason)
    note, invoice = lock_credit_note(credit_note_id)
    note.document_state = DocumentState.DISCARDED.value
    note.save(update_fields=["document_state"])
    values = {"cents": note.total_cents, "currency": note.currency, "refers_to": invoice.number}
    record_events(
        [
            NewEvent("credit_note.discarded", invoice.organization_id, document.pk, values, reason)
            for document in (note, invoice)
        ],
        actor=actor,
        at=at,
    )
    return note
