"""Which addresses webhooks may have."""

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from billing.domain.webhooks import is_public


class WebhookRefused(ValueError):
    """The webhook was not stored; the message is a sentence."""


def check_url(url: str) -> str:
    """An address as it is stored. Raises WebhookRefused.

    A name may lead elsewhere tomorrow, so what it leads to is looked at whenever a message is sent.
    """
    url = url.strip()
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise WebhookRefused(_("This is not an address: write one such as https://example.org/hook.")) from error
    if not host or len(url) > 1000 or not url.isascii() or not url.isprintable() or " " in url or port == 0:
        raise WebhookRefused(_("This is not an address: write one such as https://example.org/hook."))
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise WebhookRefused(_("The address holds a user, a password or a fragment: leave it out."))
    if parts.scheme != "https" and not (parts.scheme == "http" and settings.WEBHOOKS_ALLOW_PRIVATE):
        raise WebhookRefused(_("Messages are only sent over https."))
    if _is_private(parts) and not settings.WEBHOOKS_ALLOW_PRIVATE:
        raise WebhookRefused(_("This address is of a private network, where messages are not sent."))
    return url


def _is_private(parts: SplitResult) -> bool:
    host = parts.hostname or ""
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        return True
    try:
        ip_address(host)
    except ValueError:
        return False
    return not is_public(host)
