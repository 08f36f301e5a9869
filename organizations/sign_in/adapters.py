"""Where this product differs from what django-allauth does by itself."""

import base64
import logging
import secrets
from smtplib import SMTPException
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import InvalidToken
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.contrib.sites.shortcuts import get_current_site
from django.http import HttpRequest

from organizations.encryption import cipher

logger = logging.getLogger(__name__)

UNUSABLE_SECRET_BYTES = 20
PURPOSE = "second factors of users"
MAIL_SERVER = "in_request"
"""Which of `settings.MAILERS` sends what a person waits for: it gives up soon."""


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # untyped base
    """People are registered by staff and by imports; a factor confirms who somebody is, not the password beside it."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody signs up by themselves."""
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a message, such as the link to a new password; a mail server that is down is noted in the log.

        The page says the same either way: that an error follows must not tell who has an account.
        """
        site = get_current_site(self.request)
        context = {"request": self.request, "email": email, "current_site": site, **context}
        try:
            self.render_mail(template_prefix, email, context).send(using=MAIL_SERVER)
        except (OSError, SMTPException):
            logger.exception("A message (%s) could not be sent", template_prefix)

    def get_reauthentication_methods(self, user: AbstractBaseUser | AnonymousUser) -> list[dict[str, Any]]:
        """The second factor of those who have one: a stolen password must not replace it, nor add another."""
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        return [method for method in methods if method["id"] != "reauthenticate"] or methods


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # untyped base
    """Keeps the secrets of authenticator apps and recovery codes encrypted with SECRET_KEY."""

    def encrypt(self, text: str) -> str:
        """Encrypt with the key of today."""
        return cipher(PURPOSE).encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Decrypt with the key of today or one of SECRET_KEY_FALLBACKS.

        When none fits, the secret is lost: a random one stands in, which no code matches, so that the person is asked
        for another factor, and an administrator takes the lost one away.
        """
        try:
            return cipher(PURPOSE).decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            logger.exception("A second factor was stored under another SECRET_KEY: add that to SECRET_KEY_FALLBACKS.")
            return base64.b32encode(secrets.token_bytes(UNUSABLE_SECRET_BYTES)).decode()
