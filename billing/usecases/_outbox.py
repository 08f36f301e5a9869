"""Putting e-mails into the outbox; `send_mail` takes them out."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import uuid4

from django.conf import settings

from billing.models import Invoice, OutgoingMail
from billing.queries.among import among
from billing.queries.recipients import recipients_of
from billing.usecases._events import NewEvent, record_events

TRIED_FOR = timedelta(days=7)
"""Nothing that is older leaves by itself: neither after a server that was down, nor after an upgrade."""


def queue_mails(invoice_ids: Collection[int], *, at: datetime) -> None:
    """Queue documents that have just got their files, one e-mail per recipient, in the transaction that says so.

    Whoever issued long ago has told the customer otherwise: a person may send it still. A document that nobody is to
    get leaves an event. Five queries, however many documents there are.
    """
    invoices = Invoice.objects.filter(among("id", invoice_ids), issued_at__gte=at - TRIED_FOR)
    rows = list(invoices.order_by("id").values_list("id", "kind", "organization_id"))
    recipients = recipients_of({organization_id for _, _, organization_id in rows})
    OutgoingMail.objects.bulk_create(
        (
            make_mail(invoice_id, kind, organization_id, address, recipients[organization_id].language, at)
            for invoice_id, kind, organization_id in rows
            for address in recipients[organization_id].addresses
        ),
        ignore_conflicts=True,
    )
    nobody = [(invoice_id, id_) for invoice_id, _, id_ in rows if not recipients[id_].addresses]
    events = [NewEvent("mail.nobody", organization_id, invoice_id) for invoice_id, organization_id in nobody]
    if events:
        record_events(events, actor=None, at=at)


def make_mail(
    invoice_id: int, kind: str, organization_id: int, recipient: str, language: str, at: datetime, number: int = 1
) -> OutgoingMail:
    """An e-mail that is due now, not stored yet. It keeps its Message-ID whenever it is tried again."""
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip("> ")
    return OutgoingMail(
        kind=kind,
        invoice_id=invoice_id,
        organization_id=organization_id,
        recipient=recipient,
        language=language,
        number=number,
        not_before=at,
        try_until=at + TRIED_FOR,
        message_id=f"<{uuid4().hex}@{domain}>",
        created_at=at,
    )
