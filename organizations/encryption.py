"""Secrets that have to be read again are kept encrypted with SECRET_KEY: a copy of the database alone opens nothing."""

import base64
import hashlib

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings


def cipher(purpose: str) -> MultiFernet:
    """Encrypts with the key of today, and decrypts with that or one of SECRET_KEY_FALLBACKS; one key per purpose."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet(Fernet(base64.urlsafe_b64encode(_digest(purpose, key))) for key in keys)


def _digest(purpose: str, key: str) -> bytes:
    return hashlib.sha256(f"{purpose}:{key}".encode()).digest()
