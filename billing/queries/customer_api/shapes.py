"""The parts of an invoice in the customers' API. What this product does not know is null, or empty."""

from datetime import date
from decimal import Decimal

from msgspec import Struct

from billing.queries.customer_api.money import Money
from billing.queries.customer_api.summaries import InvoiceSummary


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
