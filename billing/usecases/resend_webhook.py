"""Send messages again: one, or all that failed of an endpoint."""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from billing.domain.webhooks import TRIED_FOR
from billing.models import WebhookDelivery, WebhookEndpoint
from billing.usecases._events import NewEvent, record_event
from billing.usecases._permissions import require
from organizations.models import User

State = WebhookDelivery.State


class UnableToResend(ValueError):
    """The message cannot be sent again; the message says why."""


@transaction.atomic
def resend_webhook(*, delivery_id: int, actor: User | None, at: datetime) -> None:
    """Send the same message again, under the same id. Raises UnableToResend, NotAllowed."""
    require(actor, "billing.resend_webhookdelivery")
    delivery = WebhookDelivery.objects.select_for_update(of=("self",)).select_related("endpoint").get(pk=delivery_id)
    if delivery.endpoint.disabled_at is not None:
        raise UnableToResend(_("This webhook is switched off."))
    if delivery.state == State.SENDING:
        raise UnableToResend(_("It is being sent right now."))
    _make_due(WebhookDelivery.objects.filter(pk=delivery.pk), at)
    values = {"name": delivery.endpoint.name, "text": str(delivery)}
    record_event(NewEvent("webhook.resent", delivery.organization_id, values=values), actor=actor, at=at)


@transaction.atomic
def resend_failed_webhooks(*, webhook_id: int, actor: User | None, at: datetime) -> int:
    """Send everything again that an endpoint did not take; how much that is. Raises UnableToResend, NotAllowed."""
    require(actor, "billing.resend_webhookdelivery")
    endpoint = WebhookEndpoint.objects.select_for_update().get(pk=webhook_id)
    if endpoint.disabled_at is not None:
        raise UnableToResend(_("This webhook is switched off."))
    number = _make_due(WebhookDelivery.objects.filter(endpoint=endpoint, state=State.FAILED), at)
    if number:
        values = {"name": endpoint.name, "count": number}
        record_event(NewEvent("webhook.resent", endpoint.organization_id, values=values), actor=actor, at=at)
    return number


def _make_due(deliveries: QuerySet[WebhookDelivery], at: datetime) -> int:
    return deliveries.update(
        state=State.WAITING, attempts=0, not_before=at, try_until=at + TRIED_FOR, error="", delivered_at=None
    )
