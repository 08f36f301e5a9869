"""Members' programs."""

from datetime import datetime

from organizations.models import User
from organizations.usecases.create_member_token import create_member_token
from tests.builders.api import NOW, Program


def make_token(user: User, *, downloads_only: bool = False, expires_at: datetime | None = None) -> str:
    """A token of a person."""
    made = create_member_token(user=user, name="client", at=NOW, expires_at=expires_at, downloads_only=downloads_only)
    return made.token


def program_of(user: User) -> Program:
    """A program that acts for a person."""
    return Program(make_token(user))
