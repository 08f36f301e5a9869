"""Find out whose key a program shows."""

from datetime import datetime

from billing.models import ApiKey
from organizations.shown_once import digest_of, note_use


class UnknownKey(ValueError):
    """The key opens nothing: there is none like it, it expired, or it was revoked."""


def recognize_api_key(*, key: str, at: datetime) -> ApiKey:
    """The row of a key, its use written down. Raises UnknownKey."""
    row = next(iter(ApiKey.objects.filter(digest=digest_of(key)).order_by()), None)  # one at most
    if row is None or row.revoked_at is not None:
        raise UnknownKey("This key is not known, or was revoked.")
    if not row.is_valid(at):
        raise UnknownKey("This key has expired.")
    note_use(row, at)
    return row
