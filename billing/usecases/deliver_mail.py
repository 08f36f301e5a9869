"""Hand one e-mail to the mail server, and say what is known about it when that fails."""

import smtplib
from contextlib import suppress

from django.core.mail import EmailMessage, mailers
from django.utils.translation import gettext as _


class Refused(Exception):
    """The server will never take it: the address does not exist, or the e-mail is not one."""


class TryLater(Exception):
    """The server has not taken it, and may do so another time."""


class Unreachable(TryLater):
    """Not even the server was reached, so nothing else can be sent now either."""


class Unclear(Exception):
    """The connection broke in the middle: nobody knows whether the server took it."""


def deliver_mail(message: EmailMessage) -> None:
    """Send it by the server of `settings.MAILERS`; returns when the server took it.

    Raises Refused, TryLater, Unreachable or Unclear, each with what the server said.
    """
    server = mailers.default
    try:
        server.open()
    except OSError as error:  # what smtplib raises is one too
        raise Unreachable(_said(error)) from error
    try:
        server.send_messages([message])
    except smtplib.SMTPRecipientsRefused as error:
        code, text = next(iter(error.recipients.values()))
        raise _refusal(code, text) from error
    except smtplib.SMTPSenderRefused as error:
        raise TryLater(_said(error)) from error  # a matter of our settings, which somebody will mend
    except smtplib.SMTPResponseException as error:
        raise _refusal(error.smtp_code, error.smtp_error) from error
    except (smtplib.SMTPNotSupportedError, ValueError) as error:
        raise Refused(_said(error)) from error
    except OSError as error:
        raise Unclear(_said(error)) from error
    finally:
        # It is sent or not by now: saying goodbye badly changes nothing.
        with suppress(OSError):
            server.close()


def _refusal(code: int, text: bytes | str) -> Refused | TryLater:
    words = text.decode(errors="replace") if isinstance(text, bytes) else text
    sentence = f"{code} {words}"
    return Refused(sentence) if code >= 500 else TryLater(sentence)


def _said(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return str(_refusal(error.smtp_code, error.smtp_error))
    return str(error) or _("The connection failed (%(error)s).") % {"error": type(error).__name__}
