"""Have a program told of events."""

import secrets
from base64 import b64encode
from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from billing.domain.webhooks import EVENT_TYPES, SECRET_MARK
from billing.models import WebhookEndpoint
from billing.usecases._events import NewEvent, record_event
from billing.usecases._permissions import require
from billing.usecases._webhook_targets import WebhookRefused, check_url
from organizations.encryption import cipher
from organizations.models import Organization, User

__all__ = ["PURPOSE", "NewWebhook", "WebhookRefused", "create_webhook", "new_webhook_secret"]

PURPOSE = "secrets of webhooks"
SECRET_BYTES = 32
MOST_ENDPOINTS = 100
"""Each is asked whenever something happens."""


class NewWebhook(NamedTuple):
    """The stored row, and the secret, which nobody can read again."""

    row: WebhookEndpoint
    secret: str


@transaction.atomic
def create_webhook(
    *,
    name: str,
    url: str,
    events: Collection[str],
    organization: Organization | None = None,
    actor: User | None,
    at: datetime,
) -> NewWebhook:
    """Store an endpoint. Raises WebhookRefused, NotAllowed."""
    require(actor, "billing.add_webhookendpoint")
    if not name.strip() or len(name) > 100:
        raise WebhookRefused(_("A webhook has a name of at most 100 characters, which says who listens."))
    chosen = [event for event in EVENT_TYPES if event in events]
    if not chosen or len(chosen) != len(set(events)):
        raise WebhookRefused(_("Choose of which events it is told."))
    if WebhookEndpoint.objects.filter(disabled_at=None).count() >= MOST_ENDPOINTS:
        raise WebhookRefused(_("There are %(most)d webhooks already.") % {"most": MOST_ENDPOINTS})
    secret, stored = new_webhook_secret()
    row = WebhookEndpoint.objects.create(
        name=name.strip(),
        url=check_url(url),
        events=chosen,
        organization=organization,
        secret=stored,
        created_at=at,
        created_by=actor,
    )
    organization_id = organization.pk if organization else None
    event = NewEvent("webhook.created", organization_id=organization_id, values={"name": row.name})
    record_event(event, actor=actor, at=at)
    return NewWebhook(row, secret)


def new_webhook_secret() -> tuple[str, str]:
    """A secret as its receiver gets it, and as it is stored."""
    secret = SECRET_MARK + b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    return secret, cipher(PURPOSE).encrypt(secret.encode()).decode()
