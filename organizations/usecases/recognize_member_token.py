"""Find out whose token a program shows."""

from datetime import datetime, timedelta

from django.db.models import Q

from organizations.models import MemberToken
from organizations.shown_once import digest_of

# Who wants to know whether a token is still used needs no more; every request would else be a write.
WRITTEN_EVERY = timedelta(minutes=1)


class UnknownToken(ValueError):
    """The token opens nothing: there is none like it, it expired, was revoked, or its owner may not sign in."""


def recognize_member_token(*, token: str, at: datetime) -> MemberToken:
    """The row of a token, with its user, its use written down. Raises UnknownToken."""
    row = MemberToken.objects.select_related("user").filter(digest=digest_of(token)).first()
    if row is None or row.revoked_at is not None or not row.user.is_active:
        raise UnknownToken("This token is not known, or was revoked.")
    if not row.is_valid(at):
        raise UnknownToken("This token has expired.")
    before = at - WRITTEN_EVERY
    if row.last_used_at is None or row.last_used_at <= before:
        is_due = Q(last_used_at__isnull=True) | Q(last_used_at__lte=before)
        MemberToken.objects.filter(is_due, pk=row.pk).update(last_used_at=at)
    return row
