"""Say that invoices became overdue, and that services are to be suspended: once each, by event and by webhook.

The domain page (section 9) suspends services from day 31 after issue. Nobody is suspended for an invoice that is not
due yet: with a longer payment term it is the day after the due date. An invoice that was paid and is owed again, as the
bank took the money back, begins anew.
"""

from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from billing.models import Event, Invoice
from billing.queries.dashboard import unpaid_invoices
from billing.queries.invoices import left_cents
from billing.queries.months import local_day
from billing.usecases._events import NewEvent, record_events
from billing.usecases._webhooks import announce_documents, announce_suspensions

OVERDUE, SUSPEND = "invoice.overdue", "organization.suspend"
SUSPENDED_FROM_DAY = 31
SAID_WITHIN = timedelta(days=90)
"""What became overdue longer ago, before this was said at all, is old news, unless it is owed again since."""
OWED_AGAIN = ("allocation.undone", "invoice.payment_resumed", "invoice.write_off_taken_back")
BATCH_SIZE = 500


def announce_overdue(*, at: datetime) -> int:
    """Announce what is due to be said; how many announcements that were. Twice at once announces nothing twice."""
    today, said = local_day(at), 0
    while batch := _announce_overdue(today, at):
        said += batch
    while batch := _announce_suspensions(today, at):
        said += batch
    return said


@transaction.atomic
def _announce_overdue(today: date, at: datetime) -> int:
    late = _unsaid(_lately_overdue(today, at), OVERDUE)
    rows = list(late.select_for_update(of=("self",)).order_by("organization_id", "id")[:BATCH_SIZE])
    rows = list(_unsaid(Invoice.objects.filter(pk__in=[row.pk for row in rows]), OVERDUE).order_by("id"))
    record_events([_event(OVERDUE, row) for row in rows], actor=None, at=at)
    announce_documents("invoice.overdue", [row.pk for row in rows], at=at)
    return len(rows)


@transaction.atomic
def _announce_suspensions(today: date, at: datetime) -> int:
    """One for an organization, until nothing of what it was for is owed any more."""
    since = today - timedelta(days=SUSPENDED_FROM_DAY)
    old = _lately_overdue(today, at).filter(issue_date__lte=since)
    owed = unpaid_invoices().filter(pk=OuterRef("invoice_id"))
    said = _standing(Event.objects.filter(Exists(owed), organization=OuterRef("organization_id"), kind=SUSPEND))
    candidates = old.filter(~Exists(said)).order_by("organization_id", "issue_date", "id")
    rows = list(candidates.select_for_update(of=("self",))[:BATCH_SIZE])
    first: dict[int, Invoice] = {}
    for row in rows:
        first.setdefault(row.organization_id, row)
    found = Invoice.objects.filter(pk__in=[row.pk for row in first.values()])
    chosen = list(_unsaid(found, SUSPEND).select_related("organization", "refers_to").order_by("id"))
    record_events([_event(SUSPEND, row) for row in chosen], actor=None, at=at)
    announce_suspensions(chosen, at=at)
    return len(chosen)


def _lately_overdue(today: date, at: datetime) -> QuerySet[Invoice]:
    again = Event.objects.filter(invoice=OuterRef("pk"), kind__in=OWED_AGAIN, at__gte=at - SAID_WITHIN)
    return unpaid_invoices().filter(Q(due_date__gte=today - SAID_WITHIN) | Exists(again), due_date__lt=today)


def _unsaid(invoices: QuerySet[Invoice], kind: str) -> QuerySet[Invoice]:
    return invoices.filter(~Exists(_standing(Event.objects.filter(invoice=OuterRef("pk"), kind=kind))))


def _standing(said: QuerySet[Event]) -> QuerySet[Event]:
    """What was said since the invoice was last paid: after that it was no longer true."""
    reopened = Event.objects.filter(
        invoice=OuterRef("invoice"),
        kind="allocation.undone",
        values__before__payment_state="paid",
        id__gt=OuterRef("pk"),
    )
    return said.filter(~Exists(reopened))


def _event(kind: str, row: Invoice) -> NewEvent:
    values = {"number": row.number, "cents": left_cents(row), "currency": row.currency}
    return NewEvent(kind, row.organization_id, row.pk, values)
