"""Issuing credit notes: number, dates and parties; then what they take back of credits and of money.

Order matters: credits are taken back before the money is settled, as settling may make what is pending usable.
"""

from datetime import date, datetime

import msgspec
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from billing.domain.lifecycle import DocumentState, PaymentState
from billing.domain.numbering import render_number
from billing.models import CreditEntry, CreditGrant, Invoice, InvoiceLine, NumberSeries
from billing.queries.closed_accounts import is_account_over
from billing.queries.invoices import left_cents
from billing.queries.months import local_day
from billing.queries.parties import buyer_snapshots, credited_buyer, seller_snapshot
from billing.queries.printed import load_printed
from billing.usecases._archive import await_rendering
from billing.usecases._credit_gate import check_approved, check_e_invoice
from billing.usecases._credit_notes import UnableToCredit, check_still_right
from billing.usecases._events import NewEvent, record_events
from billing.usecases._ledger import book_entries
from billing.usecases._sealing import seal
from billing.usecases._settlement import after_change, release
from billing.usecases._webhooks import announce_documents
from organizations.models import User


class WrongIssueDate(UnableToCredit):
    """The date lies in the future, or before one that it has to follow."""


def issue_note(
    note: Invoice, invoice: Invoice, *, actor: User | None, at: datetime, issue_date: date | None = None
) -> None:
    """Issue a draft for its invoice; both are locked, and the account. See `issue_credit_note`."""
    check_e_invoice(note)
    check_still_right(note, invoice)
    check_approved(note, actor)
    state_before, left_before = invoice.payment_state, left_cents(invoice)
    _number(note, invoice, issue_date or local_day(at), at)
    _take_back_credits(note, invoice, at)
    over_cents = invoice.paid_cents + invoice.credited_cents + note.total_cents - invoice.total_cents
    freed = release(invoice, max(0, over_cents), at, credited_by=note)
    invoice.credited_cents += note.total_cents
    if not invoice.total_cents:
        # Credits had covered it, so no amount tells that it is over.
        invoice.payment_state = PaymentState.CANCELED.value
    after_change(invoice, at)
    values = {
        "number": note.number,
        "refers_to": invoice.number,
        "cents": note.total_cents,
        "currency": note.currency,
        "released": [{"payment": each.payment.reference, "cents": each.cents} for each in freed],
        "before": {"payment_state": state_before, "left_cents": left_before},
        "after": {"payment_state": invoice.payment_state, "left_cents": left_cents(invoice)},
    }
    record_events(
        [
            NewEvent("credit_note.issued", note.organization_id, document.pk, values, note.note[:1000])
            for document in (note, invoice)
        ],
        actor=actor,
        at=at,
    )
    announce_documents("credit_note.issued", [note.pk], at=at)


def _number(note: Invoice, invoice: Invoice, issue_date: date, at: datetime) -> None:
    """Freeze a credit note under the next number of its series; there is nothing to pay of it."""
    series = NumberSeries.objects.select_for_update().get(
        legal_entity=note.legal_entity_id, kind=NumberSeries.Kind.CREDIT_NOTE
    )
    _check_date(issue_date, invoice, series, at)
    series.last_counter, series.last_date = series.last_counter + 1, issue_date
    series.save(update_fields=("last_counter", "last_date"))
    note.document_state = DocumentState.ISSUED.value
    note.payment_state = PaymentState.PAID.value
    note.credited_cents = note.total_cents
    note.counter = series.last_counter
    note.number = render_number(series.template, date=issue_date, counter=series.last_counter)
    note.issue_date = note.due_date = issue_date
    note.seller = seller_snapshot(note.legal_entity)
    note.buyer = credited_buyer(invoice, buyer_snapshots([note.organization_id])[note.organization_id])
    note.printed = msgspec.to_builtins(load_printed({note.pk: (note.currency, issue_date)})[note.pk], str_keys=True)
    note.issued_at = at
    note.save()
    seal([note.pk], series)
    await_rendering([note.pk], at=at)
    note.refresh_from_db(fields=["content_hash"])


def _check_date(issue_date: date, invoice: Invoice, series: NumberSeries, at: datetime) -> None:
    today = local_day(at)
    if issue_date > today:
        raise WrongIssueDate(
            _("The issue date %(day)s is in the future: use %(today)s or an earlier day.")
            % {"day": date_format(issue_date), "today": date_format(today)}
        )
    for earliest, what in ((series.last_date, series.template), (invoice.issue_date, str(invoice))):
        if earliest is not None and issue_date < earliest:
            raise WrongIssueDate(
                _("The issue date %(day)s lies before %(earliest)s, the date of %(what)s.")
                % {"day": date_format(issue_date), "earliest": date_format(earliest), "what": what}
            )


def _take_back_credits(note: Invoice, invoice: Invoice, at: datetime) -> None:
    """A credited provision: pending credits are not sold any more, unused active ones are booked as taken back."""
    lines = note.lines.filter(kind=InvoiceLine.Kind.PROVISION).order_by()
    cents = sum(lines.values_list("net_cents", flat=True))
    if not cents:
        return
    grant = CreditGrant.objects.select_for_update(no_key=True).get(sold_by=invoice)
    if grant.state != CreditGrant.State.ACTIVE:
        grant.pending_cents -= cents
        if not grant.pending_cents:
            grant.state = CreditGrant.State.CANCELLED
        grant.save(update_fields=["pending_cents", "state"])
        return
    kind = CreditEntry.Kind.REFUND if is_account_over(invoice.organization) else CreditEntry.Kind.REVOCATION
    book_entries([CreditEntry(grant_id=grant.pk, kind=kind, amount_cents=-cents, invoice=note, booked_at=at)])
