"""The columns of the dataset, in the order in which they are written, and how values are."""

import csv
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from typing import Literal

from msgspec import Struct, structs

from billing.domain.money import format_cents

type Category = Literal["Usage", "Purchase", "Tax", "Credit", "Adjustment"]
type Value = str | int | Decimal | datetime | None


def _column(field: str) -> str:
    words = field.removesuffix("_cents").removeprefix("x_").split("_")
    return ("x_" if field.startswith("x_") else "") + "".join(word.capitalize() for word in words)


class FocusRow(Struct, frozen=True, kw_only=True, rename=_column):
    """A charge. What is the same for all rows of a document comes without a default; integers are cents."""

    billed_cost_cents: int = 0
    billing_account_id: str
    billing_account_name: str | None
    billing_currency: str
    billing_period_end: datetime
    billing_period_start: datetime
    charge_category: Category = "Adjustment"
    charge_class: Literal["Correction"] | None = None
    charge_description: str = ""
    charge_frequency: Literal["One-Time", "Recurring", "Usage-Based"] = "One-Time"
    charge_period_end: datetime
    charge_period_start: datetime
    consumed_quantity: Decimal | None = None
    consumed_unit: str | None = None
    contracted_cost: Decimal = Decimal(0)
    contracted_unit_price: Decimal | None = None
    effective_cost_cents: int = 0
    invoice_id: str
    invoice_issuer_name: str
    list_cost: Decimal = Decimal(0)
    list_unit_price: Decimal | None = None
    pricing_category: Literal["Standard"] | None = None
    pricing_quantity: Decimal | None = None
    pricing_unit: str | None = None
    provider_name: str
    publisher_name: str
    region_id: str | None = None
    region_name: str | None = None
    resource_id: str | None = None
    resource_name: str | None = None
    service_category: str = "Other"
    service_name: str = ""
    service_subcategory: str = "Other (Other)"
    sku_id: str | None = None
    sku_meter: str | None = None
    sku_price_details: str | None = None
    sku_price_id: str | None = None
    sub_account_id: str | None = None
    sub_account_name: str | None = None
    x_charge_kind: str = ""
    x_corrected_invoice_id: str | None = None


def csv_header() -> str:
    """The first line of the file."""
    return _line(list(_COLUMNS))


def csv_line(row: FocusRow) -> str:
    """A row as a line of the file. A null is an empty field; texts are written as they are, as the format asks."""
    return _line([_text(value) for value in structs.astuple(row)])


_COLUMNS = tuple(field.encode_name for field in structs.fields(FocusRow))


def _line(values: list[str]) -> str:
    buffer = StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(values)
    return buffer.getvalue()


def _text(value: Value) -> str:
    match value:
        case None:
            return ""
        case int():
            return format_cents(value)
        case Decimal():
            digits = f"{value:f}"
            return digits.rstrip("0").rstrip(".") if "." in digits else digits
        case datetime():
            return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        case _:
            return value
