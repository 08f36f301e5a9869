"""Writing down who did what. Every use case that changes a document, a payment or an account leaves an event."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection
from msgspec import Struct, json

from billing.models import Event
from billing.usecases._bulk import bulk_write
from organizations.models import User


class NewEvent(Struct, frozen=True):
    """What happened to one document or account; `values` holds what the sentence of its kind names."""

    kind: str
    organization_id: int | None = None
    invoice_id: int | None = None
    values: dict[str, Any] = {}
    reason: str = ""


def record_events(events: Iterable[NewEvent], *, actor: User | None, at: datetime) -> None:
    """Add events in the transaction of the caller: they are there exactly if what they tell of is."""
    bulk_write(
        connection,
        Event._meta.db_table,
        ("at", "kind", "actor_id", "organization_id", "invoice_id", "values", "reason"),
        (
            (
                at,
                event.kind,
                actor.pk if actor else None,
                event.organization_id,
                event.invoice_id,
                json.encode(event.values).decode(),
                event.reason,
            )
            for event in events
        ),
    )


def record_event(event: NewEvent, *, actor: User | None, at: datetime) -> None:
    """Add one event."""
    record_events([event], actor=actor, at=at)
