"""Let a person sign in."""

from collections.abc import Sequence

from django.contrib.auth.models import Group
from django.db import transaction

from organizations.models import User


class UnableToRegister(ValueError):
    """Nobody was registered; the message says why."""


@transaction.atomic
def register_user(*, email: str, name: str, password_hash: str, group_names: Sequence[str] = ()) -> User:
    """Create a user who signs in with an e-mail address; with groups, one of the staff with their permissions.

    `password_hash` is what `make_password` gives. Hashing takes most of a second, so whoever registers several people
    with one password does it once.

    Raises UnableToRegister when the address is taken or a group does not exist.
    """
    if User.objects.filter(email__iexact=email).exists():
        raise UnableToRegister(f"{email} is registered already.")
    groups = list(Group.objects.filter(name__in=group_names))
    unknown = set(group_names) - {group.name for group in groups}
    if unknown:
        raise UnableToRegister(f"There is no group {', '.join(sorted(unknown))}.")
    user = User.objects.create(
        email=User.objects.normalize_email(email), password=password_hash, name=name, is_staff=bool(groups)
    )
    user.groups.set(groups)
    return user
