"""Issued invoices and credit notes of an organization in short."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from django.db.models import QuerySet
from msgspec import Struct

from billing.models import Allocation, Invoice, TaxSubtotal, UsageDetail
from billing.queries.among import among
from billing.queries.customer_api.money import Money, from_cents, money
from organizations.models import Organization

STATUSES = {
    "pending": "PENDING",
    "processing": "PROCESSING",
    "payment_held": "PAYMENTHELD",
    "paid": "PAID",
    "canceled": "CANCELED",
    "refunded": "REFUNDED",
    "wont_pay": "WONTPAY",
}
TYPES = {"invoice": "INVOICE", "credit_note": "CREDITNOTE"}


class Address(Struct, frozen=True):
    """Whom a document is made out to, as frozen on it; `vat_percent` is that of the document."""

    address_id: str
    name: str
    company: str
    address: str
    city: str
    zipcode: str
    country_alpha2: str | None
    vat_number: str | None
    vat_percent: Decimal
    customer_cost_center: str | None
    customer_purchase_order: str | None


class InvoiceSummary(Struct, frozen=True):
    """A document in short. Amounts are positive, also of credit notes; `pay_date` is the day it was fully paid.

    `discount` is what the discount on consumption took off, `price_factor` what prices were multiplied with: nothing
    does that here. `kpi_compute_months` is how many closed months the organization's estimate is the mean of. What
    this product does not know is null.
    """

    invoice_number: str
    type: str
    kind: str
    category: str | None
    address: Address
    emission_date: date
    pay_date: date | None
    status: str
    currency: str
    kpi_compute_months: int
    price_factor: int
    discount: Decimal
    vat_percent: Decimal
    total_tax_excluded: Money
    total_tax: Money
    payment_provider: str | None
    transaction_id: str | None
    customer_order_id: str | None
    invoice_day_plan: int | None


class Settled(NamedTuple):
    """The payment that settled a document last: its day, its method and its reference."""

    day: date
    method: str
    reference: str


def load_summaries(documents: QuerySet[Invoice], organization: Organization) -> list[InvoiceSummary]:
    """The documents in their order, in four queries."""
    rows = list(documents)
    rates, settled = load_rates(rows), load_settled(rows)
    discounts = load_discounts(rows)
    return [
        summarize(
            row,
            organization,
            rate_bp=rates.get(row.pk, 0),
            settled=settled.get(row.pk),
            discount_cents=discounts.get(row.pk, 0),
        )
        for row in rows
    ]


def summarize(
    row: Invoice, organization: Organization, *, rate_bp: int, settled: Settled | None, discount_cents: int
) -> InvoiceSummary:
    """One document, from what was loaded of it."""
    if row.number is None or row.issue_date is None:
        raise ValueError("A draft is nothing that customers see.")
    buyer, vat_percent = row.buyer or {}, from_cents(rate_bp)
    return InvoiceSummary(
        invoice_number=row.number,
        type=TYPES[row.kind],
        kind=TYPES[row.kind],
        category=None,
        address=_address(buyer, organization, vat_percent),
        emission_date=row.issue_date,
        pay_date=_pay_date(row, settled),
        status=STATUSES[row.payment_state],
        currency=row.currency,
        kpi_compute_months=organization.forecast_months,
        price_factor=1,
        discount=from_cents(discount_cents),
        vat_percent=vat_percent,
        total_tax_excluded=money(row.subtotal_cents, row.currency),
        total_tax=money(row.vat_cents, row.currency),
        payment_provider=settled.method if settled else None,
        transaction_id=settled.reference if settled else None,
        customer_order_id=buyer.get("purchase_order") or None,
        invoice_day_plan=None,
    )


def load_rates(rows: Sequence[Invoice]) -> dict[int, int]:
    """The VAT rate of documents in hundredths of a percent; of several on one document, that of the largest base."""
    taxes = TaxSubtotal.objects.filter(among("invoice", [row.pk for row in rows])).order_by("base_cents", "rate_bp")
    return dict(taxes.values_list("invoice_id", "rate_bp"))


def load_settled(rows: Sequence[Invoice]) -> dict[int, Settled]:
    """The last payments of documents."""
    found = Allocation.objects.filter(among("invoice", [row.pk for row in rows]), undone_at=None)
    columns = ("invoice_id", "payment__date", "payment__method", "payment__reference")
    return {
        invoice_id: Settled(day, method, reference)
        for invoice_id, day, method, reference in found.order_by("payment__date", "id").values_list(*columns)
    }


def load_discounts(rows: Sequence[Invoice]) -> dict[int, int]:
    """What the discount on consumption took off documents, in cents."""
    found = UsageDetail.objects.filter(among("invoice", [row.pk for row in rows]), meter=None).order_by()
    return {invoice_id: -cents for invoice_id, cents in found.values_list("invoice_id", "amount_cents")}


def _pay_date(row: Invoice, settled: Settled | None) -> date | None:
    """A total that credits covered is settled on the day of issue."""
    if row.payment_state != "paid":
        return None
    return settled.day if settled else row.issue_date


def _address(buyer: Mapping[str, str], organization: Organization, vat_percent: Decimal) -> Address:
    return Address(
        address_id=organization.external_id,
        name=buyer.get("name") or buyer.get("organization_name") or organization.name,
        company=buyer.get("company", ""),
        address=buyer.get("address", ""),
        city=buyer.get("city", ""),
        zipcode=buyer.get("postcode", ""),
        country_alpha2=buyer.get("country") or None,
        vat_number=buyer.get("vat_number") or None,
        vat_percent=vat_percent,
        customer_cost_center=buyer.get("cost_center") or None,
        customer_purchase_order=buyer.get("purchase_order") or None,
    )
