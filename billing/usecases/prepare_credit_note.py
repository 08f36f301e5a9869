"""Prepare a credit note: a draft that takes back some or all of an issued invoice."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from billing.models import Invoice
from billing.queries.crediting import load_creditable
from billing.usecases._accounts import NoReason, NoSuchInvoice, check_reason, lock_invoice
from billing.usecases._credit_notes import (
    BeingCredited,
    CreditedMeanwhile,
    OverTheLimit,
    UnableToCredit,
    compute_credit,
    write_draft,
)
from billing.usecases._drafts import roll_back_if
from billing.usecases._events import NewEvent, record_events
from billing.usecases._permissions import require
from organizations.models import User

__all__ = [
    "BeingCredited",
    "CreditedMeanwhile",
    "NoReason",
    "NoSuchInvoice",
    "OverTheLimit",
    "UnableToCredit",
    "prepare_credit_note",
]


@transaction.atomic
def prepare_credit_note(
    *,
    invoice_id: int,
    amounts: Mapping[int, int] | None = None,
    reason: str,
    seen_credited_cents: int | None = None,
    dry_run: bool = False,
    actor: User | None,
    at: datetime,
) -> Invoice:
    """Store a draft that credits `amounts` (net cents by line of the invoice; None: all that is left of each).

    Amounts have the sign of their line: a discount is taken back by a negative one. `reason` is printed for the
    customer. `seen_credited_cents` is what was credited of the invoice when the person decided. `dry_run` returns the
    draft without storing it.

    Raises subclasses of UnableToSettle, with a sentence, and NotAllowed; then nothing is stored.
    """
    require(actor, "billing.credit_invoice")
    reason = check_reason(reason)
    invoice = lock_invoice(invoice_id)
    if seen_credited_cents is not None and seen_credited_cents != invoice.credited_cents:
        raise CreditedMeanwhile
    note = draft_note(invoice, amounts, reason=reason, actor=actor, at=at)
    roll_back_if(dry_run)
    return note


def draft_note(
    invoice: Invoice,
    amounts: Mapping[int, int] | None,
    *,
    reason: str,
    actor: User | None,
    at: datetime,
    or_nothing: bool = False,
) -> Invoice:
    """Store a draft for a locked invoice, with its events; see `prepare_credit_note`."""
    creditable = load_creditable(invoice.pk)
    credited = compute_credit(invoice, creditable, amounts, or_nothing=or_nothing)
    note = write_draft(invoice, creditable, credited, reason=reason, at=at)
    values = {"cents": note.total_cents, "currency": note.currency, "refers_to": invoice.number}
    record_events(
        [
            NewEvent("credit_note.prepared", invoice.organization_id, document.pk, values, reason[:1000])
            for document in (note, invoice)
        ],
        actor=actor,
        at=at,
    )
    return note
