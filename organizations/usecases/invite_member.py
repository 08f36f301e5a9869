"""Let an Admin give somebody a role in the organization, by e-mail address."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from organizations.models import Membership, Organization, User
from organizations.usecases._members import UnableToChangeMembers, check_role, lock_members

__all__ = ["AlreadyMember", "NotAnAddress", "TooManyMembers", "UnableToChangeMembers", "invite_member"]


LONGEST_ADDRESS = 254
MOST_MEMBERS = 1_000
"""Whoever is added gets an account: nobody makes any number of them."""


class NotAnAddress(UnableToChangeMembers):
    """Nobody can have this e-mail address."""


class AlreadyMember(UnableToChangeMembers):
    """The person has a role already."""


class TooManyMembers(UnableToChangeMembers):
    """The organization has as many members as one may have."""


@transaction.atomic
def invite_member(*, organization_id: int, email: str, role: str, actor: User) -> Membership:
    """Make the person with an e-mail address a member.

    Whoever has no account gets one without a password: they choose it with "Forgot password?". Whether there was an
    account is nobody's business, so nothing of what is raised depends on it, and pages show addresses in small letters:
    how somebody else once wrote one would tell.

    Raises RoleRequired, UnknownRole, NotAnAddress, AlreadyMember or TooManyMembers.
    """
    check_role(role)
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError as error:
        raise NotAnAddress(_("This is not an e-mail address.")) from error
    if len(address) > LONGEST_ADDRESS:
        raise NotAnAddress(_("This e-mail address is too long."))
    lock_members(organization_id, actor)
    if Membership.objects.filter(organization=organization_id, user__email__iexact=address).exists():
        raise AlreadyMember(_("This person is a member already: change the role in the list."))
    if Membership.objects.filter(organization=organization_id).count() >= MOST_MEMBERS:
        raise TooManyMembers(
            _("An organization has at most %(most)s members: remove one first.")
            % {"most": number_format(MOST_MEMBERS, force_grouping=True)}
        )
    user = _find(address) or _register(address)
    return Membership.objects.create(organization=Organization(pk=organization_id), user=user, role=role)


def _find(address: str) -> User | None:
    return User.objects.filter(email__iexact=address).first()


def _register(address: str) -> User:
    try:
        with transaction.atomic():
            return User.objects.create_user(address)
    except IntegrityError:
        # Another organization invited the same person a moment ago.
        return User.objects.get(email__iexact=address)
