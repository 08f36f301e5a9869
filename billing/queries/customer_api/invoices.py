"""One issued invoice or credit note as a whole, in the shape of the customers' API.

What adds up: uptimes, countables and vendor consumption less `discount` are the fees; `upfront_credit_amount` (the
provision) and `classic` (quantity times unit price, discounts included) are `total_tax_excluded`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Min, Q, Sum
from django.utils.translation import override
from msgspec import Struct

from billing.domain.documents import Document, OrganizationUsage, ResourceUsage, UsageLine
from billing.domain.periods import Month
from billing.models import CreditEntry, CreditGrant, Invoice, InvoiceLine, Meter
from billing.queries.among import among
from billing.queries.credit_history import tree_ids
from billing.queries.customer_api.money import Money, from_micro, money
from billing.queries.customer_api.prices import plan_id, policy_id
from billing.queries.customer_api.summaries import (
    InvoiceSummary,
    load_discounts,
    load_rates,
    load_settled,
    summarize,
)
from billing.queries.documents import load_document
from billing.queries.months import month_of
from billing.queries.wording import line_description
from organizations.models import Organization


class UptimeDetail(Struct, frozen=True):
    """What ran at one price version in a zone; the days are the first and the last of the month."""

    instance_id: str | None
    flavor_name: str
    zone_id: str | None
    runtime_policy_id: str | None
    price: Money
    consumption_start: date
    consumption_end: date


class Uptime(Struct, frozen=True):
    """What a resource cost by running."""

    item_id: str
    price: Money
    app_id: str
    owner_id: str
    category: str
    sub_category: str
    details: list[UptimeDetail]


class CountableDetail(Struct, frozen=True):
    """A quantity at one price version; `plan_id` is the tier where there is one only."""

    consumption_start: date
    consumption_end: date
    plan_id: str | None
    quantity: Decimal
    price: Money


class Countable(Struct, frozen=True):
    """What a resource cost by a quantity."""

    item_id: str
    price: Money
    app_id: str
    owner_id: str
    service: str
    unit_name: str
    zone_id: str | None
    policy_id: str | None
    quantity: Decimal
    plan_id: str | None
    duration: str | None
    details_price: Money
    details: list[CountableDetail]
    category: str
    sub_category: str


class VendorConsumption(Struct, frozen=True):
    """What was consumed at another provider."""

    item_id: str
    price: Money
    vendor_id: str
    owner_id: str
    app_id: str


class Classic(Struct, frozen=True):
    """A line that is no usage: regularization, add-on, one-shot operation, service, adjustment, discount."""

    item_id: str
    unit_price: Money
    quantity: Decimal
    price_factor: int | None
    discount: Decimal | None
    description: str
    sub_description: str | None
    classic_billing_item_id: str | None
    owner_id: str
    category: str
    sub_category: str


class Remains(Struct, frozen=True):
    """What is left of free credits."""

    name: str
    remaining: Money


class FullInvoice(InvoiceSummary, frozen=True):
    """A document with all that it is made of."""

    origin: str
    consumption_begin_date: date
    consumption_end_date: date
    uptimes: list[Uptime]
    countables: list[Countable]
    vendor_consumption: list[VendorConsumption]
    classic: list[Classic]
    unusable: list[None]
    credit_balance_at_emission: Money
    free_credits_available_this_period: list[Remains]
    free_credits_available_next_period: list[Remains]
    total_pending_upfront_before_emission: Money
    upfront_credit_amount: Money
    payment_method_id: str | None
    provider_transaction_id: str | None
    provider_last_response: str | None
    vat_declaration_id: str | None
    wannabe_invoice_id: str | None


@dataclass(frozen=True)
class _Used:
    """A usage line, and whose it is."""

    owner: OrganizationUsage
    resource: ResourceUsage
    line: UsageLine
    category: str


def load_invoice(row: Invoice, organization: Organization) -> FullInvoice:
    """Load an issued document, in a number of queries that depends on nothing; texts are in English."""
    document = load_document(row.pk)
    settled = load_settled([row]).get(row.pk)
    summary = summarize(
        row,
        organization,
        rate_bp=load_rates([row]).get(row.pk, 0),
        settled=settled,
        discount_cents=load_discounts([row]).get(row.pk, 0),
    )
    month, statement = month_of(row.consumption_month), document.statement
    used = _used(document)
    before, after = _free_credits(row, organization)
    is_invoice = row.kind == Invoice.Kind.INVOICE
    return FullInvoice(
        **{name: getattr(summary, name) for name in InvoiceSummary.__struct_fields__},
        origin="automatic" if is_invoice else "manual",
        consumption_begin_date=month.first_day,
        consumption_end_date=month.last_day,
        uptimes=[_uptime(rows, row.currency) for rows in _by_resource(used, "runtime")],
        countables=[_countable(each, row.currency) for each in used if each.category not in ("runtime", "vendor")],
        vendor_consumption=[_vendor(each, row.currency) for each in used if each.category == "vendor"],
        classic=_classic(row, organization),
        unusable=[],
        credit_balance_at_emission=money(statement.opening_cents if statement else 0, row.currency),
        free_credits_available_this_period=before,
        free_credits_available_next_period=after,
        total_pending_upfront_before_emission=money(statement.pending_cents if statement else 0, row.currency),
        upfront_credit_amount=money(statement.refill_cents if statement else 0, row.currency),
        payment_method_id=None,
        provider_transaction_id=settled.reference if settled else None,
        provider_last_response=None,
        vat_declaration_id=None,
        wannabe_invoice_id=None,
    )


# --- Usage ------------------------------------------------------------------------------------------------------------


def _used(document: Document) -> list[_Used]:
    lines = [
        (owner, resource, line) for owner in document.usage for resource in owner.resources for line in resource.lines
    ]
    categories = dict(Meter.objects.values_list("code", "category")) if lines else {}
    return [_Used(owner, resource, line, categories.get(line.meter_code, "")) for owner, resource, line in lines]


def _by_resource(used: Sequence[_Used], category: str) -> Iterator[list[_Used]]:
    groups: dict[tuple[str, str], list[_Used]] = {}
    for each in used:
        if each.category == category:
            groups.setdefault((each.owner.external_id, each.resource.external_id), []).append(each)
    yield from groups.values()


def _uptime(rows: Sequence[_Used], currency: str) -> Uptime:
    owner, resource = rows[0].owner, rows[0].resource
    return Uptime(
        item_id=resource.external_id,
        price=money(sum(each.line.amount_cents for each in rows), currency),
        app_id=resource.external_id,
        owner_id=owner.external_id,
        category="runtime",
        sub_category=resource.name,
        details=[
            UptimeDetail(
                instance_id=None,
                flavor_name=each.line.meter_code,
                zone_id=each.line.zone or None,
                runtime_policy_id=policy_id(each.line.price.id) if each.line.price else None,
                price=money(each.line.amount_cents, currency),
                consumption_start=each.line.month,
                consumption_end=month_of(each.line.month).last_day,
            )
            for each in rows
        ],
    )


def _countable(used: _Used, currency: str) -> Countable:
    line, price = used.line, used.line.price
    amount, quantity = money(line.amount_cents, currency), from_micro(line.quantity_micro)
    tier = plan_id(price.id, 0) if price and len(price.tiers) == 1 else None
    detail = CountableDetail(line.month, month_of(line.month).last_day, tier, quantity, amount)
    return Countable(
        item_id=_item(used),
        price=amount,
        app_id=used.resource.external_id,
        owner_id=used.owner.external_id,
        service=line.meter_code,
        unit_name=line.unit,
        zone_id=line.zone or None,
        policy_id=policy_id(price.id) if price else None,
        quantity=quantity,
        plan_id=tier,
        duration=None,
        details_price=amount,
        details=[detail],
        category=used.category,
        sub_category=used.resource.name,
    )


def _vendor(used: _Used, currency: str) -> VendorConsumption:
    return VendorConsumption(
        item_id=_item(used),
        price=money(used.line.amount_cents, currency),
        vendor_id=used.line.meter_name,
        owner_id=used.owner.external_id,
        app_id=used.resource.external_id,
    )


def _item(used: _Used) -> str:
    """What tells a line from the others of the document."""
    line = used.line
    version = line.price.id if line.price else 0
    return f"{used.resource.external_id}:{line.meter_code}:{line.zone}:{line.month:%Y-%m}:{version}"


# --- Other lines ------------------------------------------------------------------------------------------------------


def _classic(row: Invoice, organization: Organization) -> list[Classic]:
    """Every line but an invoice's provision, which is the upfront amount."""
    lines = InvoiceLine.objects.filter(invoice=row).select_related("organization").order_by("position", "id")
    if row.kind == Invoice.Kind.INVOICE:
        lines = lines.exclude(kind="provision")
    with override("en"):
        return [_classic_line(line, row, organization) for line in lines]


