"""Make a token with which a member's program acts for the member."""

from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from organizations.models import MemberToken, User
from organizations.shown_once import digest_of, new_secret

MARK = "uim"
MOST_TOKENS = 50
"""Of a person at a time: more are forgotten ones."""


class TokenRefused(ValueError):
    """The token was not made; the message is a sentence."""


class NewToken(NamedTuple):
    """The stored row, and the token itself, which nobody can read again."""

    row: MemberToken
    token: str


@transaction.atomic
def create_member_token(
    *, user: User, name: str, at: datetime, expires_at: datetime | None = None, downloads_only: bool = False
) -> NewToken:
    """Make a token of a person. It opens what the person may see, as long as that is so. Raises TokenRefused."""
    name = name.strip()
    if not name or len(name) > 100 or "\0" in name:
        raise TokenRefused(_("A token has a name of at most 100 characters, which says what uses it."))
    if expires_at is not None and expires_at <= at:
        raise TokenRefused(_("A token cannot expire before it exists."))
    User.objects.select_for_update(no_key=True).get(pk=user.pk)  # two at once count one after the other
    valid = [token for token in MemberToken.objects.filter(user=user, revoked_at=None) if token.is_valid(at)]
    if len(valid) >= MOST_TOKENS:
        raise TokenRefused(_("There are %(most)d tokens already: revoke one that is not used.") % {"most": MOST_TOKENS})
    secret = new_secret(MARK)
    row = MemberToken.objects.create(
        user=user,
        name=name,
        prefix=secret.prefix,
        digest=digest_of(secret.text),
        downloads_only=downloads_only,
        created_at=at,
        expires_at=expires_at,
    )
    return NewToken(row, secret.text)
