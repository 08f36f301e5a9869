"""Find out whose key a program shows."""

from datetime import datetime

from billing.models import ApiKey
from organizations.shown_once import digest_of, note_use


class UnknownKey(ValueError):
    """The key opens nothing: there is none like it, it expired, or it was revoked."""


def recognize_api_key(*, key: str, at: datetime) -> ApiKey:
    """The row of a key, with its organization, its use written down. Raises UnknownKey."""
    row = ApiKey.objects.select_related("organization").filter(digest=digest_of(key)).first()
    if row is None or row.revoked_at is not None:
        raise UnknownKey("This key is not known, or was revoked.")
    if not row.is_valid(at):
        raise UnknownKey("This key has expired.")
    note_use(row, at)
    return row
