"""The invoice as its page shows it: lines and taxes, the credit statement explained, usage details by resource."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby

from django.core.paginator import Page, Paginator
from django.db.models import Case, Count, IntegerField, QuerySet, Sum, Value, When

from billing.domain.statement import CreditStatement as Statement
from billing.models import (
    Allocation,
    CreditEntry,
    CreditStatement,
    Invoice,
    InvoiceLine,
    Price,
    TaxSubtotal,
    UsageDetail,
)
from billing.queries.parties import Snapshot, buyer_snapshots, seller_snapshot
from organizations.models import Organization

DETAILS_PER_PAGE = 200


@dataclass(frozen=True)
class Movements:
    """What happened to the credits between the previous statement and this one; cents."""

    previous: Invoice
    left_cents: int
    entries: list[CreditEntry]
    opening_cents: int

    @property
    def other_cents(self) -> int:
        """What the entries do not explain: credits that became usable with the month, or are not usable in it."""
        return self.opening_cents - self.left_cents - sum(entry.amount_cents for entry in self.entries)


@dataclass(frozen=True)
class OrganizationFees:
    """The consumption of one organization of the tree, discount included; cents."""

    organization: Organization
    resources: int
    details: int
    fees_cents: int


@dataclass(frozen=True)
class ResourceDetails:
    """The usage details of one resource that are on this page; `fees_cents` is that of the whole resource."""

    resource_id: int
    external_id: str
    name: str
    fees_cents: int
    details: list[UsageDetail]


@dataclass(frozen=True)
class OrganizationDetails:
    """The resources of one organization that are on this page."""

    organization: Organization
    resources: list[ResourceDetails] = field(default_factory=list)


@dataclass(frozen=True)
class UsageSection:
    """The third section: fees per organization, one page of details, and the discount on consumption."""

    fees: list[OrganizationFees]
    page: Page[UsageDetail]
    groups: list[OrganizationDetails]
    discounts: list[UsageDetail]
    prices: Mapping[int, Price]

    @property
    def has_sub_organizations(self) -> bool:
        """Whether the summary per organization says more than the total."""
        return len(self.fees) > 1


@dataclass(frozen=True)
class InvoicePage:
    """All three sections."""

    invoice: Invoice
    lines: list[InvoiceLine]
    taxes: list[TaxSubtotal]
    statement: Statement | None
    row: CreditStatement | None
    movements: Movements | None
    usage: UsageSection
    seller: Snapshot
    buyer: Snapshot
    allocations: list[Allocation]
    credit_notes: list[Invoice]


def load_invoice_page(invoice: Invoice, *, page: int = 1, organization_id: int | None = None) -> InvoicePage:
    """Load an invoice in a number of queries that does not depend on how long it is."""
    row = CreditStatement.objects.filter(invoice=invoice).first()
    statement = None if row is None else statement_of(row)
    return InvoicePage(
        invoice=invoice,
        lines=list(invoice.lines.select_related("organization")),
        taxes=list(invoice.tax_subtotals.order_by("category", "rate_bp")),
        statement=statement,
        row=row,
        movements=None if statement is None else load_movements(invoice, statement),
        usage=load_usage(invoice, page=page, organization_id=organization_id),
        seller=invoice.seller or seller_snapshot(invoice.legal_entity),
        buyer=invoice.buyer or buyer_snapshots([invoice.organization_id])[invoice.organization_id],
        allocations=list(invoice.allocations.filter(undone_at=None).select_related("payment").order_by("id")),
        credit_notes=list(invoice.credit_notes.exclude(document_state="discarded").order_by("id")),
    )


def statement_of(row: CreditStatement) -> Statement:
    """The stored statement as the domain's value, which knows its letters and sums."""
    return Statement(**{name: getattr(row, name) for name in Statement.__struct_fields__})


