"""Delete old messages to webhooks: what they told of stays in the timeline of the invoice or close."""

from datetime import datetime, timedelta

from billing.models import WebhookDelivery

KEPT = timedelta(days=90)
"""Long after the last attempt, and long enough to see what a program was told last quarter."""
BATCH_SIZE = 5_000


def forget_webhook_messages(*, at: datetime) -> int:
    """Delete messages older than `KEPT`, whatever became of them; how many these were.

    They are looked at from the oldest on, so that a look costs the same however many are kept.
    """
    forgotten = 0
    while True:
        oldest = WebhookDelivery.objects.order_by("id").values_list("id", "created_at")[:BATCH_SIZE]
        ids = [id_ for id_, created_at in oldest if created_at < at - KEPT]
        if not ids:
            return forgotten
        forgotten += WebhookDelivery.objects.filter(pk__in=ids).delete()[0]
