"""What requests and answers are made of, by the names that the description gives them."""

from collections.abc import Mapping

from msgspec import Struct

from billing.queries.credit_accounts import CreditBalance, ExportedEntry
from billing.queries.exported_closes import ExportedClose, ExportedOutcome, ExportedReport, ExportedTotals
from billing.queries.exported_forecasts import ExportedForecast, ForecastInvoice, ForecastLine
from billing.queries.exports import ExportedDocument, ExportedLine, ExportedTax, ExportedUsage
from billing.usecases._imports.lines import (
    AddOnLine,
    AddOnPlanLine,
    BillingObject,
    ChargeLine,
    CouponLine,
    CreditGrantLine,
    OrganizationLine,
    ResourceLine,
    UsageLine,
)
from billing.usecases.report_usage import Rejection


class UsageReport(Struct):
    """What became of a batch of usage records."""

    accepted: int
    unchanged: int
    rejected: list[Rejection]


class Problem(Struct):
    """An error as problem details (RFC 9457)."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    scope: str = ""


TYPES: Mapping[str, type[Struct]] = {
    "Organization": OrganizationLine,
    "Billing": BillingObject,
    "Resource": ResourceLine,
    "AddOnPlan": AddOnPlanLine,
    "AddOn": AddOnLine,
    "Charge": ChargeLine,
    "CreditGrant": CreditGrantLine,
    "Coupon": CouponLine,
    "UsageRecord": UsageLine,
    "UsageReport": UsageReport,
    "Rejection": Rejection,
    "Invoice": ExportedDocument,
    "InvoiceLine": ExportedLine,
    "InvoiceUsage": ExportedUsage,
    "InvoiceTax": ExportedTax,
    "CreditBalance": CreditBalance,
    "CreditEntry": ExportedEntry,
    "MonthClose": ExportedClose,
    "MonthCloseReport": ExportedReport,
    "MonthCloseTotals": ExportedTotals,
    "Outcome": ExportedOutcome,
    "Forecast": ExportedForecast,
    "ForecastInvoice": ForecastInvoice,
    "ForecastLine": ForecastLine,
    "Problem": Problem,
}
