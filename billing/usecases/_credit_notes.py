"""Credit notes while they are drafts: what they take back, checked against what is left, and their rows."""

from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b

import msgspec
from django.utils.translation import gettext as _

from billing.domain.crediting import Credited, TooMuchCredited, credit, everything_left
from billing.domain.lifecycle import DocumentState
from billing.domain.money import MICRO_PER_CENT, format_cents
from billing.domain.quantities import MICRO
from billing.models import Invoice, InvoiceLine, TaxSubtotal
from billing.queries.crediting import Creditable, draft_credit_note, load_creditable, load_uncredited_provision
from billing.queries.wording import line_description
from billing.usecases._accounts import UnableToSettle, lock_invoice

NOTE_LENGTH = 2000


class UnableToCredit(UnableToSettle):
    """Nothing was credited; the message is a sentence that says why."""


class NoSuchCreditNote(UnableToCredit):
    """No draft of a credit note has this id."""


class OverTheLimit(UnableToCredit):
    """More than is left of a line, of a VAT rate or of the credits that were sold; the message names the limit."""


class BeingCredited(UnableToCredit):
    """There is a draft of a credit note already: one at a time."""


class CreditedMeanwhile(UnableToCredit):
    """The page was out of date: somebody else credited the invoice, or the draft is another one."""

    def __init__(self) -> None:
        super().__init__(_("Somebody changed this meanwhile: look at it as it is now, then decide again."))


def lock_credit_note(credit_note_id: int) -> tuple[Invoice, Invoice]:
    """Take the account and the invoice of a credit note that is a draft; return both documents, the note first.

    Raises NoSuchCreditNote.
    """
    drafts = Invoice.objects.filter(
        pk=credit_note_id, kind=Invoice.Kind.CREDIT_NOTE, document_state=DocumentState.DRAFT.value
    )
    refers_to = drafts.values_list("refers_to_id", flat=True).first()
    if refers_to is not None:
        invoice = lock_invoice(refers_to)
        # Somebody may have issued or discarded it while we waited for the account.
        note = drafts.select_for_update(no_key=True).first()
        if note is not None:
            return note, invoice
    raise NoSuchCreditNote(_("This credit note is not a draft (any more)."))


def compute_credit(
    invoice: Invoice, creditable: Creditable, amounts: Mapping[int, int] | None, *, or_nothing: bool = False
) -> Credited:
    """What a credit note with these amounts (cents by line; None: all that is left) takes back of a locked invoice.

    Raises OverTheLimit, and UnableToCredit when there is nothing to take back, unless `or_nothing`.
    """
    wanted = everything_left(creditable.lines) if amounts is None else dict(amounts)
    if not wanted.keys() <= creditable.rows.keys():
        raise UnableToCredit(_("A line that is credited is not one of invoice %(invoice)s.") % {"invoice": invoice})
    try:
        credited = credit(creditable.lines, creditable.rates, wanted)
    except TooMuchCredited as error:
        raise OverTheLimit(_sentence(error, creditable)) from error
    if not credited.lines and not or_nothing:
        raise UnableToCredit(_("There is nothing to credit: give an amount for at least one line."))
    _check_provision(invoice, creditable, credited)
    return credited


def write_draft(invoice: Invoice, creditable: Creditable, credited: Credited, *, reason: str, at: datetime) -> Invoice:
    """Store a draft of a credit note; `reason` is the note to the customer. Raises BeingCredited."""
    if draft_credit_note(invoice.pk) is not None:
        raise BeingCredited(
            _("A credit note for invoice %(invoice)s is being prepared: issue or discard it first.")
            % {"invoice": invoice}
        )
    note = Invoice.objects.create(
        kind=Invoice.Kind.CREDIT_NOTE,
        legal_entity_id=invoice.legal_entity_id,
        organization_id=invoice.organization_id,
        consumption_month=invoice.consumption_month,
        currency=invoice.currency,
        refers_to=invoice,
        subtotal_cents=credited.subtotal_cents,
        vat_cents=credited.vat_cents,
        total_cents=credited.subtotal_cents + credited.vat_cents,
        fingerprint=_fingerprint(invoice, credited, reason),
        note=reason[:NOTE_LENGTH],
        created_at=at,
        computed_at=at,
    )
    InvoiceLine.objects.bulk_create(
        _line(note, creditable.rows[line_id], cents, position)
        for position, (line_id, cents) in enumerate(credited.lines, start=1)
    )
    TaxSubtotal.objects.bulk_create(
        TaxSubtotal(
            invoice=note,
            category=tax.category,
            rate_bp=tax.rate_bp,
            base_cents=tax.base_cents,
            vat_cents=tax.vat_cents,
        )
        for tax in credited.tax_subtotals
    )
    return note


def check_still_right(note: Invoice, invoice: Invoice) -> None:
    """Check a draft against what is left now. Raises OverTheLimit or CreditedMeanwhile."""
    creditable = load_creditable(invoice.pk)
    lines = note.lines.order_by().values_list("credited_line_id", "net_cents")
    amounts = {line_id: cents for line_id, cents in lines if line_id is not None}
    credited = compute_credit(invoice, creditable, amounts, or_nothing=True)
    if _fingerprint(invoice, credited, note.note) != note.fingerprint:
        raise CreditedMeanwhile


def _line(note: Invoice, row: InvoiceLine, cents: int, position: int) -> InvoiceLine:
    """A line that takes back `cents` of another; as a whole, it repeats its quantity and unit price."""
    is_whole = cents == row.net_cents
    return InvoiceLine(
        invoice=note,
        position=position,
        kind=row.kind,
        organization_id=row.organization_id,
        name=row.name,
        period_start=row.period_start,
        period_end=row.period_end,
        quantity_micro=row.quantity_micro if is_whole else MICRO,
        unit_price_micro=row.unit_price_micro if is_whole else cents * MICRO_PER_CENT,
        net_cents=cents,
        vat_category=row.vat_category,
        vat_rate_bp=row.vat_rate_bp,
        credited_line_id=row.pk,
    )


def _fingerprint(invoice: Invoice, credited: Credited, reason: str) -> str:
    content = msgspec.msgpack.encode((invoice.pk, credited, reason[:NOTE_LENGTH]))
    return blake2b(content, digest_size=16).hexdigest()


def _check_provision(invoice: Invoice, creditable: Creditable, credited: Credited) -> None:
    provision = InvoiceLine.Kind.PROVISION
    cents = sum(cents for line_id, cents in credited.lines if creditable.rows[line_id].kind == provision)
    left_cents, used_cents = load_uncredited_provision(invoice.pk) if cents else (0, 0)
    if cents > left_cents:
        raise OverTheLimit(
            _(
                "%(amount)s of the credits provision cannot be credited: %(used)s of its credits are used, %(left)s "
                "are left."
            )
            % {
                "amount": format_cents(cents),
                "used": format_cents(used_cents),
                "left": format_cents(left_cents),
            }
        )


def _sentence(error: TooMuchCredited, creditable: Creditable) -> str:
    values = {"amount": format_cents(error.cents), "left": format_cents(error.left_cents)}
    if error.line_id is not None:
        line = line_description(creditable.rows[error.line_id])
        return _("%(amount)s cannot be credited of “%(line)s”: %(left)s are left of it.") % {**values, "line": line}
    rate = format_cents(error.rate[1]) if error.rate else ""
    return _("%(amount)s cannot be credited at %(rate)s %% VAT: %(left)s are left of what was billed at that rate.") % {
        **values,
        "rate": rate,
    }
