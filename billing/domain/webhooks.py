"""Webhooks: what is announced, how a message is signed, when it is tried again, which addresses it may go to.

Messages are signed as Standard Webhooks 1.0.0 says, so that receivers can check them with a library of theirs:
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Collection
from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Literal, get_args

type EventType = Literal[
    "invoice.issued",
    "invoice.paid",
    "invoice.overdue",
    "credit_note.issued",
    "month_close.finished",
    "organization.suspend",
    "ping",
]

EVENT_TYPES: tuple[str, ...] = tuple(name for name in get_args(EventType.__value__) if name != "ping")
"""What an endpoint can ask for; anyone can be sent a `ping` to try it."""

SECRET_MARK = "whsec_"  # noqa: S105  # how every secret begins
TRIED_FOR = timedelta(days=3)
BACK_OFF = (
    *(timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30)),
    *(timedelta(hours=2), timedelta(hours=5), timedelta(hours=10)),
)
"""How long to wait after each attempt; the last one again and again, until `TRIED_FOR` is over."""
JITTER = 0.2
PAUSES = (timedelta(0), timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=5))
"""How long a whole endpoint is left alone after so many failures in a row; the last one for all further."""

_EMBEDDING = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))  # NAT64: addresses of IPv4 inside


def sign(message_id: str, timestamp: int, body: bytes, secrets: Collection[str]) -> str:
    """The value of `webhook-signature`: one signature for each secret that the receiver may check with."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return " ".join(f"v1,{_hmac(secret, signed)}" for secret in secrets)


def _hmac(secret: str, signed: bytes) -> str:
    key = b64decode(secret.removeprefix(SECRET_MARK))
    return b64encode(hmac.digest(key, signed, sha256)).decode()


def next_attempt(attempts: int, *, try_until: datetime, at: datetime, chance: float) -> datetime | None:
    """When to try again after so many attempts (>= 1); None when it has been tried for long enough.

    `chance` in [0, 1) spreads what failed together.
    """
    wait = BACK_OFF[min(attempts, len(BACK_OFF)) - 1]
    again = at + wait * (1 + JITTER * chance)
    return again if again <= try_until else None


def pause_after(failures: int, at: datetime) -> datetime:
    """Until when nothing is sent to an endpoint that failed so often (>= 1) in a row: others are served meanwhile."""
    return at + PAUSES[min(failures, len(PAUSES)) - 1]


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the internet: not private, local, shared, reserved, nor one that hides such."""
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        inside: IPv4Address | None = found.ipv4_mapped or found.sixtofour
        if inside is not None:
            return is_public(str(inside))
        if found.teredo is not None or found.is_site_local or any(found in network for network in _EMBEDDING):
            return False
    return found.is_global and not found.is_multicast and not found.is_reserved
