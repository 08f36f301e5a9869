"""Send the next message to a webhook: at least once, so that receivers look at its id.

        claim: state `sending` (transaction) ── post it (no transaction) ── record (transaction)

A worker that dies in between leaves `sending` behind, which is due again once its lease is over.
"""

import logging
import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from cryptography.fernet import InvalidToken
from django.db import connection, transaction
from django.utils.translation import gettext_noop

from billing.domain.webhooks import next_attempt, pause_after, sign
from billing.models import WebhookDelivery, WebhookEndpoint
from billing.queries.webhooks import due_messages, endpoints_in_turn
from billing.usecases.create_webhook import PURPOSE
from billing.usecases.deliver_webhook import NotDelivered
from organizations.encryption import cipher

LEASE = timedelta(minutes=5)
"""Much longer than a message takes."""
GONE = 410
LOST_SECRET = gettext_noop("Its secret was stored under another SECRET_KEY: rotate it.")
TOO_LATE = gettext_noop("It waited for too long: send it again if it still counts.")

log = logging.getLogger(__name__)
State = WebhookDelivery.State

type Post = Callable[[str, bytes, Mapping[str, str]], int]


class Sent(Enum):
    """What became of a message."""

    DELIVERED = "delivered"
    POSTPONED = "postponed"
    FAILED = "failed"


def send_webhook(*, post: Post, at: datetime, chance: Callable[[], float] = random.random) -> Sent | None:
    """Send the message that is due first of the endpoint whose turn it is; None when there is none.

    `post` hands it over, as `deliver_webhook` does. Whatever is not answered 2xx is tried again for days, later and
    later; meanwhile the endpoint is left alone for a while, so that others are served. 410 switches it off.
    """
    WebhookDelivery.objects.filter(state=State.SENDING, not_before__lte=at).update(state=State.WAITING, not_before=at)
    delivery = _claim(at)
    if delivery is None:
        return None
    status, error = _post(delivery, post, at)
    if status is not None and 200 <= status < 300:
        return _record_success(delivery, status, at)
    return _record_failure(delivery, status, error or f"HTTP {status}", at, chance())


@transaction.atomic
def _claim(at: datetime) -> WebhookDelivery | None:
    delivery = _first_due(at)
    if delivery is not None and delivery.try_until < at:
        # What was true when its endpoint was switched off may be wrong by now.
        due_messages(at).filter(try_until__lt=at).update(state=State.FAILED, error=TOO_LATE)
        log.error("Messages to webhooks were not sent in time")
        delivery = _first_due(at)
    if delivery is None:
        return None
    WebhookEndpoint.objects.filter(pk=delivery.endpoint_id).update(last_claimed_at=at)
    claimed = WebhookDelivery.objects.filter(pk=delivery.pk)
    claimed.update(state=State.SENDING, attempts=delivery.attempts + 1, not_before=at + LEASE)
    return claimed.select_related("endpoint").get()


def _first_due(at: datetime) -> WebhookDelivery | None:
    can_skip = connection.features.has_select_for_update_skip_locked
    due = due_messages(at).order_by("not_before", "id").select_for_update(skip_locked=can_skip)
    return next((found for key in endpoints_in_turn(at) if (found := due.filter(endpoint=key).first())), None)


def _post(delivery: WebhookDelivery, post: Post, at: datetime) -> tuple[int | None, str]:
    endpoint, body, timestamp = delivery.endpoint, delivery.body.encode(), int(at.timestamp())
    try:
        signature = sign(delivery.event_id, timestamp, body, _secrets(endpoint, at))
    except InvalidToken:
        return None, LOST_SECRET
    headers = {
        "Content-Type": "application/json",
        "webhook-id": delivery.event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature,
    }
    try:
        return post(endpoint.url, body, headers), ""
    except NotDelivered as error:
        return None, str(error).replace("\0", "")[:300]  # what the other side said may hold anything


def _secrets(endpoint: WebhookEndpoint, at: datetime) -> list[str]:
    secrets = [_decrypt(endpoint.secret)]
    if endpoint.old_secret_until is not None and at < endpoint.old_secret_until:
        with suppress(InvalidToken):  # an old one that is lost is no reason not to sign with the new one
            secrets.append(_decrypt(endpoint.old_secret))
    return secrets


def _decrypt(stored: str) -> str:
    return cipher(PURPOSE).decrypt(stored.encode()).decode()


@transaction.atomic
def _record_success(delivery: WebhookDelivery, status: int, at: datetime) -> Sent:
    _record(delivery, state=State.DELIVERED, status=status, error="", delivered_at=at)
    endpoint = WebhookEndpoint.objects.filter(pk=delivery.endpoint_id).exclude(failures=0)
    endpoint.update(failures=0, failing_since=None, not_before=None)
    return Sent.DELIVERED


@transaction.atomic
def _record_failure(delivery: WebhookDelivery, status: int | None, error: str, at: datetime, chance: float) -> Sent:
    endpoint = WebhookEndpoint.objects.select_for_update().get(pk=delivery.endpoint_id)
    endpoint.failures += 1
    endpoint.failing_since = endpoint.failing_since or at
    endpoint.not_before = pause_after(endpoint.failures, at)
    if status == GONE:
        endpoint.disabled_at = endpoint.disabled_at or at
        log.error("Webhook %s is gone (410): it is switched off", endpoint.pk)
    endpoint.save(update_fields=["failures", "failing_since", "not_before", "disabled_at"])
    again = next_attempt(delivery.attempts, try_until=delivery.try_until, at=at, chance=chance)
    if status == GONE or again is None:
        _record(delivery, state=State.FAILED, status=status, error=error)
        log.error("Message %s was not delivered to webhook %s", delivery.pk, endpoint.pk)
        return Sent.FAILED
    _record(delivery, state=State.WAITING, status=status, error=error, not_before=again)
    return Sent.POSTPONED


def _record(delivery: WebhookDelivery, **values: Any) -> None:
    """Unless somebody else has it by now: a worker that took longer than its lease changes nothing."""
    mine = WebhookDelivery.objects.filter(pk=delivery.pk, state=State.SENDING, attempts=delivery.attempts)
    mine.update(**values)
