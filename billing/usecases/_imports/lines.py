"""The objects of the import format as they are written (interfaces §2), one type per kind.

Types, lengths and choices are checked while decoding; numbers in strings are read by whoever stores them.
"""

from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from billing.usecases._usage_checks import NewUsage

type Identifier = Annotated[str, Meta(min_length=1, max_length=100)]
type Name = Annotated[str, Meta(min_length=1, max_length=300)]
type Text20 = Annotated[str, Meta(max_length=20)]
type Text30 = Annotated[str, Meta(max_length=30)]
type Text100 = Annotated[str, Meta(max_length=100)]
type Text200 = Annotated[str, Meta(max_length=200)]
type Text300 = Annotated[str, Meta(max_length=300)]
type Text500 = Annotated[str, Meta(max_length=500)]
type Currency = Annotated[str, Meta(min_length=3, max_length=3)]
type Zone = Annotated[str, Meta(max_length=50)]


class _Object(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class _Line(_Object, frozen=True, tag_field="kind"):
    pass


class BillingObject(_Object, frozen=True):
    """The buyer of an organization's invoices."""

    is_company: bool = True
    company: Text300 = ""
    name: Text300 = ""
    address: Text500 = ""
    postcode: Text20 = ""
    city: Text200 = ""
    country: Annotated[str, Meta(max_length=2)] = ""
    vat_number: Text30 = ""
    siren: Annotated[str, Meta(max_length=14)] = ""
    email: Annotated[str, Meta(max_length=254)] = ""
    language: Literal["fr", "en"] = "fr"
    purchase_order: Text100 = ""
    cost_center: Text100 = ""
    # What is left out of these keeps what staff wrote: the platform need not know them.
    electronic_address: Annotated[str, Meta(max_length=125)] | None = None
    electronic_scheme: Annotated[str, Meta(max_length=4)] | None = None
    requires_e_invoice: bool | None = None


class OrganizationLine(_Line, frozen=True, tag="organization"):
    """A customer; without `billing` the stored profile is kept."""

    id: Identifier
    name: Name
    currency: Currency
    opened_on: date
    parent: str | None = None
    closed_on: date | None = None
    forecast_months: Annotated[int, Meta(ge=0, le=32_767)] = 1
    negotiated_refill: str | None = None
    negotiated_refill_until: date | UnsetType | None = UNSET  # left out: what staff agreed on stays
    consumption_discount_percent: str = "0"
    payment_term_days: Annotated[int, Meta(ge=0, le=32_767)] = 30
    billing: BillingObject | None = None


class SubOrganizationLine:
    """Stands for organization lines that name a parent where kinds are told apart by type."""


class ResourceLine(_Line, frozen=True, tag="resource"):
    """A thing that an organization runs."""

    id: Identifier
    organization: str
    name: Name


class UsageLine(NewUsage, frozen=True, tag_field="kind", tag="usage", gc=False):
    """A usage record."""


class AddOnPlanLine(_Line, frozen=True, tag="add_on_plan"):
    """A product with a fixed monthly price."""

    code: Identifier
    name: Annotated[str, Meta(min_length=1, max_length=200)]
    monthly_price: str
    currency: Currency


class AddOnLine(_Line, frozen=True, tag="add_on"):
    """A subscription to a plan."""

    id: Identifier
    organization: str
    plan: str
    name: Name
    started_on: date
    ended_on: date | None = None
    quantity: Annotated[int, Meta(ge=0, le=1_000_000)] = 1


class ChargeLine(_Line, frozen=True, tag="charge"):
    """A one-shot operation or custom service."""

    reference: Identifier
    organization: str
    type: Literal["one_shot", "custom_service"]
    description: Annotated[str, Meta(min_length=1, max_length=500)]
    quantity: str
    unit_price: str
    date: date


class CreditGrantLine(_Line, frozen=True, tag="credit_grant"):
    """A lot of credits."""

    reference: Identifier
    organization: str
    type: Literal["free", "prepaid"]
    amount: str
    starts_on: date | None = None
    expires_on: date | None = None
    priority: Annotated[int, Meta(ge=-2_147_483_648, le=2_147_483_647)] = 0
    reason: Text300 = ""


class MeterLine(_Line, frozen=True, tag="meter"):
    """What is measured."""

    code: Identifier
    name: Annotated[str, Meta(min_length=1, max_length=200)]
    unit: Annotated[str, Meta(min_length=1, max_length=30)]
    category: Annotated[str, Meta(min_length=1, max_length=50)]


class TierObject(_Object, frozen=True):
    """One slice of a price."""

    unit_price: str
    up_to: str | None = None


class PriceLine(_Line, frozen=True, tag="price"):
    """A version of a meter's price; `valid_from` null means from ever."""

    meter: str
    currency: Currency
    valid_from: date | None
    per_quantity: str
    mode: Literal["graduated", "volume"]
    tiers: Annotated[list[TierObject], Meta(min_length=1, max_length=1_000)]
    zone: Zone | None = None
    organization: str | None = None
    package_quantity: str | None = None
    bounds_per_hour: bool = False


class CouponLine(_Line, frozen=True, tag="coupon"):
    """A name that gives free credits."""

    name: Identifier
    amount: str
    currency: Currency
    valid_from: date | None = None
    valid_until: date | None = None
    credits_last_days: Annotated[int, Meta(ge=0, le=36_500)] | None = None
    maximum_uses: Annotated[int, Meta(ge=0, le=2_147_483_647)] | None = None


class PaymentLine(_Line, frozen=True, tag="payment"):
    """Money received."""

    reference: Identifier
    organization: str
    amount: str
    date: date
    method: Literal["card", "sepa_debit", "bank_transfer"]
    invoice: str | None = None


type Line = (
    OrganizationLine
    | ResourceLine
    | UsageLine
    | AddOnPlanLine
    | AddOnLine
    | ChargeLine
    | CreditGrantLine
    | MeterLine
    | PriceLine
    | CouponLine
    | PaymentLine
)
