"""Find out whose key a program shows."""

from datetime import datetime, timedelta

from django.db.models import Q

from billing.models import ApiKey
from organizations.shown_once import digest_of

# Who wants to know whether a key is still used needs no more; every request would else be a write.
WRITTEN_EVERY = timedelta(minutes=1)


class UnknownKey(ValueError):
    """The key opens nothing: there is none like it, it expired, or it was revoked."""


def recognize_api_key(*, key: str, at: datetime) -> ApiKey:
    """The row of a key, with its organization, its use written down. Raises UnknownKey."""
    row = ApiKey.objects.select_related("organization").filter(digest=digest_of(key)).first()
    if row is None or row.revoked_at is not None:
        raise UnknownKey("This key is not known, or was revoked.")
    if not row.is_valid(at):
        raise UnknownKey("This key has expired.")
    before = at - WRITTEN_EVERY
    if row.last_used_at is None or row.last_used_at <= before:
        is_due = Q(last_used_at__isnull=True) | Q(last_used_at__lte=before)
        ApiKey.objects.filter(is_due, pk=row.pk).update(last_used_at=at)
    return row
