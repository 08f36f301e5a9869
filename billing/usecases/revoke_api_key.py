"""Take a key away: from now on it opens nothing."""

from datetime import datetime

from django.db import transaction

from billing.models import ApiKey
from billing.usecases._events import NewEvent, record_event
from billing.usecases._permissions import require
from organizations.models import User


@transaction.atomic
def revoke_api_key(*, key_id: int, actor: User | None, at: datetime, reason: str = "") -> bool:
    """Revoke a key for good; tell whether it was not revoked before. Raises NotAllowed."""
    require(actor, "billing.change_apikey")
    key = ApiKey.objects.select_for_update().get(pk=key_id)
    if key.revoked_at is not None:
        return False
    key.revoked_at = at
    key.save(update_fields=["revoked_at"])
    event = NewEvent(
        "api_key.revoked", organization_id=key.organization_id, values={"name": str(key)}, reason=reason[:1000]
    )
    record_event(event, actor=actor, at=at)
    return True
