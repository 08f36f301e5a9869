"""Who of an organization's members may do what; the people themselves, not staff (domain page, section 8)."""

from collections.abc import Collection

from django.utils.translation import gettext as _

from organizations.models import Membership, User

MONEY_ROLES = frozenset({Membership.Role.ADMIN.value, Membership.Role.ACCOUNTANT.value})
ADMIN_ONLY = frozenset({Membership.Role.ADMIN.value})


class RoleRequired(Exception):
    """The person has no role in the organization that allows this; the message is a sentence."""


def require_role(actor: User, organization_id: int, roles: Collection[str]) -> None:
    """Check that somebody has one of these roles in an organization, now. Raises RoleRequired."""
    if not Membership.objects.filter(user=actor, organization=organization_id, role__in=roles).exists():
        names = ", ".join(str(Membership.Role(role).label) for role in sorted(roles))
        raise RoleRequired(_("Only these members of the organization may do this: %(roles)s.") % {"roles": names})
