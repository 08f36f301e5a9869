"""What issuing writes: numbers, dates and copies of the parties on the documents, and what they book elsewhere."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

import msgspec
from django.db import connection
from msgspec import Struct

from billing.domain.assembly import Draft
from billing.domain.lifecycle import DocumentState, PaymentState
from billing.domain.numbering import render_number
from billing.models import AddOn, Charge, CreditEntry, CreditGrant, Invoice, LegalEntity, NumberSeries
from billing.queries.among import among
from billing.queries.parties import Snapshot, buyer_snapshots, seller_snapshot
from billing.queries.printed import load_printed
from billing.usecases._bulk import bulk_change, bulk_write
from billing.usecases._close_batch import Result
from billing.usecases._ledger import book_entries
from organizations.models import Organization

_FROZEN = (
    "id",
    "document_state",
    "payment_state",
    "number",
    "counter",
    "issue_date",
    "due_date",
    "seller",
    "buyer",
    "note",
    "printed",
    "issued_at",
)


class Issued(Struct, frozen=True):
    """A draft that is being issued, under the number that it gets."""

    invoice_id: int
    result: Result
    draft: Draft
    counter: int


def freeze(
    issued: Sequence[Issued], seller: LegalEntity, series: NumberSeries, issue_date: date, at: datetime
) -> list[str]:
    """Give the documents their numbers, dates and copies of the parties; what costs nothing is settled at once."""
    payer_ids = [document.result.account.id for document in issued]
    buyers = buyer_snapshots(payer_ids)
    payers = Organization.objects.filter(among("id", payer_ids))
    terms = dict(payers.values_list("id", "payment_term_days"))
    seller_json = _json(seller_snapshot(seller))
    currency_of = {document.invoice_id: document.result.facts.terms.currency for document in issued}
    printed = load_printed({id_: (currency, issue_date) for id_, currency in currency_of.items()})
    numbers = [render_number(series.template, date=issue_date, counter=document.counter) for document in issued]
    bulk_change(
        connection,
        Invoice._meta.db_table,
        _FROZEN,
        (
            (
                document.invoice_id,
                DocumentState.ISSUED.value,
                (PaymentState.PENDING if document.draft.total_cents else PaymentState.PAID).value,
                number,
                document.counter,
                issue_date,
                document.draft.due_date or issue_date + timedelta(days=terms[payer_id]),
                seller_json,
                _json(_buyer(buyers[payer_id], document.draft)),
                document.draft.note or "",
                _json(printed[document.invoice_id]),
                at,
            )
            for payer_id, document, number in zip(payer_ids, issued, numbers, strict=True)
        ),
    )
    return numbers


def _buyer(profile: Snapshot, draft: Draft) -> Snapshot:
    """The buyer as it is printed, under the purchase order that staff gave for this invoice if they did."""
    return profile if draft.purchase_order is None else {**profile, "purchase_order": draft.purchase_order}


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def book_issued(issued: Sequence[Issued], at: datetime) -> None:
    """Book what the documents use and sell: credits used and expired, credits sold, charges and add-ons billed."""
    book_entries([entry for document in issued for entry in _entries(document, at)])
    _sell_credits(issued, at)
    _take_charges_and_add_ons(issued)


def _entries(document: Issued, at: datetime) -> Iterable[CreditEntry]:
    month = document.result.facts.month.first_day
    movements = ((CreditEntry.Kind.USE, document.draft.used), (CreditEntry.Kind.EXPIRY, document.draft.expired))
    for kind, taken in movements:
        for grant_id, cents in taken:
            yield CreditEntry(
                grant_id=grant_id,
                kind=kind,
                amount_cents=-cents,
                month=month,
                invoice_id=document.invoice_id,
                booked_at=at,
            )


def _sell_credits(issued: Sequence[Issued], at: datetime) -> None:
    """The provisions: prepaid credits, pending until their invoice is fully paid."""
    bulk_write(
        connection,
        CreditGrant._meta.db_table,
        (
            "organization_id",
            "type",
            "state",
            "amount_cents",
            "remaining_cents",
            "pending_cents",
            "currency",
            "priority",
            "reason",
            "sold_by_id",
            "created_at",
        ),
        (
            (
                document.result.account.id,
                CreditGrant.Type.PREPAID.value,
                CreditGrant.State.PENDING.value,
                document.draft.statement.refill_cents,
                0,
                document.draft.statement.refill_cents,
                document.result.facts.terms.currency,
                0,
                "",
                document.invoice_id,
                at,
            )
            for document in issued
            if document.draft.statement.refill_cents
        ),
    )


def _take_charges_and_add_ons(issued: Sequence[Issued]) -> None:
    bulk_change(
        connection,
        Charge._meta.db_table,
        ("id", "invoice_id"),
        ((id_, document.invoice_id) for document in issued for id_ in document.draft.charge_ids),
    )
    bulk_change(
        connection,
        AddOn._meta.db_table,
        ("id", "billed_until"),
        (billed_until for document in issued for billed_until in document.draft.add_ons_billed_until),
    )
