"""Send a document by e-mail (again) because a person says so: another row of the outbox, with the next number."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from billing.models import ArchivedDocument, Invoice, OutgoingMail
from billing.queries.recipients import recipients_of
from billing.usecases._events import NewEvent, record_event
from billing.usecases._outbox import make_mail
from billing.usecases._permissions import require
from organizations.models import User


class UnableToSend(Exception):
    """There is nothing to send, or nobody to send it to; the message says which."""


@transaction.atomic
def resend_mail(*, invoice_id: int, recipient: str, actor: User | None, at: datetime) -> OutgoingMail:
    """Queue a document for an address, whether it was sent there before or not.

    Raises UnableToSend for a document without files or an address that is none, and NotAllowed.
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
    before = OutgoingMail.objects.filter(invoice=invoice, recipient__iexact=recipient).aggregate(last=Max("number"))
    mail = make_mail(
        invoice.pk,
        invoice.kind,
        invoice.organization_id,
        recipient,
        recipients_of([invoice.organization_id])[invoice.organization_id].language,
        at,
        number=(before["last"] or 0) + 1,
    )
    mail.save()
    told = {"recipient": recipient}
    record_event(NewEvent("mail.queued", invoice.organization_id, invoice.pk, told), actor=actor, at=at)
    return mail
