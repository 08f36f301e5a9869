"""Messages to webhooks: what is due, and what does not heal by itself."""

from datetime import datetime, timedelta

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from billing.models import WebhookDelivery, WebhookEndpoint

State = WebhookDelivery.State
WORRYING_AFTER = timedelta(hours=1)


def due_messages(at: datetime) -> QuerySet[WebhookDelivery]:
    """Messages to be sent now, to endpoints that are on and do not rest: one query for these, as they are few."""
    endpoints = list(_open_endpoints(at).values_list("pk", flat=True))
    return WebhookDelivery.objects.filter(state=State.WAITING, not_before__lte=at, endpoint__in=endpoints)


def endpoints_in_turn(at: datetime) -> list[int]:
    """The keys of endpoints with messages to be sent now: first those with the fewest on their way, then in turns.

    One that takes its time, with thousands of messages waiting, does so hold up nobody else.
    """
    messages = WebhookDelivery.objects.filter(endpoint=OuterRef("pk")).order_by()
    being_sent = messages.filter(state=State.SENDING).values("endpoint").annotate(number=Count("pk")).values("number")
    found = _open_endpoints(at).filter(Exists(messages.filter(state=State.WAITING, not_before__lte=at)))
    in_turn = found.order_by(Coalesce(Subquery(being_sent), 0), F("last_claimed_at").asc(nulls_first=True), "id")
    return list(in_turn.values_list("pk", flat=True))


def _open_endpoints(at: datetime) -> QuerySet[WebhookEndpoint]:
    return WebhookEndpoint.objects.filter(Q(not_before=None) | Q(not_before__lte=at), disabled_at=None)


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
