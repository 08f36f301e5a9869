"""Cancel an issued invoice so that its month can be invoiced again."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from msgspec import Struct

from billing.domain.crediting import everything_left
from billing.domain.facts import Reason
from billing.formatting import format_month
from billing.models import CloseOutcome, CreditEntry, Invoice, UsageCorrection, UsageDetail
from billing.queries.crediting import draft_credit_note, issued_credit_notes, load_creditable
from billing.queries.months import month_of
from billing.usecases._accounts import NoReason, NoSuchInvoice, check_reason, lock_invoice
from billing.usecases._credit_gate import InvalidEInvoice, NeedsApproval, is_approved, why_no_e_invoice
from billing.usecases._credit_issuing import issue_note
from billing.usecases._credit_notes import BeingCredited, CreditedMeanwhile, OverTheLimit, UnableToCredit
from billing.usecases._events import NewEvent, record_event
from billing.usecases._permissions import require
from billing.usecases._undoing import reopen_nil_month, undo_bookings
from billing.usecases.prepare_credit_note import draft_note
from organizations.models import Organization, User

__all__ = [
    "BeingCredited",
    "Cancelled",
    "CreditedMeanwhile",
    "InvalidEInvoice",
    "NeedsApproval",
    "NoReason",
    "NoSuchInvoice",
    "NotTheLatest",
    "OverTheLimit",
    "UnableToCredit",
    "cancel_invoice",
]


class NotTheLatest(UnableToCredit):
    """Later invoices build on it: they have to be cancelled first."""


class Cancelled(Struct, frozen=True):
    """A cancelled invoice and the credit note of what was left of it; None when all of it was credited before."""

    invoice: Invoice
    credit_note: Invoice | None


@transaction.atomic
def cancel_invoice(
    *, invoice_id: int, reason: str, seen_credited_cents: int | None = None, actor: User | None, at: datetime
) -> Cancelled:
    """Credit all that is left of an invoice and undo what it booked: closing its month again bills everything anew.

    Credits that it used go back to their grants, charges and add-ons are free again, its usage is unbilled. Only the
    latest issued month of a payer: the months after build on it. Months after that had nothing to bill are reopened.
    A draft of a credit note for all that is left (for example one that is approved) is the one that is issued.

    Raises subclasses of UnableToSettle, with a sentence, and NotAllowed; then nothing is written.
    """
    require(actor, "billing.credit_invoice")
    reason = check_reason(reason)
    members = _lock_members(invoice_id)
    invoice = lock_invoice(invoice_id)
    if seen_credited_cents is not None and seen_credited_cents != invoice.credited_cents:
        raise CreditedMeanwhile
    if invoice.released:
        raise UnableToCredit(_("Invoice %(invoice)s is cancelled already.") % {"invoice": invoice})
    _check_is_latest(invoice, members)
    _forget_corrections(invoice)
    note = _credit_the_rest(invoice, reason, actor, at)
    _reopen_later_months(invoice, at)
    returned_cents = undo_bookings(invoice, at)
    invoice.released = True
    invoice.save(update_fields=["released"])
    values = {
        "number": invoice.number,
        "credit_note": note.number if note else None,
        "returned_cents": returned_cents,
        "currency": invoice.currency,
        "month": f"{invoice.consumption_month:%Y-%m}",
    }
    event = NewEvent("invoice.cancelled", invoice.organization_id, invoice.pk, values, reason)
    record_event(event, actor=actor, at=at)
    return Cancelled(invoice, note)


def _lock_members(invoice_id: int) -> set[int]:
    """Take the accounts of everybody who is billed on an invoice, in the order in which closes take them."""
    found = Invoice.objects.filter(pk=invoice_id).values_list("organization_id", "consumption_month").first()
    if found is None:
        return set()
    payer_id, month = found
    outcomes = CloseOutcome.objects.filter(payer=payer_id, month=month)
    billed = UsageDetail.objects.filter(invoice=invoice_id).order_by().values_list("organization_id", flat=True)
    members = {payer_id, *outcomes.values_list("organization_id", flat=True), *billed.distinct()}
    list(Organization.objects.select_for_update(no_key=True).filter(pk__in=members).order_by("pk"))
    return members


def _check_is_latest(invoice: Invoice, members: Collection[int]) -> None:
    after = CloseOutcome.objects.filter(organization__in=members, month__gt=invoice.consumption_month)
    later = after.filter(invoice__document_state="issued", invoice__released=False).select_related("invoice")
    outcome = later.order_by("-month").first()
    if outcome is not None:
        raise NotTheLatest(
            _("Invoice %(later)s of %(month)s was issued after %(invoice)s and builds on it: cancel that one first.")
            % {"later": outcome.invoice, "month": format_month(outcome.month), "invoice": invoice}
        )
    moved = after.exclude(payer=invoice.organization_id).exclude(kind=CloseOutcome.Kind.BLOCKED).first()
    if moved is not None:
        raise NotTheLatest(
            _(
                "%(organization)s, which is billed on invoice %(invoice)s, has another payer since: the invoice can be "
                "credited, but not be replaced."
            )
            % {"organization": moved.organization, "invoice": invoice}
        )


def _forget_corrections(invoice: Invoice) -> None:
    """Late usage that made its own month cheaper is billed anew with it; what made earlier months so is in the way."""
    month = invoice.consumption_month
    returned = invoice.credit_entries.filter(kind=CreditEntry.Kind.RETURN).exclude(month=month)
    credited = UsageCorrection.objects.filter(credit_note__refers_to=invoice).exclude(month=month)
    if returned.exists() or credited.exists():
        raise UnableToCredit(
            _(
                "Late usage of an earlier month was given back on invoice %(invoice)s: it can be credited, but not be "
                "replaced."
            )
            % {"invoice": invoice}
        )
    UsageCorrection.objects.filter(organization=invoice.organization_id, month=month).delete()


def _credit_the_rest(invoice: Invoice, reason: str, actor: User | None, at: datetime) -> Invoice | None:
    left = everything_left(load_creditable(invoice.pk).lines)
    note = draft_credit_note(invoice.pk)
    if note is not None:
        if dict(note.lines.order_by().values_list("credited_line_id", "net_cents")) != left:
            raise BeingCredited(
                _("A credit note for a part of invoice %(invoice)s is being prepared: issue or discard it first.")
                % {"invoice": invoice}
            )
    elif left or not issued_credit_notes(invoice.pk).exists():
        note = draft_note(invoice, None, reason=reason, actor=actor, at=at, or_nothing=True)
        if not is_approved(note, actor):
            raise NeedsApproval(
                _(
                    "Cancelling it credits an amount that needs a second person: prepare a credit note of all that is "
                    "left and have it approved, then cancel the invoice."
                )
            )
        if why_no_e_invoice(note) is not None:
            raise InvalidEInvoice(
                _(
                    "The customer must get an e-invoice of what cancelling it credits: prepare a credit note of all "
                    "that is left, wait until it has been checked, then cancel the invoice."
                )
            )
    if note is not None:
        issue_note(note, invoice, actor=actor, at=at)
    return note


def _reopen_later_months(invoice: Invoice, at: datetime) -> None:
    """Months after it that had nothing to bill: what they let expire or settled depends on this one."""
    later = CloseOutcome.objects.filter(
        organization=invoice.organization_id,
        kind=CloseOutcome.Kind.NIL,
        month__gt=invoice.consumption_month,
    )
    for outcome in later.order_by("-month"):
        month = month_of(outcome.month)
        values: dict[str, str | int] = {
            "month": str(month.previous),
            "organization": invoice.organization.external_id,
        }
        reopen_nil_month(outcome, Reason("previous_month_blocked", values), at)
