"""People of the customers, and the browser's door to their pages."""

from django.test import Client

from organizations.models import Membership, Organization, User
from tests.builders.desk import PASSWORD

ROLES = {"alice": "admin", "bob": "accountant", "dave": "developer", "erin": "manager"}


def make_member(name: str, *organizations: Organization, role: str | None = None) -> User:
    """Store a person of the cast, or find them, and make them a member; their role is that of the cast by default."""
    email = f"{name}@example.com"
    user = User.objects.filter(email=email).first() or User.objects.create_user(email, PASSWORD, name=name.title())
    for organization in organizations:
        Membership.objects.create(organization=organization, user=user, role=role or ROLES[name])
    return user


def signed_in(user: User) -> Client:
    """Return a client that is signed in as somebody."""
    client = Client()
    client.force_login(user)
    return client
