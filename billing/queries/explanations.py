"""The rows behind the figures of an invoice: what a panel that explains one of them needs, in a few queries."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, Max, Min, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from billing.domain.adjustments import PROVISION, WHOLE, line_key
from billing.domain.rating import Rated, rate
from billing.models import (
    Adjustment,
    CloseOutcome,
    CreditEntry,
    CreditGrant,
    CreditStatement,
    Invoice,
    InvoiceLine,
    Price,
    UsageDetail,
    UsageRecord,
)
from billing.queries.months import month_of
from billing.queries.prices import price_of, tiers_of


@dataclass(frozen=True)
class RecordsBehind:
    """The usage records that a detail sums."""

    number: int
    quantity_micro: int
    first_start: datetime | None
    last_end: datetime | None


def consumption_cents(invoice: Invoice) -> int:
    """What the usage lines of a document come to, before the discount on them."""
    usage = invoice.usage_details.filter(meter__isnull=False)
    total: int = usage.aggregate(total=Sum("amount_cents", default=0))["total"]
    return total


def discount_base_cents(line: InvoiceLine) -> int | None:
    """What a printed discount was taken off: one line, or all but the provision and what discounts on lines took."""
    others = list(line.invoice.lines.exclude(pk=line.pk))
    discounts = [each for each in (line, *others) if each.kind == InvoiceLine.Kind.DISCOUNT]
    adjustment_ids = [each.source_id for each in discounts if each.source_id is not None]
    targets = dict(Adjustment.objects.filter(pk__in=adjustment_ids).values_list("pk", "target"))
    target = targets.get(line.source_id or 0)
    if target is None:
        return None
    if target != WHOLE:
        return sum(other.net_cents for other in others if line_key(other) == target)
    on_whole = {pk for pk, target in targets.items() if target == WHOLE}
    return sum(
        other.net_cents
        for other in others
        if line_key(other) != PROVISION
        and not (other.kind == InvoiceLine.Kind.DISCOUNT and other.source_id in on_whole)
    )


@dataclass(frozen=True)
class DetailBehind:
    """How a usage detail came about. `others` are the details of other documents for the same line."""

    detail: UsageDetail
    records: RecordsBehind
    price: Price
    others: list[UsageDetail]
    rated: Rated

    @property
    def whole_quantity_micro(self) -> int:
        """What was measured and rated for the line, this document included."""
        return (self.detail.quantity_micro or 0) + sum(other.quantity_micro or 0 for other in self.others)


def load_detail(detail: UsageDetail) -> DetailBehind | None:
    """Rate a usage line again as it was; None for a detail without a price (the discount).

    Late usage is the difference to what was billed before: then the whole line is rated.
    """
    price = Price.objects.prefetch_related("tiers").filter(pk=detail.price_id or 0).first()
    if price is None:
        return None
    others = list(_same_line(detail).select_related("invoice"))
    whole_micro = (detail.quantity_micro or 0) + sum(other.quantity_micro or 0 for other in others)
    rated = rate(max(whole_micro, 0), price_of(price, tiers_of(price)), month_of(detail.month).seconds)
    return DetailBehind(detail, _records(detail, price), price, others, rated)


def _same_line(detail: UsageDetail) -> QuerySet[UsageDetail]:
    """What was billed of the line before this document, or before now when it is a draft."""
    key = {name: getattr(detail, name) for name in ("organization_id", "resource_id", "meter_id", "zone", "price_id")}
    invoices = Invoice.objects.filter(
        organization=detail.invoice.organization_id,
        document_state="issued",
        consumption_month__lt=detail.invoice.consumption_month,
        consumption_month__gte=detail.month,
    )
    return UsageDetail.objects.filter(month=detail.month, invoice__in=invoices, **key).order_by("id")


def records_behind(detail: UsageDetail, price: Price) -> QuerySet[UsageRecord]:
    """The usage records of a detail; of a price that changed within the month only those of its own time."""
    records = UsageRecord.objects.filter(
        month=detail.month,
        organization=detail.organization_id,
        resource=detail.resource_id,
        meter=detail.meter_id,
        zone=detail.zone,
    )
    if price.valid_from is not None and price.valid_from > month_of(detail.month).start:
        records = records.filter(Q(ended_at__gt=price.valid_from) | Q(started_at__gte=price.valid_from))
    if price.valid_to is not None and price.valid_to < month_of(detail.month).end:
        records = records.filter(started_at__lt=price.valid_to)
    return records


def _records(detail: UsageDetail, price: Price) -> RecordsBehind:
    sums = records_behind(detail, price).aggregate(
        number=Count("*"), quantity=Sum("quantity_micro"), start=Min("started_at"), end=Max("ended_at")
    )
    return RecordsBehind(sums["number"], sums["quantity"] or 0, sums["start"], sums["end"])


@dataclass(frozen=True)
class Movement:
    """What an invoice took from a grant, or found on it; cents."""

    grant: CreditGrant
    cents: int


def load_uses(invoice: Invoice, *, kinds: Iterable[str], grant_type: str) -> list[Movement]:
    """What an issued invoice booked on grants of a type."""
    entries = CreditEntry.objects.filter(invoice=invoice, kind__in=kinds, grant__type=grant_type)
    return [Movement(entry.grant, entry.amount_cents) for entry in entries.select_related("grant").order_by("id")]


def load_balances(invoice: Invoice, *, grant_type: str) -> list[Movement]:
    """The grants of a type that had something left when the invoice was computed, apart from its own movements."""
    until = invoice.issued_at or timezone.now()
    earlier = Q(entries__booked_at__lte=until) & ~Q(entries__invoice=invoice)
    grants = CreditGrant.objects.filter(_of_tree(invoice), type=grant_type).annotate(
        left_cents=Sum("entries__amount_cents", filter=earlier)
    )
    return [Movement(grant, grant.left_cents) for grant in grants.filter(left_cents__gt=0).order_by("id")]


def load_pending(invoice: Invoice) -> list[Movement]:
    """Credits on issued invoices that were not fully paid when this one was computed."""
    until = invoice.issued_at or timezone.now()
    sold = CreditGrant.objects.filter(_of_tree(invoice), sold_by__issued_at__lt=until).exclude(sold_by=invoice)
    granted = Q(entries__booked_at__lte=until, entries__kind__in=(CreditEntry.Kind.GRANT, CreditEntry.Kind.SUSPENSION))
    grants = sold.select_related("sold_by").annotate(
        granted_cents=Coalesce(Sum("entries__amount_cents", filter=granted), 0)
    )
    if invoice.issued_at is None:
        return [Movement(grant, grant.pending_cents) for grant in grants.filter(state="pending").order_by("id")]
    waiting = grants.exclude(amount_cents=F("granted_cents")).order_by("id")
    return [Movement(grant, grant.amount_cents - grant.granted_cents) for grant in waiting]


def load_estimate_months(invoice: Invoice) -> list[CloseOutcome]:
    """The closed months whose mean is the estimate, newest first: this one and those before it."""
    outcomes = CloseOutcome.objects.filter(
        organization=invoice.organization_id, month__lte=invoice.consumption_month
    ).exclude(kind=CloseOutcome.Kind.ON_PARENT)
    return list(outcomes.order_by("-month")[: invoice.organization.forecast_months])


def load_statement(invoice: Invoice) -> CreditStatement | None:
    """The stored statement; a credit note has none."""
    return CreditStatement.objects.filter(invoice=invoice).first()


def load_lines(invoice: Invoice) -> list[InvoiceLine]:
    """All printed lines."""
    return list(invoice.lines.all())


def _of_tree(invoice: Invoice) -> Q:
    """The grants of the payer and of those who were billed on its invoice."""
    members = CloseOutcome.objects.filter(payer=invoice.organization_id, month=invoice.consumption_month)
    return Q(organization=invoice.organization_id) | Q(organization__in=members.values("organization"))
