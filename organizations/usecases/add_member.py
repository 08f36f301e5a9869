"""Give a person a role in an organization."""

from organizations.models import Membership, Organization, User


class UnableToAddMember(ValueError):
    """The membership was not stored; the message says why."""


def add_member(*, organization_id: str, email: str, role: str) -> Membership:
    """Make the user with this e-mail address a member of the organization with this public id, or change the role.

    Raises UnableToAddMember for an unknown organization, user or role.
    """
    if role not in Membership.Role.values:
        raise UnableToAddMember(f"{role!r:.40} is not a role: write {', '.join(Membership.Role.values)}.")
    organization = Organization.objects.filter(external_id=organization_id).first()
    user = User.objects.filter(email__iexact=email).first()
    if organization is None or user is None:
        raise UnableToAddMember(f"There is no organization {organization_id} or no user {email}.")
    membership, _ = Membership.objects.update_or_create(organization=organization, user=user, defaults={"role": role})
    return membership
