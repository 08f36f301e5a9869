"""Who signs in to the demo: three of the finance team, three of one customer."""

from dataclasses import dataclass

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX, make_password
from django.db import transaction
from django.db.models import QuerySet

from billing.demo.story import CAST, organization_id
from billing.usecases.ensure_roles import ensure_roles
from organizations.models import User
from organizations.usecases.add_member import add_member
from organizations.usecases.change_password import change_password
from organizations.usecases.register_user import register_user


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the cast: a group makes a member of staff, a role a member of the customer's organization."""

    email: str
    name: str
    group: str = ""
    role: str = ""

    @property
    def task(self) -> str:
        """What the person is there for, in words."""
        return f"{self.group}, finance desk" if self.group else f"{self.role.capitalize()} of {CAST}"


PEOPLE = (
    Person("max@example.com", "Max", group="Billing manager"),
    Person("fiona@example.com", "Fiona", group="Accountant"),
    Person("clara@example.com", "Clara", group="Controller"),
    Person("alice@example.com", "Alice", role="admin"),
    Person("bob@example.com", "Bob", role="accountant"),
    Person("dave@example.com", "Dave", role="developer"),
)


def may_sign_in() -> bool:
    """Tell whether the cast can sign in, which is the last thing that a demo sets up: it is complete then."""
    return _registered().exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX).exists()


def staff(first_name: str) -> User:
    """Return a member of the finance team."""
    return User.objects.get(email=f"{first_name}@example.com")


@transaction.atomic
def hire() -> None:
    """Register the finance team, who work from the first month on; nobody signs in yet."""
    ensure_roles()
    known = set(_registered().values_list("email", flat=True))
    for person in PEOPLE:
        if person.group and person.email not in known:
            register_user(
                email=person.email, name=person.name, password_hash=make_password(None), group_names=[person.group]
            )


@transaction.atomic
def let_sign_in(password: str) -> None:
    """Register the customer's people, and let the whole cast sign in, all with one password."""
    for person in PEOPLE:
        if person.role:
            register_user(email=person.email, name=person.name, password_hash=make_password(None))
            add_member(organization_id=organization_id(CAST), email=person.email, role=person.role)
    change_passwords(password)


@transaction.atomic
def change_passwords(password: str) -> None:
    """Give those of the cast who are still there another password."""
    password_hash = make_password(password)
    for email in _registered().values_list("email", flat=True):
        change_password(email=email, password_hash=password_hash)


def _registered() -> QuerySet[User]:
    return User.objects.filter(email__in=[person.email for person in PEOPLE])
