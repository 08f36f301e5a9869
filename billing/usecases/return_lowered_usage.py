"""Give back what settled months cost too much, once late usage has made them cheaper."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _
from msgspec import Struct

from billing.domain.consumption import Unrateable
from billing.domain.lowering import GiveBack, last_used, reduction_cents, share_reduction
from billing.domain.money import format_cents
from billing.formatting import format_month
from billing.models import CreditEntry, Invoice, UsageCorrection, UsageMonth
from billing.queries.crediting import draft_credit_note
from billing.queries.lowered_usage import BilledMonth, LoweredMonth, first_open_month, load_billed_month, load_lowered
from billing.queries.reasons import reason_sentence
from billing.usecases._accounts import check_reason, lock_invoice
from billing.usecases._credit_gate import InvalidEInvoice, NeedsApproval, is_approved, why_no_e_invoice
from billing.usecases._credit_issuing import issue_note
from billing.usecases._credit_notes import BeingCredited, OverTheLimit, UnableToCredit
from billing.usecases._events import NewEvent, record_event
from billing.usecases._permissions import require
from billing.usecases._price_gate import hold_prices
from billing.usecases._settlement import return_credits
from billing.usecases.prepare_credit_note import draft_note
from organizations.models import User

__all__ = [
    "BeingCredited",
    "GivenBack",
    "InvalidEInvoice",
    "NeedsApproval",
    "NothingToGiveBack",
    "OverTheLimit",
    "UnableToCredit",
    "return_lowered_usage",
]


class NothingToGiveBack(UnableToCredit):
    """No settled month of the payer became cheaper."""


class GivenBack(Struct, frozen=True):
    """What went back for one month: by credit notes and as credits, and what others had given back before; cents."""

    month: date
    credit_notes: Sequence[Invoice]
    returned_cents: int
    given_before_cents: int


@transaction.atomic
def return_lowered_usage(*, organization_id: int, reason: str, actor: User | None, at: datetime) -> list[GivenBack]:
    """Give a payer back what its settled months cost too much: first what was billed, by credit notes, then credits.

    Each month then costs what it would have cost in time, discount included; from then on the late usage is settled.

    Raises subclasses of UnableToSettle, with a sentence, and NotAllowed; then nothing is written.
    """
    require(actor, "billing.credit_invoice")
    reason = check_reason(reason)
    hold_prices()
    month = first_open_month(organization_id)
    if month is None:
        raise NothingToGiveBack(_("No month of this organization is billed yet."))
    try:
        facts, lowered = load_lowered(organization_id, month, lock=True)
    except Unrateable as error:
        raise UnableToCredit(reason_sentence(error.reason.code, error.reason.values)) from error
    if not lowered:
        raise NothingToGiveBack(_("Late usage lowers no month that is billed already."))
    ppm = facts.terms.discount_ppm
    return [_give_back(organization_id, each, ppm, reason, actor, at) for each in lowered]


def _give_back(
    payer_id: int, lowered: LoweredMonth, ppm: int, reason: str, actor: User | None, at: datetime
) -> GivenBack:
    billed = load_billed_month(payer_id, lowered.month, ppm)
    shares, rest_cents = share_reduction(_reduction(billed, lowered, ppm), billed.invoices)
    notes = [
        _credit(share, billed.lines[share.invoice_id], reason, actor, at) for share in shares if share.credit_cents
    ]
    returned_cents = sum(share.return_cents for share in shares)
    return_credits([entry for share in shares for entry in _returns(share, billed, lowered.month, at)], at)
    _keep(payer_id, lowered, notes, returned_cents, at)
    values = {
        "month": f"{lowered.month:%Y-%m}",
        "credit_notes": [note.number for note in notes],
        "credited_cents": sum(note.subtotal_cents for note in notes),
        "returned_cents": returned_cents,
    }
    for share in shares:
        record_event(NewEvent("usage.given_back", payer_id, share.invoice_id, values, reason), actor=actor, at=at)
    return GivenBack(lowered.month, notes, returned_cents, rest_cents)


def _reduction(billed: BilledMonth, lowered: LoweredMonth, ppm: int) -> int:
    if not billed.gross_cents:
        return 0  # a discount of all of it: there was nothing to bill
    if lowered.lowered_cents > billed.gross_cents:
        raise UnableToCredit(
            _("%(month)s costs %(amount)s less, but was billed to another organization: credit that one by hand.")
            % {"month": format_month(lowered.month), "amount": format_cents(lowered.lowered_cents)}
        )
    return reduction_cents(
        gross_cents=billed.gross_cents, net_cents=billed.net_cents, lowered_cents=lowered.lowered_cents, ppm=ppm
    )


def _credit(share: GiveBack, line_id: int, reason: str, actor: User | None, at: datetime) -> Invoice:
    """Issue a credit note on the month's regularization: a draft of just that, which may be approved, or a new one."""
    invoice = lock_invoice(share.invoice_id)
    amounts = {line_id: share.credit_cents}
    note = draft_credit_note(invoice.pk)
    if note is None:
        note = draft_note(invoice, amounts, reason=reason, actor=actor, at=at)
    elif dict(note.lines.order_by().values_list("credited_line_id", "net_cents")) != amounts:
        raise BeingCredited(
            _("Another credit note for invoice %(invoice)s is being prepared: issue or discard it first.")
            % {"invoice": invoice}
        )
    if not is_approved(note, actor):
        raise NeedsApproval(
            _(
                "A credit note needs a second person: prepare one of %(amount)s on the regularization of invoice "
                "%(invoice)s, have it approved, then give back."
            )
            % {"amount": format_cents(share.credit_cents), "invoice": invoice}
        )
    if why_no_e_invoice(note) is not None:
        raise InvalidEInvoice(
            _(
                "The customer must get an e-invoice of a credit note: prepare one of %(amount)s on the regularization "
                "of invoice %(invoice)s, wait until it has been checked, then give back."
            )
            % {"amount": format_cents(share.credit_cents), "invoice": invoice}
        )
    issue_note(note, invoice, actor=actor, at=at)
    return note


def _returns(share: GiveBack, billed: BilledMonth, month: date, at: datetime) -> list[CreditEntry]:
    start, end = billed.stretches[share.invoice_id]
    taken = last_used(billed.uses[share.invoice_id], start_cents=start, end_cents=end, cents=share.return_cents)
    return [
        CreditEntry(
            grant_id=grant_id,
            kind=CreditEntry.Kind.RETURN,
            amount_cents=cents,
            month=month,
            invoice_id=share.invoice_id,
            booked_at=at,
        )
        for grant_id, cents in taken
    ]


def _keep(payer_id: int, lowered: LoweredMonth, notes: Sequence[Invoice], returned_cents: int, at: datetime) -> None:
    """Settle the late usage: its lines are kept with the first credit note; each other one has a row of its own."""
    lines = [[f"{line.month}", *line.key, line.quantity_micro, line.amount_cents] for line in lowered.lines]
    first, others = (notes[0] if notes else None), notes[1:]
    month = lowered.month
    UsageCorrection.objects.create(
        organization_id=payer_id,
        month=month,
        lines=lines,
        returned_cents=returned_cents,
        credit_note=first,
        created_at=at,
    )
    for note in others:
        UsageCorrection.objects.create(organization_id=payer_id, month=month, credit_note=note, created_at=at)
    settled = {line.organization_id for line in lowered.lines} - lowered.still_unbilled
    UsageMonth.objects.filter(organization__in=settled, month=month).update(unbilled=False)
