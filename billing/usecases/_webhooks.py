"""Writing down what webhooks announce, in the transaction of what happened; `send_webhook` sends it.

Whether anybody wants to know is one query; when nobody does, nothing else is read or written.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import connection
from django.db.models import Count
from msgspec import json

from billing.domain.money import format_cents
from billing.domain.webhooks import TRIED_FOR, EventType
from billing.models import CloseOutcome, Invoice, MonthClose, WebhookDelivery, WebhookEndpoint
from billing.queries.among import among
from billing.queries.invoices import due_cents
from billing.usecases._bulk import Row, bulk_write

State = WebhookDelivery.State
_COLUMNS = (
    *("endpoint_id", "event_id", "type", "organization_id", "body", "state", "attempts", "not_before", "try_until"),
    *("error", "created_at"),
)

type Data = dict[str, Any]


def announce_documents(type_: EventType, invoice_ids: Collection[int], *, at: datetime) -> None:
    """Announce something that happened to invoices or credit notes, as they are now; three queries for all."""
    endpoints = _wanting(type_) if invoice_ids else []
    if not endpoints:
        return
    rows = Invoice.objects.filter(among("id", invoice_ids)).select_related("organization", "refers_to").order_by("id")
    rows = rows.defer("seller", "buyer", "printed", "review_notes")  # JSON that takes long to read
    _announce(type_, [(row.organization_id, document_data(row)) for row in rows], endpoints, at)


def announce_suspensions(invoices: Collection[Invoice], *, at: datetime) -> None:
    """Announce whose services are to be suspended and for which invoices, which come with both; one query for all."""
    endpoints = _wanting("organization.suspend") if invoices else []
    if endpoints:
        happened = [
            (row.organization_id, {"organization": row.organization.external_id, "invoice": document_data(row)})
            for row in invoices
        ]
        _announce("organization.suspend", happened, endpoints, at)


def announce_close(close: MonthClose, *, at: datetime) -> None:
    """Announce that every organization has an outcome; endpoints of one organization do not hear of it."""
    endpoints = [endpoint for endpoint in _wanting("month_close.finished") if endpoint.organization_id is None]
    if not endpoints:
        return
    outcomes = CloseOutcome.objects.filter(month=close.month).order_by().values_list("kind")
    data = {
        "month": f"{close.month:%Y-%m}",
        "run": close.run,
        "started_at": close.started_at,
        "finished_at": close.finished_at,
        "outcomes": dict.fromkeys(CloseOutcome.Kind.values, 0) | dict(outcomes.annotate(number=Count("*"))),
    }
    _announce("month_close.finished", [(None, data)], endpoints, at)


def announce_ping(endpoint: WebhookEndpoint, *, at: datetime) -> None:
    """Let an endpoint show that it is there."""
    _announce("ping", [(endpoint.organization_id, {"webhook": endpoint.name})], [endpoint], at)


def document_data(row: Invoice) -> Data:
    """A document as its messages tell of it: as `export_invoices` does, without lines, statement and usage."""
    return {
        "type": row.kind,
        "organization": row.organization.external_id,
        "number": row.number,
        "refers_to": row.refers_to.number if row.refers_to else None,
        "status": row.payment_state,
        "consumption_month": f"{row.consumption_month:%Y-%m}",
        "currency": row.currency,
        "issue_date": row.issue_date,
        "due_date": row.due_date,
        "subtotal": format_cents(row.subtotal_cents),
        "vat": format_cents(row.vat_cents),
        "total": format_cents(row.total_cents),
        "amount_due": format_cents(due_cents(row)),
    }


def _wanting(type_: EventType) -> list[WebhookEndpoint]:
    """JSON is looked into here: databases differ in how they do, and there are only a few."""
    endpoints = WebhookEndpoint.objects.filter(disabled_at=None).select_related("organization").order_by("id")
    return [endpoint for endpoint in endpoints if type_ in endpoint.events]


def _announce(
    type_: EventType, happened: Iterable[tuple[int | None, Data]], endpoints: Collection[WebhookEndpoint], at: datetime
) -> None:
    """One message for each endpoint that may hear of it; there may be one for every invoice of a month."""
    rows: list[Row] = []
    for organization_id, data in happened:
        event_id = f"evt_{uuid4().hex}"
        body = json.encode({"id": event_id, "type": type_, "timestamp": at, "data": data}).decode()
        message = (event_id, type_, organization_id, body, State.WAITING.value, 0, at, at + TRIED_FOR, "", at)
        rows += [
            (endpoint.pk, *message) for endpoint in endpoints if endpoint.organization_id in (None, organization_id)
        ]
    bulk_write(connection, WebhookDelivery._meta.db_table, _COLUMNS, rows)
