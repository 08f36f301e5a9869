"""Let an Admin take a member out of the organization."""

from django.db import transaction

from organizations.models import Membership, User
from organizations.usecases._members import check_admin_stays, find_member, lock_members


@transaction.atomic
def remove_member(*, organization_id: int, membership_id: int, actor: User) -> Membership:
    """Remove a membership, one's own too; the person's account stays. Returns what is gone.

    Raises RoleRequired, UnknownMember, or LastAdmin when nobody would be Admin any more.
    """
    lock_members(organization_id, actor)
    member = find_member(organization_id, membership_id)
    check_admin_stays(member)
    member.delete()
    return member
