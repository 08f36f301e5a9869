"""Send the next e-mail of the outbox: at most once, whatever dies in between.

        claim: state `sending` (transaction) ── hand it to the server (no transaction) ── record (transaction)

A worker that dies after the claim leaves `sending` behind, and nobody can know whether the server had taken the e-mail.
Sending it again could bill somebody twice in their eyes, so it becomes `unclear`: a person sends it again or not.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.db import connection, transaction
from django.db.models import Case, F, Value, When
from django.utils.translation import gettext_noop

from billing.models import Event, OutgoingMail
from billing.queries.archive import file_name, open_file
from billing.queries.mail_words import compose
from billing.queries.recipients import recipients_of
from billing.usecases._events import NewEvent, record_event
from billing.usecases.deliver_mail import Refused, TryLater, Unclear, Unreachable

LEASE = timedelta(minutes=10)
"""Much longer than a mail server takes for one e-mail."""
BACK_OFF_MINUTES = (1, 5, 15, 60)

DIED = gettext_noop("The worker stopped while it was sending: the server may have taken it or not.")
TOO_LATE = gettext_noop("It could not be sent in time.")
NO_RECIPIENT = gettext_noop("The recipient no longer gets the documents of the organization.")

ASKED = ("mail.queued", "mail.retried")
"""What the timeline of a document tells when a person sends it to an address."""

log = logging.getLogger(__name__)
State = OutgoingMail.State


class Outcome(Enum):
    """What became of an e-mail."""

    SENT = "sent"
    POSTPONED = "postponed"
    UNREACHABLE = "unreachable"  # postponed as well, and the next one would fare no better
    FAILED = "failed"
    UNCLEAR = "unclear"
    GIVEN_UP = "given_up"


TOLD = (Outcome.SENT, Outcome.FAILED, Outcome.UNCLEAR, Outcome.GIVEN_UP)
"""What the timeline of a document tells."""


def send_mail(*, send: Callable[[EmailMessage], None], at: datetime) -> Outcome | None:
    """Send the e-mail that is due first and that nobody else is at; None when there is none.

    `send` hands it over, as `deliver_mail` does, whose errors decide what happens next.
    """
    _leave_to_people(at)
    mail = _claim(at)
    if mail is None:
        return None
    if not _is_wanted(mail):
        return _record(mail, Outcome.GIVEN_UP, at, state=State.GIVEN_UP, error=NO_RECIPIENT)
    try:
        message = _message(mail)
    except OSError as error:  # its file cannot be read now
        return _postpone(mail, Outcome.POSTPONED, at, error)
    try:
        send(message)
    except Refused as refusal:
        return _record(mail, Outcome.FAILED, at, state=State.FAILED, error=str(refusal))
    except Unclear as error:
        return _record(mail, Outcome.UNCLEAR, at, state=State.UNCLEAR, error=str(error))
    except TryLater as error:
        outcome = Outcome.UNREACHABLE if isinstance(error, Unreachable) else Outcome.POSTPONED
        return _postpone(mail, outcome, at, error)
    return _record(mail, Outcome.SENT, at, state=State.SENT, error="", sent_at=at)


def _leave_to_people(at: datetime) -> None:
    """What was being sent when its worker died."""
    dead = OutgoingMail.objects.filter(state=State.SENDING, not_before__lte=at)
    if dead.update(state=State.UNCLEAR, error=DIED):
        log.error("E-mails are unclear: a worker stopped while it was sending them")


@transaction.atomic
def _claim(at: datetime) -> OutgoingMail | None:
    mail = _first_due(at)
    if mail is not None and mail.try_until < at:
        late = OutgoingMail.objects.filter(state=State.WAITING, not_before__lte=at, try_until__lt=at)
        late.update(state=State.FAILED, error=Case(When(error="", then=Value(TOO_LATE)), default=F("error")))
        log.error("E-mails were not sent in time")
        mail = _first_due(at)
    if mail is None:
        return None
    claimed = OutgoingMail.objects.filter(pk=mail.pk)
    claimed.update(state=State.SENDING, attempts=mail.attempts + 1, not_before=at + LEASE)
    return claimed.select_related("organization", "invoice__refers_to", "invoice__archived", "invoice__statement").get()


def _first_due(at: datetime) -> OutgoingMail | None:
    can_skip = connection.features.has_select_for_update_skip_locked
    due = OutgoingMail.objects.filter(state=State.WAITING, not_before__lte=at).order_by("not_before", "id")
    return due.select_for_update(skip_locked=can_skip).first()


def _is_wanted(mail: OutgoingMail) -> bool:
    """Whether its address still gets the organization's documents, or a person has asked for it."""
    addresses = recipients_of([mail.organization_id])[mail.organization_id].addresses
    if mail.recipient.casefold() in {address.casefold() for address in addresses}:
        return True
    asked = Event.objects.filter(invoice=mail.invoice, kind__in=ASKED, values__recipient=mail.recipient)
    return asked.exists()


def _message(mail: OutgoingMail) -> EmailMessage:
    text = compose(mail)
    reply_to = (mail.invoice.seller or {}).get("email")
    message = EmailMultiAlternatives(
        subject=text.subject,
        body=text.text,
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[mail.recipient],
        reply_to=[reply_to] if reply_to else None,
        headers={"Message-ID": mail.message_id, "Auto-Submitted": "auto-generated"},
    )
    message.attach_alternative(text.html, "text/html")
    with open_file(mail.invoice.archived, "pdf") as file:
        message.attach(file_name(mail.invoice, "pdf"), file.read(), "application/pdf")
    return message


def _postpone(mail: OutgoingMail, outcome: Outcome, at: datetime, error: Exception) -> Outcome:
    again = at + timedelta(minutes=BACK_OFF_MINUTES[min(mail.attempts, len(BACK_OFF_MINUTES)) - 1])
    return _record(mail, outcome, at, state=State.WAITING, error=str(error), not_before=again)


@transaction.atomic
def _record(mail: OutgoingMail, outcome: Outcome, at: datetime, *, error: str, **values: Any) -> Outcome:
    """Write it down, unless a person has decided meanwhile; who comes late still knows better than `unclear`."""
    mine = OutgoingMail.objects.filter(pk=mail.pk, attempts=mail.attempts, state__in=(State.SENDING, State.UNCLEAR))
    if mine.update(error=error[:1000], **values) and outcome in TOLD:
        kind, told = f"mail.{outcome.value}", {"recipient": mail.recipient}
        event = NewEvent(kind, mail.organization_id, mail.invoice_id, told, reason=error[:1000])
        record_event(event, actor=None, at=at)
    return outcome
