"""What a person decides about an e-mail that is not sent: it is tried again, or given up."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from billing.models import OutgoingMail
from billing.usecases._events import NewEvent, record_event
from billing.usecases._outbox import TRIED_FOR
from billing.usecases._permissions import require
from organizations.models import User

State = OutgoingMail.State
UNDECIDED = (State.WAITING, State.FAILED, State.UNCLEAR)


class UnableToDecide(Exception):
    """It is sent, being sent or given up already."""


@transaction.atomic
def decide_mail(*, mail_id: int, try_again: bool, reason: str = "", actor: User | None, at: datetime) -> None:
    """Make an e-mail due now, under the Message-ID that it has, or never send it.

    Raises UnableToDecide and NotAllowed.
    """
    require(actor, "billing.send_outgoingmail")
    undecided = OutgoingMail.objects.filter(pk=mail_id, state__in=UNDECIDED)
    if try_again:
        changed = undecided.update(state=State.WAITING, not_before=at, try_until=at + TRIED_FOR)
    else:
        changed = undecided.update(state=State.GIVEN_UP)
    if not changed:
        raise UnableToDecide(_("It is sent, being sent or given up already: look at its page again."))
    mail = OutgoingMail.objects.get(pk=mail_id)
    kind = "mail.retried" if try_again else "mail.given_up"
    told = {"recipient": mail.recipient}
    record_event(NewEvent(kind, mail.organization_id, mail.invoice_id, told, reason), actor=actor, at=at)
