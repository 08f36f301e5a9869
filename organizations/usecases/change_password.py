"""Give somebody another password."""

from organizations.models import User


class UnknownUser(ValueError):
    """Nobody signs in with this e-mail address."""


def change_password(*, email: str, password_hash: str) -> None:
    """Set the password of a user to what `make_password` gave. Raises UnknownUser."""
    if not User.objects.filter(email__iexact=email).update(password=password_hash):
        raise UnknownUser(f"Nobody signs in with {email}.")
