"""What happened to a document, newest first."""

from billing.models import Event, Invoice

SHOWN = 100


def load_timeline(invoice: Invoice) -> list[Event]:
    """The latest events of a document, in one query of an index."""
    return list(Event.objects.filter(invoice=invoice).select_related("actor").order_by("-id")[:SHOWN])
