"""Rows of the billing database; their constraints repeat the rules of the domain."""

from billing.models._add_ons import AddOn
from billing.models._adjustments import Adjustment
from billing.models._api_answers import ApiAnswer
from billing.models._api_keys import ApiKey
from billing.models._archive import ArchivedDocument
from billing.models._catalogue import AddOnPlan, AddOnPlanPrice, Meter, Price, PriceTier
from billing.models._charges import Charge
from billing.models._closes import CloseBatch, CloseOutcome, MonthClose
from billing.models._corrections import UsageCorrection
from billing.models._coupons import Coupon, CouponUse
from billing.models._credits import CreditEntry, CreditGrant
from billing.models._draft_checks import DraftCheck
from billing.models._events import Event
from billing.models._invoice_lines import InvoiceLine, TaxSubtotal
from billing.models._invoices import Invoice
from billing.models._jobs import BulkJob, BulkJobItem
from billing.models._legal_entities import LegalEntity, TaxRate
from billing.models._legal_texts import ExchangeRate, LegalText
from billing.models._logos import SellerLogo
from billing.models._mails import OutgoingMail
from billing.models._payments import Allocation, Payment, Refund
from billing.models._resources import Resource
from billing.models._reviews import Acknowledgement, Approval, ApprovalPolicy, ReviewThresholds
from billing.models._series import NumberSeries
from billing.models._statements import CreditStatement
from billing.models._usage import UsageMonth, UsageRecord
from billing.models._usage_details import UsageDetail
from billing.models._vendor_charges import VendorCharge
from billing.models._webhooks import WebhookDelivery, WebhookEndpoint

__all__ = [
    "Acknowledgement",
    "AddOn",
    "AddOnPlan",
    "AddOnPlanPrice",
    "Adjustment",
    "Allocation",
    "ApiAnswer",
    "ApiKey",
    "Approval",
    "ApprovalPolicy",
    "ArchivedDocument",
    "BulkJob",
    "BulkJobItem",
    "Charge",
    "CloseBatch",
    "CloseOutcome",
    "Coupon",
    "CouponUse",
    "CreditEntry",
    "CreditGrant",
    "CreditStatement",
    "DraftCheck",
    "Event",
    "ExchangeRate",
    "Invoice",
    "InvoiceLine",
    "LegalEntity",
    "LegalText",
    "Meter",
    "MonthClose",
    "NumberSeries",
    "OutgoingMail",
    "Payment",
    "Price",
    "PriceTier",
    "Refund",
    "Resource",
    "ReviewThresholds",
    "SellerLogo",
    "TaxRate",
    "TaxSubtotal",
    "UsageCorrection",
    "UsageDetail",
    "UsageMonth",
    "UsageRecord",
    "VendorCharge",
    "WebhookDelivery",
    "WebhookEndpoint",
]