def _classic_line(line: InvoiceLine, row: Invoice, organization: Organization) -> Classic:
    owner = line.organization or organization
    is_exact = line.quantity_micro * line.unit_price_micro == line.net_cents * 10**10
    return Classic(
        item_id=f"{row.number}:{line.position}",
        unit_price=Money(from_micro(line.unit_price_micro), row.currency)
        if is_exact
        else money(line.net_cents, row.currency),
        quantity=from_micro(line.quantity_micro) if is_exact else Decimal(1),
        price_factor=None,
        discount=None,
        description=line_description(line),
        sub_description=owner.name if owner.pk != organization.pk else None,
        classic_billing_item_id=None,
        owner_id=owner.external_id,
        category=line.kind,
        sub_category="",
    )


# --- Free credits -----------------------------------------------------------------------------------------------------


def _free_credits(row: Invoice, organization: Organization) -> tuple[list[Remains], list[Remains]]:
    """What was left of each lot before the document used it, and what of that can be used in the month after."""
    if row.kind != Invoice.Kind.INVOICE or row.issued_at is None:
        return [], []
    entries = CreditEntry.objects.filter(
        among("grant__organization", tree_ids(organization)), grant__type=CreditGrant.Type.FREE
    )
    first = entries.filter(invoice=row).aggregate(first=Min("id"))["first"]
    until = Q(id__lt=first) if first else Q(booked_at__lt=row.issued_at)
    columns = ("grant", "grant__coupon_use__coupon__name", "grant__reason", "grant__starts_on", "grant__expires_on")
    before = {
        id_: (coupon or reason, starts_on, expires_on, cents)
        for id_, coupon, reason, starts_on, expires_on, cents in entries.filter(until)
        .order_by("grant")
        .values_list(*columns)
        .annotate(cents=Sum("amount_cents"))
    }
    moved = entries.filter(invoice=row, kind__in=(CreditEntry.Kind.USE, CreditEntry.Kind.EXPIRY)).order_by("grant")
    used = dict(moved.values_list("grant").annotate(cents=Sum("amount_cents")))
    this, following = month_of(row.consumption_month), month_of(row.consumption_month).next
    return (
        [
            Remains(name, money(cents, row.currency))
            for name, starts_on, expires_on, cents in before.values()
            if cents > 0 and _is_usable(this, starts_on, expires_on)
        ],
        [
            Remains(name, money(cents + used.get(id_, 0), row.currency))
            for id_, (name, starts_on, expires_on, cents) in before.items()
            if cents + used.get(id_, 0) > 0 and _is_usable(following, starts_on, expires_on)
        ],
    )


def _is_usable(month: Month, starts_on: date | None, expires_on: date | None) -> bool:
    return (starts_on is None or starts_on <= month.last_day) and (expires_on is None or expires_on >= month.first_day)
