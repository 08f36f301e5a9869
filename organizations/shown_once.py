"""Secrets that programs show: made once, seen once by a person, kept as a hash.

A hash without salt or stretching is enough: the secret is 256 random bits, which nobody can guess or list.
"""

import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple

from django.db.models import Q

SECRET_BYTES = 32
WRITTEN_EVERY = timedelta(minutes=1)
"""Who wants to know whether a secret is still used needs no more; every request would else be a write."""


class Secret(NamedTuple):
    """The whole secret, and its beginning: a leaked one is recognized by that, by people and by scanners."""

    prefix: str
    text: str


def new_secret(mark: str) -> Secret:
    """Make one that begins with a mark."""
    prefix = f"{mark}_{secrets.token_hex(4)}"
    return Secret(prefix, f"{prefix}_{secrets.token_urlsafe(SECRET_BYTES)}")


def digest_of(secret: str) -> bytes:
    """What is stored of a secret, whatever somebody shows as one."""
    return sha256(secret.encode(errors="replace")).digest()


def note_use(row: Any, at: datetime) -> None:
    """Write down in a row with `last_used_at` that its secret was shown at an instant."""
    before = at - WRITTEN_EVERY
    if row.last_used_at is None or row.last_used_at <= before:
        is_due = Q(last_used_at__isnull=True) | Q(last_used_at__lte=before)
        type(row).objects.filter(is_due, pk=row.pk).update(last_used_at=at)
