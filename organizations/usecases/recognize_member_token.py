"""Find out whose token a program shows."""

from datetime import datetime

from organizations.models import MemberToken
from organizations.shown_once import digest_of, note_use


class UnknownToken(ValueError):
    """The token opens nothing: there is none like it, it expired, was revoked, or its owner may not sign in."""


def recognize_member_token(*, token: str, at: datetime) -> MemberToken:
    """The row of a token, with its user, its use written down. Raises UnknownToken."""
    row = MemberToken.objects.select_related("user").filter(digest=digest_of(token)).first()
    if row is None or row.revoked_at is not None or not row.user.is_active:
        raise UnknownToken("This token is not known, or was revoked.")
    if not row.is_valid(at):
        raise UnknownToken("This token has expired.")
    note_use(row, at)
    return row
