"""What a row of another provider's dataset costs an organization, or why it is not taken. Nothing is guessed."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from hashlib import blake2b

import msgspec

from billing.domain.quantities import MAX_QUANTITY_MICRO
from billing.usecases._imports.focus_files import Values
from billing.usecases._references import Owner

PICO_PER_UNIT = 1_000_000_000_000
"""Costs are kept in trillionths of the currency unit: millionths of the meter's unit, which is a millionth itself."""

IDENTITY = (
    "AvailabilityZone",
    "BillingAccountId",
    "BillingCurrency",
    "CapacityReservationId",
    "CapacityReservationStatus",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "CommitmentDiscountId",
    "CommitmentDiscountStatus",
    "ConsumedUnit",
    "InvoiceIssuerName",
    "PricingCategory",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "RegionId",
    "ResourceId",
    "ServiceName",
    "SkuId",
    "SkuPriceId",
    "SubAccountId",
)
"""What tells a charge from others, beside its period: everything but figures, names, tags and the invoice, which a
provider may still change from one delivery of a month to the next."""

_NUMBER = re.compile(r"-?[0-9]{1,30}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,2})?", re.ASCII)
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ]|$)", re.ASCII)
_TAKEN = {"Usage", "Purchase", "Adjustment"}
_LENGTHS = {"ProviderName": 80, "ServiceName": 250, "ListUnitPrice": 100, "ListCost": 100}


class RefusedRow(ValueError):
    """A row is not taken; a code for programs and a sentence for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code


class VendorRow(msgspec.Struct, frozen=True, gc=False):
    """A row that is good: whose it is, what it costs in trillionths, and what identifies it within its source."""

    number: int
    organization: str
    vendor: str
    service: str
    charge_category: str
    start: datetime
    end: datetime
    currency: str
    list_cost_pico: int
    identity: str
    values: Values


def accounts_of(values: Values) -> list[str]:
    """The accounts that a row names: the billing account, then the sub account if there is one."""
    return [values[name] for name in ("BillingAccountId", "SubAccountId") if name in values]


def check_row(number: int, values: Values, accounts: Mapping[str, str], owners: Mapping[str, Owner]) -> VendorRow:
    """Read a row. `accounts` maps the provider's accounts to organizations of another name. Raises RefusedRow."""
    for name in ("BillingAccountId", "ChargeCategory", "BillingCurrency", "ProviderName", "ServiceName"):
        if name not in values:
            raise RefusedRow("missing_value", f"{name} is null.")
    for name, length in _LENGTHS.items():
        if len(values.get(name, "")) > length:
            raise RefusedRow("invalid_text", f"{name} is longer than {length} characters.")
    provider = values["ProviderName"]  # a meter is called by it: another one that looks the same has no margin
    if not provider.isprintable() or provider != provider.strip():
        raise RefusedRow("invalid_text", f"ProviderName: {provider!r:.60} has blanks around it, or invisible signs.")
    organization, owner = _owner(values, accounts, owners)
    if values["BillingCurrency"] != owner.currency:
        raise RefusedRow(
            "other_currency", f"The row is in {values['BillingCurrency']:.20}, {organization} pays in {owner.currency}."
        )
    _check_category(values)
    start, end = _time(values, "ChargePeriodStart"), _time(values, "ChargePeriodEnd")
    if start > end:
        raise RefusedRow("invalid_time", "ChargePeriodStart is after ChargePeriodEnd.")
    return VendorRow(
        number,
        organization,
        values["ProviderName"],
        values["ServiceName"],
        values["ChargeCategory"],
        start,
        end,
        owner.currency,
        _list_cost_pico(values),
        _identity(values, start, end),
        values,
    )


def _owner(values: Values, accounts: Mapping[str, str], owners: Mapping[str, Owner]) -> tuple[str, Owner]:
    """The organization of the billing account, or that of the sub account, which is billed on its invoice."""
    account, *sub_accounts = [accounts.get(name, name) for name in accounts_of(values)]
    payer = owners.get(account)
    if payer is None:
        raise RefusedRow("unknown_organization", f"BillingAccountId: there is no organization {account!r:.120}.")
    if not sub_accounts or sub_accounts[0] == account:
        return account, payer
    child = owners.get(sub_accounts[0])
    if child is None:
        raise RefusedRow("unknown_organization", f"SubAccountId: there is no organization {sub_accounts[0]!r:.120}.")
    if child.parent_id != payer.id:
        raise RefusedRow("other_organization", f"{sub_accounts[0]!r:.120} is no sub-organization of {account!r:.120}.")
    return sub_accounts[0], child


def _check_category(values: Values) -> None:
    category = values["ChargeCategory"]
    if category == "Credit":
        raise RefusedRow("credit", "A provider's credit is no consumption: grant the organization credits instead.")
    if category == "Tax":
        raise RefusedRow("tax", "A provider's tax is not passed on: VAT is that of our own invoice.")
    if "ChargeClass" in values:  # what it corrects was taken at its old cost, perhaps
        raise RefusedRow("correction", "It corrects a charge of an earlier period: settle the difference by hand.")
    if category not in _TAKEN:
        raise RefusedRow("unknown_category", f"{category!r:.60} is no ChargeCategory.")
    is_commitment = category == "Purchase" and "CommitmentDiscountId" in values
    if is_commitment or values.get("CommitmentDiscountStatus") == "Unused":
        raise RefusedRow(
            "commitment", "Who commits to a provider pays for it; what uses the commitment is taken at its list price."
        )


def _list_cost_pico(values: Values) -> int:
    """The list cost, exactly. Raises RefusedRow for one that usage cannot hold, or that contradicts what was billed."""
    list_cost, billed_cost = _number(values, "ListCost"), _number(values, "BilledCost")
    if list_cost < 0 or billed_cost < 0:
        raise RefusedRow(
            "negative_cost", "The row gives something back: usage is never negative, so credit it by hand."
        )
    if billed_cost > list_cost:
        raise RefusedRow(
            "billed_above_list",
            f"{billed_cost:f} was billed for a list cost of {list_cost:f}: which of them counts cannot be told.",
        )
    pico = Fraction(list_cost) * PICO_PER_UNIT
    if pico.denominator != 1:
        raise RefusedRow("too_precise", "ListCost has more than twelve decimals, which cannot be billed exactly.")
    if pico > MAX_QUANTITY_MICRO:
        raise RefusedRow("too_large", "ListCost is above 1000000.00, the most that one row may cost.")
    return pico.numerator


def _number(values: Values, name: str) -> Decimal:
    text = values.get(name)
    if text is None:
        raise RefusedRow("missing_value", f"{name} is null.")
    if not _NUMBER.fullmatch(text):
        raise RefusedRow("invalid_number", f"{name}: {text!r:.60} is not a number such as 0.0000123.")
    return Decimal(text)


def _time(values: Values, name: str) -> datetime:
    """An instant; one without an offset is UTC, as all times of the format are."""
    text = values.get(name)
    if text is None:
        raise RefusedRow("missing_value", f"{name} is null.")
    try:
        if not _TIME.match(text):  # Python reads weeks too
            raise ValueError(text)
        instant = datetime.fromisoformat(text)
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise RefusedRow("invalid_time", f"{name}: {text!r:.60} is no time such as 2026-10-01T00:00:00Z.") from error


def _identity(values: Values, start: datetime, end: datetime) -> str:
    content = msgspec.msgpack.encode([values.get(name) for name in IDENTITY] + [start, end])
    return blake2b(content, digest_size=16).hexdigest()
