"""Putting e-mails into the outbox; `send_mail` takes them out."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import uuid4

from django.conf import settings
from django.utils.translation import gettext_noop

from billing.models import Invoice, OutgoingMail
from billing.queries.among import among
from billing.queries.recipients import recipients_of
from billing.usecases._events import NewEvent, record_events

TRIED_FOR = timedelta(days=7)
"""Nothing that is older leaves by itself: neither after a server that was down, nor after an upgrade."""

FILES_TOO_LATE = gettext_noop("Its files came more than a week after it was issued: it is not sent by itself.")


def queue_mails(invoice_ids: Collection[int], *, at: datetime) -> None:
    """Queue documents that have just got their files, one e-mail per recipient, in the transaction that says so.

    Whoever issued long ago may have told the customer otherwise: those e-mails are left to people, who see that they
    are not sent and why. A document that nobody is to get leaves an event. Five queries, however many documents there
    are.
    """
    invoices = Invoice.objects.filter(among("id", invoice_ids)).order_by("id")
    rows = list(invoices.values_list("id", "kind", "organization_id", "issued_at"))
    recipients = recipients_of({organization_id for _, _, organization_id, _ in rows})
    mails = []
    for invoice_id, kind, organization_id, issued_at in rows:
        for address in recipients[organization_id].addresses:
            mail = make_mail(invoice_id, kind, organization_id, address, recipients[organization_id].language, at)
            if issued_at is None or issued_at < at - TRIED_FOR:
                mail.state, mail.error = OutgoingMail.State.FAILED, FILES_TOO_LATE
            mails.append(mail)
    OutgoingMail.objects.bulk_create(mails, ignore_conflicts=True)
    nobody = [(invoice_id, id_) for invoice_id, _, id_, _ in rows if not recipients[id_].addresses]
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
