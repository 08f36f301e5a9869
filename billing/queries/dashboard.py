"""What the first page of the desk shows, in a fixed number of queries: each is indexed, or sums a month or two."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import Case, Count, F, Max, Min, Q, QuerySet, Sum, When, Window
from django.db.models.functions import Abs, RowNumber

from billing.models import CloseOutcome, Invoice, MonthClose
from billing.queries.invoices import LEFT_CENTS
from billing.queries.months import month_of
from organizations.models import Organization

Kind = CloseOutcome.Kind


@dataclass(frozen=True)
class CloseSummary:
    """A month close with the number of its outcomes of each kind."""

    close: MonthClose
    counts: dict[str, int]

    @property
    def total(self) -> int:
        """All outcomes."""
        return sum(self.counts.values())


@dataclass(frozen=True)
class MonthTotals:
    """What the invoices of one month and currency come to, drafts and issued ones; cents."""

    month: date
    currency: str
    invoices: int = 0
    drafts: int = 0
    subtotal_cents: int = 0
    vat_cents: int = 0
    total_cents: int = 0


@dataclass(frozen=True)
class Comparison:
    """A month's totals in one currency beside those of the month before."""

    currency: str
    now: MonthTotals
    before: MonthTotals

    @property
    def change_cents(self) -> int:
        """By how much the total grew."""
        return self.now.total_cents - self.before.total_cents

    @property
    def change_ppm(self) -> int | None:
        """The growth in millionths of the total before; None where there was none."""
        base_cents = self.before.total_cents
        return self.change_cents * 1_000_000 // base_cents if base_cents else None


@dataclass(frozen=True)
class Mover:
    """An organization whose total changed much against the month before; cents."""

    organization: Organization
    currency: str
    before_cents: int
    now_cents: int

    @property
    def change_cents(self) -> int:
        """By how much the total grew, or fell when negative."""
        return self.now_cents - self.before_cents


@dataclass(frozen=True)
class Unpaid:
    """What issued invoices in one currency are still owed; cents."""

    currency: str
    invoices: int
    due_cents: int
    overdue_invoices: int
    overdue_cents: int
    oldest_due_date: date


@dataclass(frozen=True)
class Dashboard:
    """All that the first page shows. Without any close there is nothing but what is unpaid."""

    closes: list[CloseSummary] = field(default_factory=list)
    comparisons: list[Comparison] = field(default_factory=list)
    blocked: list[CloseOutcome] = field(default_factory=list)
    movers: list[Mover] = field(default_factory=list)
    unpaid: list[Unpaid] = field(default_factory=list)
    overdue: list[Invoice] = field(default_factory=list)

    @property
    def month(self) -> date | None:
        """The consumption month closed last."""
        return self.closes[0].close.month if self.closes else None

    @property
    def blocked_total(self) -> int:
        """How many organizations the last close blocked."""
        return self.closes[0].counts.get(Kind.BLOCKED, 0) if self.closes else 0


def load_dashboard(*, today: date, closes: int = 4, rows: int = 8) -> Dashboard:
    """Load the first page in at most eight queries."""
    summaries = summarize_closes(list(MonthClose.objects.order_by("-month")[:closes]))
    unpaid, overdue = load_unpaid(today), load_overdue(today, rows)
    if not summaries:
        return Dashboard(unpaid=unpaid, overdue=overdue)
    month = summaries[0].close.month
    return Dashboard(
        closes=summaries,
        comparisons=compare_months(month),
        blocked=list(blocked_outcomes(month)[:rows]),
        movers=top_movers(month, rows),
        unpaid=unpaid,
        overdue=overdue,
    )


def summarize_closes(closes: Sequence[MonthClose]) -> list[CloseSummary]:
    """Count the outcomes of some closes, in one query that only reads an index."""
    counts: dict[date, dict[str, int]] = {close.month: {} for close in closes}
    rows = CloseOutcome.objects.filter(month__in=counts).order_by().values_list("month", "kind")
    for month, kind, number in rows.annotate(number=Count("*")):
        counts[month][kind] = number
    return [CloseSummary(close, counts[close.month]) for close in closes]


def blocked_outcomes(month: date) -> QuerySet[CloseOutcome]:
    """The organizations that the close of a month blocked."""
    rows = CloseOutcome.objects.filter(month=month, kind=Kind.BLOCKED)
    return rows.select_related("organization").order_by("organization_id")


def compare_months(month: date) -> list[Comparison]:
    """The totals of a month and of the one before, per currency."""
    previous = month_of(month).previous.first_day
    totals: dict[str, dict[date, MonthTotals]] = {}
    sums = _live_invoices((month, previous)).values("currency", month=F("consumption_month")).annotate(**_sums())
    for row in sums.order_by():
        values: dict[str, Any] = {**row}
        found = MonthTotals(**values)
        totals.setdefault(found.currency, {})[found.month] = found
    return [
        Comparison(currency, *(both.get(day) or MonthTotals(day, currency) for day in (month, previous)))
        for currency, both in sorted(totals.items())
    ]


