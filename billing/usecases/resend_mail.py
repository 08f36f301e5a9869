"""Send a document by e-mail (again) because a person says so, but never twice at the same time.

An e-mail to the same address that is not sent yet leaves now, under the Message-ID that it has; only what is sent or
given up is followed by another row of the outbox, with the next number.
"""

from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from billing.models import ArchivedDocument, Invoice, OutgoingMail
from billing.queries.recipients import recipients_of
from billing.usecases._events import NewEvent, record_event
from billing.usecases._outbox import TRIED_FOR, make_mail
from billing.usecases._permissions import require
from organizations.models import User

JUST_SENT = timedelta(minutes=1)
"""Who sends it again so soon has clicked twice."""

State = OutgoingMail.State


class UnableToSend(Exception):
    """There is nothing to send, or nobody to send it to; the message says which."""


@transaction.atomic
def resend_mail(*, invoice_id: int, recipient: str, actor: User | None, at: datetime) -> OutgoingMail:
    """Queue a document for an address, whether it was sent there before or not.

    Raises UnableToSend, for a document without files and an address that is none or gets it just now, and NotAllowed.
    """
    require(actor, "billing.send_outgoingmail")
    recipient = recipient.strip()
    try:
        validate_email(recipient)
    except ValidationError:
        raise UnableToSend(_("%(address)s is no e-mail address.") % {"address": f"{recipient:.100}"}) from None
    # The lock puts two people who send it at the same time one after the other.
    invoice = Invoice.objects.select_for_update(no_key=True).get(pk=invoice_id)
    if not ArchivedDocument.objects.filter(invoice=invoice, state=ArchivedDocument.State.STORED).exists():
        raise UnableToSend(_("Its files are not stored yet: only what is in the archive is sent."))
    # Locked as well: no worker takes one of them meanwhile.
    rows = OutgoingMail.objects.select_for_update().filter(invoice=invoice, recipient__iexact=recipient)
    earlier = list(rows.order_by("number"))
    mail = _not_sent_yet(earlier, at) or make_mail(
        invoice.pk,
        invoice.kind,
        invoice.organization_id,
        recipient,
        recipients_of([invoice.organization_id])[invoice.organization_id].language,
        at,
        number=earlier[-1].number + 1 if earlier else 1,
    )
    mail.state, mail.not_before, mail.try_until = State.WAITING, at, at + TRIED_FOR
    mail.save()
    told = {"recipient": mail.recipient}
    record_event(NewEvent("mail.queued", invoice.organization_id, invoice.pk, told), actor=actor, at=at)
    return mail


def _not_sent_yet(earlier: list[OutgoingMail], at: datetime) -> OutgoingMail | None:
    """The e-mail that is to leave instead of another one; None when all of them are sent or given up.

    Raises UnableToSend for what is leaving or has just left.
    """
    if any(mail.state == State.SENDING for mail in earlier):
        raise UnableToSend(_("It is being sent to this address right now."))
    if any(mail.sent_at and at - mail.sent_at < JUST_SENT for mail in earlier):
        raise UnableToSend(_("It was sent to this address less than a minute ago."))
    waiting = [mail for mail in earlier if mail.state == State.WAITING]
    undecided = [mail for mail in earlier[-1:] if mail.state in (State.FAILED, State.UNCLEAR)]
    return next(iter(waiting or undecided), None)
