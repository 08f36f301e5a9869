"""Issue a credit note: number it, freeze it, and let money and credits follow."""

from datetime import date, datetime

from django.db import transaction

from billing.models import Invoice
from billing.queries.draft_checks import load_checks, who_must_get_e_invoices
from billing.queries.reasons import reason_sentence
from billing.usecases._credit_approval import NeedsApproval
from billing.usecases._credit_issuing import WrongIssueDate, issue_note
from billing.usecases._credit_notes import (
    CreditedMeanwhile,
    NoSuchCreditNote,
    OverTheLimit,
    UnableToCredit,
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


class InvalidEInvoice(UnableToCredit):
    """Its customer must get e-invoices, and this one is not known to be valid."""


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
    _check_e_invoice(note)
    issue_note(note, invoice, actor=actor, at=at, issue_date=issue_date)
    return note


def _check_e_invoice(note: Invoice) -> None:
    """A customer who must get e-invoices gets a valid one of a credit note too."""
    if not who_must_get_e_invoices([note.organization_id]):
        return
    check = load_checks([note.pk]).get(note.pk)
    if check is None or check.content.fingerprint != note.fingerprint:
        raise InvalidEInvoice(reason_sentence("e_invoice_not_checked", {}))
    if check.failures:
        raise InvalidEInvoice(reason_sentence("e_invoice_invalid", {"count": len(check.failures)}))
