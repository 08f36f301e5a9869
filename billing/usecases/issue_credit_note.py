"""Issue a credit note: number it, freeze it, and let money and credits follow."""

from datetime import date, datetime

from django.db import transaction

from billing.models import Invoice
from billing.usecases._credit_gate import InvalidEInvoice, NeedsApproval
from billing.usecases._credit_issuing import WrongIssueDate, issue_note
from billing.usecases._credit_notes import (
    CreditedMeanwhile,
    NoSuchCreditNote,
    OverTheLimit,
    lock_credit_note,
)
from billing.usecases._permissions import require
from organizations.models import User

__all__ = [
    "CreditedMeanwhile",
    "InvalidEInvoice",
    "NeedsApproval",
    "NoSuchCreditNote",
    "OverTheLimit",
    "WrongIssueDate",
    "issue_credit_note",
]


@transaction.atomic
def issue_credit_note(
    *, credit_note_id: int, seen: str, issue_date: date | None = None, actor: User | None, at: datetime
) -> Invoice:
    """Issue a draft of which the person saw the fingerprint `seen`; the date defaults to the day of `at`.

    What is left to pay of its invoice is less by its total; money that was paid beyond is unallocated again on its
    payments. A credited provision takes back pending credits, or active ones that are unused.

    Raises subclasses of UnableToSettle, with a sentence, and NotAllowed; then nothing is written.
    """
    require(actor, "billing.credit_invoice")
    note, invoice = lock_credit_note(credit_note_id)
    if seen != note.fingerprint:
        raise CreditedMeanwhile
    issue_note(note, invoice, actor=actor, at=at, issue_date=issue_date)
    return note
