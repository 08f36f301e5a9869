"""Take a token away: from now on it opens nothing."""

from datetime import datetime

from django.db import transaction

from organizations.models import MemberToken, User


@transaction.atomic
def revoke_member_token(*, token_id: int, user: User, at: datetime) -> bool:
    """Revoke one of a person's own tokens for good; tell whether there was one that was not revoked before."""
    row = MemberToken.objects.select_for_update().filter(pk=token_id, user=user, revoked_at=None).first()
    if row is None:
        return False
    row.revoked_at = at
    row.save(update_fields=["revoked_at"])  # one by one, so that the log of changes hears of it
    return True
