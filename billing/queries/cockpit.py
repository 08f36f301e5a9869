"""How far a month is on its way from drafts to paid invoices: counts by state, in queries that read indexes only."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Q, QuerySet

from billing.models import BulkJob, BulkJobItem, CloseOutcome, Invoice
from billing.queries.draft_checks import must_be_mended_ids
from billing.queries.draft_states import drafts_awaiting_approval, ready_drafts

Kind = CloseOutcome.Kind


@dataclass(frozen=True)
class MonthStates:
    """How many invoices of a month are where.

    A draft counts once: on hold, else to be reviewed, else waiting for a second person, else ready.
    """

    ready: int
    awaiting: int
    review: int
    on_hold: int
    issued: int
    paid: int
    blocked: int
    nil: int

    @property
    def drafts(self) -> int:
        """All that is still to be issued."""
        return self.ready + self.awaiting + self.review + self.on_hold


@dataclass(frozen=True)
class JobProgress:
    """How far a bulk job is."""

    total: int
    left: int
    done: int
    changed: int
    failed: int

    @property
    def finished(self) -> int:
        """How many items need no more work."""
        return self.total - self.left


def load_states(month: date) -> MonthStates:
    """Count a month's invoices and outcomes by state, in a fixed number of queries."""
    invoices = Invoice.objects.filter(consumption_month=month, kind=Invoice.Kind.INVOICE, released=False)
    rows = invoices.order_by().values_list("document_state", "payment_state").annotate(number=Count("*"))
    counts = {(document, payment): number for document, payment, number in rows}
    issued = {payment: number for (document, payment), number in counts.items() if document == "issued"}
    drafts = sum(number for (document, _), number in counts.items() if document == "draft")
    held, reviewed = _not_ready(month)
    outcomes = CloseOutcome.objects.filter(month=month).order_by().values_list("kind")
    kinds = dict(outcomes.annotate(number=Count("*")))
    awaiting = drafts_awaiting_approval(month).exclude(organization__in=_without_invoice(month)).count()
    return MonthStates(
        ready=drafts - held - reviewed - awaiting - _stale_drafts(month),
        awaiting=awaiting,
        review=reviewed,
        on_hold=held,
        issued=sum(issued.values()),
        paid=issued.get("paid", 0),
        blocked=kinds.get(Kind.BLOCKED, 0),
        nil=kinds.get(Kind.NIL, 0),
    )


def _not_ready(month: date) -> tuple[int, int]:
    """Drafts on hold, and others with open findings or an e-invoice that failed its check.

    A partial index holds exactly the first two, another the failed checks.
    """
    held = ~Q(hold_reason="")
    drafts = Invoice.objects.filter(consumption_month=month, document_state="draft", kind=Invoice.Kind.INVOICE)
    drafts = drafts.exclude(organization__in=_without_invoice(month))
    marked = drafts.filter(Q(open_findings__gt=0) | held)
    counts = marked.aggregate(held=Count("pk", filter=held), reviewed=Count("pk", filter=~held))
    to_mend = drafts.filter(pk__in=must_be_mended_ids(), hold_reason="", open_findings=0)
    return counts["held"], counts["reviewed"] + to_mend.count()


def _stale_drafts(month: date) -> int:
    """Drafts of organizations that are blocked by now: they stay, but cannot be issued."""
    drafts = Invoice.objects.filter(
        consumption_month=month, document_state="draft", organization__in=_without_invoice(month)
    )
    return drafts.count()


def _without_invoice(month: date) -> QuerySet[CloseOutcome, int]:
    return CloseOutcome.objects.filter(month=month, kind=Kind.BLOCKED).values_list("organization_id", flat=True)


def ready_payers(month: date) -> QuerySet[CloseOutcome, int]:
    """Who has a draft that nothing speaks against; all of it is judged again when it is issued."""
    ready = ready_drafts([month]).exclude(pk__in=drafts_awaiting_approval(month).values("pk"))
    outcomes = CloseOutcome.objects.filter(month=month, kind=Kind.INVOICE, invoice__in=ready.values("pk"))
    return outcomes.order_by("organization_id").values_list("organization_id", flat=True)


def blocked_payers(month: date) -> QuerySet[CloseOutcome, int]:
    """Who is blocked."""
    return _without_invoice(month).order_by("organization_id")


def load_progress(job: BulkJob) -> JobProgress:
    """Count the items of a job by state, in one query of an index."""
    counts = dict(BulkJobItem.objects.filter(job=job).order_by().values_list("state").annotate(number=Count("*")))
    return JobProgress(
        total=sum(counts.values()),
        left=counts.get(BulkJobItem.State.LEFT, 0),
        done=counts.get(BulkJobItem.State.DONE, 0),
        changed=counts.get(BulkJobItem.State.CHANGED, 0),
        failed=counts.get(BulkJobItem.State.FAILED, 0),
    )
