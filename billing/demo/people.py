"""Who signs in to the demo: three of the finance team, three of one customer."""

from dataclasses import dataclass

from django.contrib.auth.hashers import make_password
from django.db import transaction

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


def are_registered() -> bool:
    """Tell whether the cast can sign in, which is the last thing that a demo sets up: it is complete then."""
    return User.objects.filter(email__in=[person.email for person in PEOPLE]).exists()


@transaction.atomic
def register(password: str) -> None:
    """Let the whole cast sign in, all with one password."""
    ensure_roles()
    password_hash = make_password(password)
    for person in PEOPLE:
        register_user(
            email=person.email,
            name=person.name,
            password_hash=password_hash,
            group_names=[person.group] if person.group else [],
        )
        if person.role:
            add_member(organization_id=organization_id(CAST), email=person.email, role=person.role)


@transaction.atomic
def change_passwords(password: str) -> None:
    """Give those of the cast who are still there another password."""
    password_hash = make_password(password)
    for email in User.objects.filter(email__in=[person.email for person in PEOPLE]).values_list("email", flat=True):
        change_password(email=email, password_hash=password_hash)
