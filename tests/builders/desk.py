"""People of the finance desk, and the browser's door to it."""

from django.contrib.auth.models import Group
from django.test import Client

from organizations.models import User

PASSWORD = "a long enough password"
CAST = {
    "Viewer": "vera@example.com",
    "Accountant": "fiona@example.com",
    "Billing manager": "max@example.com",
    "Controller": "clara@example.com",
    "Auditor": "otto@example.com",
}


def make_staff(role: str) -> User:
    """Store a member of staff with a role, or find it."""
    email = CAST[role]
    user = User.objects.filter(email=email).first()
    if user is None:
        user = User.objects.create_user(email, PASSWORD, name=email.partition("@")[0].title(), is_staff=True)
        user.groups.add(Group.objects.get(name=role))
    return user


def desk(role: str = "Billing manager") -> Client:
    """Return a client that is signed in as a member of staff."""
    client = Client()
    client.force_login(make_staff(role))
    return client
