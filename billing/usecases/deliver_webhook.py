"""Hand a message to the program that listens: over HTTPS, to an address of the internet, in a few seconds."""

import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from http.client import HTTPConnection, HTTPException
from threading import Event, Timer
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from billing.domain.webhooks import is_public

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 10.0
"""From the connection on, whatever the other side does: one that answers drop by drop holds up nobody."""
USER_AGENT = "unified-invoicing-webhooks/1"


class NotDelivered(Exception):
    """There was no answer; the message says why."""


def deliver_webhook(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Post a message and return the status of the answer, whose content nobody reads; redirects are not followed.

    The name is looked up once, and the very address that was found to be public is connected to: what the name leads
    to a moment later does not count. Raises NotDelivered.
    """
    parts = urlsplit(url)
    host, is_secure = parts.hostname or "", parts.scheme == "https"
    connection = _connect(host, parts.port or (443 if is_secure else 80), is_secure=is_secure)
    is_late = Event()
    timer = Timer(ANSWER_SECONDS, _cut, [connection.sock, is_late])
    timer.daemon = True
    timer.start()
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, body, {**headers, "User-Agent": USER_AGENT})
        status = connection.getresponse().status
    except (OSError, HTTPException, ValueError) as error:
        reason = str(error) or type(error).__name__
        raise NotDelivered(f"No answer within {ANSWER_SECONDS:.0f} seconds, or none that is HTTP: {reason}") from error
    finally:
        timer.cancel()
        connection.close()
    if is_late.is_set():  # headers that end early look whole
        raise NotDelivered(f"No answer within {ANSWER_SECONDS:.0f} seconds.")
    return status


def _connect(host: str, port: int, *, is_secure: bool) -> HTTPConnection:
    try:
        plain = socket.create_connection((_resolve(host, port), port), timeout=CONNECT_SECONDS)
    except OSError as error:
        raise NotDelivered(f"No connection: {error}") from error
    connection = HTTPConnection(host, port)
    plain.settimeout(ANSWER_SECONDS)
    connection.sock = plain
    if is_secure:
        try:
            connection.default_port = 443  # which the Host header then leaves out
            connection.sock = _context().wrap_socket(plain, server_hostname=host)
        except (OSError, ValueError) as error:
            plain.close()
            raise NotDelivered(f"No secure connection: {error}") from error
    return connection


def _resolve(host: str, port: int) -> str:
    """The address to connect to: the first one, once all of them may be connected to."""
    try:
        found: list[Any] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotDelivered(f"The name is not known: {error}") from error
    addresses = [str(each[4][0]) for each in found]
    refused = [address for address in addresses if not settings.WEBHOOKS_ALLOW_PRIVATE and not is_public(address)]
    if refused or not addresses:
        raise NotDelivered("The name leads into a private network, where messages are not sent.")
    return addresses[0]


@cache
def _context() -> ssl.SSLContext:
    """Reading the certificates of the machine takes a while."""
    return ssl.create_default_context()


def _cut(connection: socket.socket, is_late: Event) -> None:
    is_late.set()
    with suppress(OSError):  # it is over already
        connection.shutdown(socket.SHUT_RDWR)
