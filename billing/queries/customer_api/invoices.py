"""One issued invoice or credit note as a whole, in the shape of the customers' API.

What adds up: uptimes, countables and vendor consumption less `discount` are the fees; `upfront_credit_amount` (the
provision) and `classic` (quantity times unit price, discounts included) are `total_tax_excluded`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import override

from billing.domain.documents import Document, OrganizationUsage, ResourceUsage, UsageLine
from billing.models import Invoice, InvoiceLine, Meter
from billing.queries.customer_api.free_credits import load_free_credits
from billing.queries.customer_api.money import Money, from_micro, money
from billing.queries.customer_api.prices import plan_id, policy_id
from billing.queries.customer_api.shapes import (
    Classic,
    Countable,
    CountableDetail,
    FullInvoice,
    Uptime,
    UptimeDetail,
    VendorConsumption,
)
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
    before, after = load_free_credits(row, organization)
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
    version = policy_id(line.price.id) if line.price else ""
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