def top_movers(month: date, rows: int) -> list[Mover]:
    """The organizations whose total changed most against the month before, gone and new ones included."""
    changes = _changes(month).annotate(size=Abs("change")).order_by("-size", "organization_id")
    return _movers(changes[:rows])


def rises_and_falls(month: date, rows: int) -> tuple[list[Mover], list[Mover]]:
    """The organizations whose total grew most, and those whose total fell most, in one pass over two months."""
    ranked = _changes(month).annotate(
        rise=Window(RowNumber(), order_by=[F("change").desc(), F("organization_id").asc()]),
        fall=Window(RowNumber(), order_by=[F("change").asc(), F("organization_id").asc()]),
    )
    movers = _movers(ranked.filter(Q(rise__lte=rows) | Q(fall__lte=rows)).order_by("-change", "organization_id"))
    rises = [mover for mover in movers if mover.change_cents > 0][:rows]
    falls = [mover for mover in reversed(movers) if mover.change_cents < 0][:rows]
    return rises, falls


def _changes(month: date) -> QuerySet[Any, Any]:
    """Of everybody but the blocked ones, whose invoice is only late."""
    previous = month_of(month).previous.first_day
    blocked = CloseOutcome.objects.filter(month=month, kind=Kind.BLOCKED)
    return (
        _live_invoices((month, previous))
        .exclude(organization__in=blocked.values("organization"))
        .values("organization_id", "currency")
        .annotate(now_cents=_total_of_month(month), before_cents=_total_of_month(previous))
        .annotate(change=F("now_cents") - F("before_cents"))
        .exclude(change=0)
    )


def _movers(changes: QuerySet[Any, Any]) -> list[Mover]:
    found = list(changes.values_list("organization_id", "currency", "before_cents", "now_cents"))
    organizations = Organization.objects.in_bulk([organization_id for organization_id, *_ in found])
    return [Mover(organizations[organization_id], *rest) for organization_id, *rest in found]


def load_unpaid(today: date) -> list[Unpaid]:
    """What is owed and what of it is overdue, per currency."""
    late = Q(due_date__lt=today)
    rows = (
        unpaid_invoices()
        .order_by("currency")
        .values("currency")
        .annotate(
            invoices=Count("*"),
            due_cents=Sum(LEFT_CENTS),
            overdue_invoices=Count("pk", filter=late),
            overdue_cents=Sum(LEFT_CENTS, filter=late, default=0),
            oldest_due_date=Min("due_date"),
        )
    )
    return [Unpaid(**row) for row in rows]


def load_overdue(today: date, rows: int) -> list[Invoice]:
    """The overdue invoices with the most left to pay; only these few are then joined with their organizations."""
    overdue = unpaid_invoices().filter(due_date__lt=today).annotate(left_cents=LEFT_CENTS)
    largest = list(overdue.order_by("-left_cents", "id").values_list("pk", "left_cents")[:rows])
    invoices = Invoice.objects.select_related("organization").in_bulk([pk for pk, _ in largest])
    return [invoices[pk] for pk, _ in largest]


def unpaid_invoices() -> QuerySet[Invoice]:
    """Issued invoices that wait for money; a partial index holds exactly these."""
    return Invoice.objects.filter(document_state="issued", payment_state="pending", kind=Invoice.Kind.INVOICE)


def _live_invoices(months: tuple[date, date]) -> QuerySet[Invoice]:
    """The invoices that count: the draft of an organization that has none by its last outcome is stale."""
    stale = Q()
    for month in months:
        # A plain IN per month: PostgreSQL misjudges one correlated subquery so much that it compiles the query.
        without = CloseOutcome.objects.filter(month=month, kind__in=(Kind.BLOCKED, Kind.NIL))
        stale |= Q(consumption_month=month, organization__in=without.values("organization"))
    return Invoice.objects.filter(
        Q(document_state="issued") | Q(document_state="draft") & ~stale,
        consumption_month__in=months,
        kind=Invoice.Kind.INVOICE,
        released=False,
    )


def _sums() -> dict[str, Any]:
    return {
        "invoices": Count("*"),
        "drafts": Count("organization_id", filter=Q(document_state="draft")),
        "subtotal_cents": Sum("subtotal_cents"),
        "vat_cents": Sum("vat_cents"),
        "total_cents": Sum("total_cents"),
    }


def _total_of_month(month: date) -> Max:
    """An organization has one live invoice a month, so its total is the largest; a sum would take twice as long."""
    return Max(Case(When(consumption_month=month, then=F("total_cents")), default=0))
