"""Switch an endpoint off or on, give it another secret, try it."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from billing.models import WebhookEndpoint
from billing.usecases._events import NewEvent, record_event
from billing.usecases._permissions import require
from billing.usecases._webhooks import announce_ping
from billing.usecases.create_webhook import WebhookRefused, new_webhook_secret
from organizations.models import User

__all__ = ["OLD_SECRET_LASTS", "WebhookRefused", "ping_webhook", "rotate_webhook_secret", "switch_webhook"]

OLD_SECRET_LASTS = timedelta(days=1)
"""For so long messages carry the signatures of both secrets, so that receivers change theirs without losing any."""


@transaction.atomic
def switch_webhook(*, webhook_id: int, on: bool, reason: str = "", actor: User | None, at: datetime) -> None:
    """Send no message to an endpoint any more, or send again. What happens meanwhile is not announced to it.

    What was waiting waits on, for as long as messages are tried. Raises NotAllowed.
    """
    row = _lock(webhook_id, actor)
    row.disabled_at = None if on else at
    row.failures, row.failing_since, row.not_before = 0, None, None
    row.save(update_fields=["disabled_at", "failures", "failing_since", "not_before"])
    _record("webhook.enabled" if on else "webhook.disabled", row, actor, at, reason)


@transaction.atomic
def rotate_webhook_secret(*, webhook_id: int, actor: User | None, at: datetime) -> str:
    """Sign with a new secret, which is returned this once; the old one signs too for a day. Raises NotAllowed.

    Again within that day, the old one is still that from before: it may be the one that the receiver has.
    """
    row = _lock(webhook_id, actor)
    secret, stored = new_webhook_secret()
    if row.old_secret_until is None or row.old_secret_until <= at:
        row.old_secret, row.old_secret_until = row.secret, at + OLD_SECRET_LASTS
    row.secret = stored
    row.save(update_fields=["secret", "old_secret", "old_secret_until"])
    _record("webhook.secret_rotated", row, actor, at)
    return secret


@transaction.atomic
def ping_webhook(*, webhook_id: int, actor: User | None, at: datetime) -> None:
    """Send an endpoint a message that means nothing. Raises WebhookRefused, NotAllowed."""
    row = _lock(webhook_id, actor)
    if row.disabled_at is not None:
        raise WebhookRefused(_("This webhook is switched off."))
    announce_ping(row, at=at)


def _lock(webhook_id: int, actor: User | None) -> WebhookEndpoint:
    require(actor, "billing.change_webhookendpoint")
    return WebhookEndpoint.objects.select_for_update().get(pk=webhook_id)


def _record(kind: str, row: WebhookEndpoint, actor: User | None, at: datetime, reason: str = "") -> None:
    event = NewEvent(kind, organization_id=row.organization_id, values={"name": row.name}, reason=reason[:1000])
    record_event(event, actor=actor, at=at)
