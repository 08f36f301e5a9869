"""Secrets that programs show: made once, seen once by a person, kept as a hash.

A hash without salt or stretching is enough: the secret is 256 random bits, which nobody can guess or list.
"""

import secrets
from hashlib import sha256
from typing import NamedTuple

SECRET_BYTES = 32


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
