"""Let an Admin give a member another role."""

from django.db import transaction

from organizations.models import Membership, User
from organizations.usecases._members import check_admin_stays, check_role, find_member, lock_members


@transaction.atomic
def change_member_role(*, organization_id: int, membership_id: int, role: str, actor: User) -> Membership:
    """Change a role; the same role again changes nothing.

    Raises RoleRequired, UnknownRole, UnknownMember, or LastAdmin when nobody would be Admin any more.
    """
    check_role(role)
    lock_members(organization_id, actor)
    member = find_member(organization_id, membership_id)
    if member.role != role:
        check_admin_stays(member)
        member.role = role
        member.save(update_fields=["role"])
    return member
