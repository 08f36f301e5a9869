"""The mail backend of an installation that names no server: it says so instead of pretending to have sent anything."""

from collections.abc import Sequence

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend


class EmailBackend(BaseEmailBackend):
    """Takes nothing."""

    def open(self) -> bool | None:
        """Refuse, in a sentence for the desk."""
        raise ConnectionError("No mail server is set: EMAIL_URL.")

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Refuse."""
        self.open()
        return 0
