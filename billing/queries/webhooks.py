"""Messages to webhooks: what is due, and what does not heal by itself."""

from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from billing.models import WebhookDelivery, WebhookEndpoint

State = WebhookDelivery.State
WORRYING_AFTER = timedelta(hours=1)


def due_messages(at: datetime) -> QuerySet[WebhookDelivery]:
    """Messages to be sent now, to endpoints that are on and do not rest: one query for these, as they are few."""
    rested = Q(not_before=None) | Q(not_before__lte=at)
    endpoints = list(WebhookEndpoint.objects.filter(rested, disabled_at=None).values_list("pk", flat=True))
    return WebhookDelivery.objects.filter(state=State.WAITING, not_before__lte=at, endpoint__in=endpoints)


def count_due_messages(at: datetime, *, most: int) -> int:
    """How many messages are due, or were being sent by a worker that died, counting no further than `most`."""
    if number := due_messages(at).order_by()[:most].count():
        return number
    return WebhookDelivery.objects.filter(state=State.SENDING, not_before__lte=at).order_by()[:most].count()


def count_failing_webhooks(at: datetime) -> int:
    """How many endpoints have taken nothing for an hour."""
    return WebhookEndpoint.objects.filter(disabled_at=None, failing_since__lte=at - WORRYING_AFTER).count()


def count_failed_messages(endpoint: WebhookEndpoint) -> int:
    """How many messages an endpoint did not take in all the time that they were tried; a partial index holds these."""
    return WebhookDelivery.objects.filter(endpoint=endpoint, state=State.FAILED).count()
