"""Write down that somebody of the staff sees the portal as an organization."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_noop as _

from billing.usecases._events import NewEvent, record_event
from billing.usecases._permissions import require
from organizations.models import Organization, User

REASON_LENGTH = 1000


class UnableToSee(ValueError):
    """Nothing is shown; the message says why."""


@transaction.atomic
def see_portal(*, organization_id: int, reason: str, actor: User, at: datetime) -> None:
    """Leave an event with the reason: from now on the person may look. Raises NotAllowed, UnableToSee."""
    require(actor, "billing.see_portal")
    reason = reason.strip()
    if not reason:
        raise UnableToSee(_("Say why: a reason is needed."))
    if len(reason) > REASON_LENGTH or not Organization.objects.filter(pk=organization_id).exists():
        raise UnableToSee(_("Choose an organization, and give a shorter reason."))
    record_event(NewEvent("portal.seen", organization_id=organization_id, reason=reason), actor=actor, at=at)
