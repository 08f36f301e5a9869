"""What every change of an organization's members keeps to: an Admin makes it, and one Admin stays."""

from django.utils.translation import gettext as _

from organizations.models import Membership, Organization, User
from organizations.roles import ADMIN_ONLY, require_role


class UnableToChangeMembers(ValueError):
    """Nothing was changed; the message is a sentence."""


class UnknownMember(UnableToChangeMembers):
    """Nobody of this organization has this membership (any more)."""


class UnknownRole(UnableToChangeMembers):
    """There is no such role."""


class LastAdmin(UnableToChangeMembers):
    """Without an Admin nobody could let anybody in again."""


def lock_members(organization_id: int, actor: User) -> None:
    """Let one change after the other have the members of an organization. Raises RoleRequired for other than Admins.

    The role is looked at under the lock: of two Admins who remove each other at once, the second is one no more.
    """
    Organization.objects.select_for_update(no_key=True).get(pk=organization_id)
    require_role(actor, organization_id, ADMIN_ONLY)


def find_member(organization_id: int, membership_id: int) -> Membership:
    """A membership of the organization. Raises UnknownMember."""
    member = Membership.objects.filter(pk=membership_id, organization=organization_id).select_related("user").first()
    if member is None:
        raise UnknownMember(_("This person is no member of the organization (any more)."))
    return member


def check_role(role: str) -> str:
    """Return a role that exists. Raises UnknownRole."""
    if role not in Membership.Role.values:
        raise UnknownRole(_("Choose one of the roles."))
    return role


def check_admin_stays(member: Membership) -> None:
    """Check that somebody else is Admin when this member no longer is. Raises LastAdmin."""
    if member.role != Membership.Role.ADMIN:
        return
    others = Membership.objects.filter(
        organization=member.organization_id, role=Membership.Role.ADMIN, user__is_active=True
    ).exclude(pk=member.pk)
    if not others.exists():
        raise LastAdmin(_("This is the last Admin: make somebody else one first."))