def load_movements(invoice: Invoice, statement: Statement) -> Movements | None:
    """The entries between the statement before and this one; None where there is no statement before."""
    before = Invoice.objects.filter(
        organization=invoice.organization_id,
        kind=Invoice.Kind.INVOICE,
        document_state="issued",
        released=False,
        consumption_month__lt=invoice.consumption_month,
    )
    previous = before.select_related("statement").order_by("-consumption_month").first()
    if previous is None or not hasattr(previous, "statement"):
        return None
    entries = (
        CreditEntry.objects.filter(grant__organization=invoice.organization_id, booked_at__gte=previous.issued_at)
        .filter(booked_at__lte=invoice.issued_at or invoice.computed_at)
        # Their own uses and expiries are in the statements; what came back to grants since is not.
        .exclude(invoice__in=[previous.pk, invoice.pk], kind__in=(CreditEntry.Kind.USE, CreditEntry.Kind.EXPIRY))
        .select_related("grant", "grant__sold_by", "invoice", "outcome")
        .order_by("id")
    )
    last = statement_of(previous.statement)
    left_cents = last.opening_cents + last.used_free_cents + last.expired_cents + last.used_prepaid_cents
    return Movements(previous, left_cents, list(entries), statement.opening_cents)


def load_usage(invoice: Invoice, *, page: int, organization_id: int | None) -> UsageSection:
    """One page of usage details in the order of the organizations (the payer first) and their resources."""
    details = invoice.usage_details.all()
    fees = _fees_per_organization(invoice, details)
    shown = details.filter(meter__isnull=False)
    if organization_id is not None:
        shown = shown.filter(organization=organization_id)
    current = Paginator(_in_reading_order(shown, invoice), DETAILS_PER_PAGE).get_page(page)
    on_page = list(current.object_list)
    return UsageSection(
        fees=fees,
        page=current,
        groups=_group(on_page, details, {fee.organization.pk: fee.organization for fee in fees}),
        discounts=list(details.filter(meter__isnull=True).order_by("id")),
        prices=_prices_of(on_page),
    )


def _fees_per_organization(invoice: Invoice, details: QuerySet[UsageDetail]) -> list[OrganizationFees]:
    rows = details.order_by().values("organization_id")
    sums = rows.annotate(n=Count("*"), fees=Sum("amount_cents"), resources=Count("resource_id", distinct=True))
    found = {row["organization_id"]: row for row in sums}
    organizations = Organization.objects.in_bulk(found)
    names = sorted(found, key=lambda pk: (pk != invoice.organization_id, organizations[pk].name, pk))
    return [
        OrganizationFees(organizations[pk], found[pk]["resources"], found[pk]["n"], found[pk]["fees"]) for pk in names
    ]


def _in_reading_order(details: QuerySet[UsageDetail], invoice: Invoice) -> QuerySet[UsageDetail]:
    payer_first = Case(
        When(organization=invoice.organization_id, then=Value(0)), default=Value(1), output_field=IntegerField()
    )
    return details.select_related("meter", "resource").order_by(
        payer_first, "organization__name", "organization_id", "resource_name", "resource_id", "month", "id"
    )


def _group(
    on_page: list[UsageDetail], details: QuerySet[UsageDetail], organizations: Mapping[int, Organization]
) -> list[OrganizationDetails]:
    resource_ids = {detail.resource_id for detail in on_page}
    sums = details.filter(resource__in=resource_ids).order_by().values_list("resource_id")
    fees = dict(sums.annotate(fees=Sum("amount_cents")))
    groups = []
    for organization_id, of_organization in groupby(on_page, key=lambda detail: detail.organization_id):
        resources = [
            _resource(list(rows), fees) for _, rows in groupby(of_organization, key=lambda detail: detail.resource_id)
        ]
        groups.append(OrganizationDetails(organizations[organization_id], resources))
    return groups


def _resource(details: list[UsageDetail], fees: Mapping[int | None, int]) -> ResourceDetails:
    first = details[0]
    external_id = first.resource.external_id if first.resource else ""
    return ResourceDetails(first.resource_id or 0, external_id, first.resource_name, fees[first.resource_id], details)


def _prices_of(details: Iterable[UsageDetail]) -> Mapping[int, Price]:
    ids = {detail.price_id for detail in details if detail.price_id}
    return Price.objects.prefetch_related("tiers").in_bulk(ids)
