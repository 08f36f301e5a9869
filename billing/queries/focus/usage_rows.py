"""Usage details as rows: one per tier that prices a part of a line, so that unit price x quantity is the cost."""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate, pairwise

from msgspec import structs

from billing.domain.documents import Document, OrganizationUsage, ResourceUsage, UsageLine
from billing.domain.money import net_amount_cents, unbilled_decimal
from billing.domain.pricing import Price
from billing.domain.quantities import MICRO, format_micro
from billing.domain.rating import Slice, rate
from billing.formatting import SECONDS
from billing.queries.focus.columns import FocusRow
from billing.queries.months import local_day, month_of

_UNITS = {"second": "Seconds", "GB-hour": "GB-Hours", "User": "Users", "millionth": "Millionths"}
_SERVICES = {SECONDS: ("Compute", "Other (Compute)"), "GB-hour": ("Storage", "Other (Storage)")}
_HOUR_MICRO = 3600 * MICRO


def usage_rows(document: Document, base: FocusRow) -> Iterator[FocusRow]:
    """The rows of a document's usage details, in the printed order."""
    for organization in document.usage:
        for resource in organization.resources:
            for line in resource.lines:
                row = _row(document, base, organization, resource, line)
                yield from [row] if row.charge_class else _by_tier(row, line)


def _row(
    document: Document, base: FocusRow, organization: OrganizationUsage, resource: ResourceUsage, line: UsageLine
) -> FocusRow:
    """The whole line. What is late corrects its month: its quantity and amount are differences, without a price."""
    month = month_of(line.month)
    is_sub_organization = organization.external_id != document.buyer.organization
    service_category, service_subcategory = _SERVICES.get(line.unit, ("Other", "Other (Other)"))
    amount = Decimal(line.amount_cents).scaleb(-2)
    return structs.replace(
        base,
        billed_cost_cents=line.amount_cents,
        effective_cost_cents=line.amount_cents,
        contracted_cost=amount,
        list_cost=amount,
        charge_category="Usage",
        charge_class="Correction" if line.month != document.consumption_month else None,
        charge_description=f"{resource.name or resource.external_id}: {line.meter_name}",
        charge_frequency="Usage-Based",
        charge_period_start=month.start,
        charge_period_end=month.end,
        consumed_quantity=Decimal(format_micro(line.quantity_micro)),
        consumed_unit=_UNITS.get(line.unit, line.unit),
        pricing_category="Standard",
        region_id=line.zone or None,
        region_name=line.zone or None,
        resource_id=resource.external_id,
        resource_name=resource.name if resource.name != resource.external_id else None,
        service_category=service_category,
        service_name=line.meter_name,
        service_subcategory=service_subcategory,
        sku_id=line.meter_code,
        sku_meter=line.meter_name,
        sku_price_id=_sku_price_id(line),
        sub_account_id=organization.external_id if is_sub_organization else None,
        sub_account_name=organization.name if is_sub_organization else None,
        x_charge_kind="usage",
    )


def _by_tier(row: FocusRow, line: UsageLine) -> Iterator[FocusRow]:
    """The parts of a line. Each is billed by the difference of running totals, so they sum to the printed amount."""
    if line.price is None:
        yield row
        return
    price, quantity_micro = line.price, line.quantity_micro
    slices = rate(quantity_micro, price, month_of(line.month).seconds).slices or (_nothing(price),)
    running = [net_amount_cents(amount) for amount in accumulate((each.amount for each in slices), initial=Fraction(0))]
    billed = [after - before for before, after in pairwise(running)]
    billed[-1] = line.amount_cents - sum(billed[:-1])
    for each, cents in zip(slices, billed, strict=True):
        consumed_micro = each.quantity_micro
        if price.package_micro is not None:  # whole packages are priced, less may have been consumed
            start_micro = 0 if price.mode == "volume" else each.from_micro
            consumed_micro = max(0, min(quantity_micro - start_micro, each.quantity_micro))
        yield _part(row, price, each, cents, consumed_micro)


def _nothing(price: Price) -> Slice:
    return Slice(0, None, 0, price.tiers[0].unit_price, Fraction(0))


def _part(row: FocusRow, price: Price, each: Slice, cents: int, consumed_micro: int) -> FocusRow:
    pricing_quantity = unbilled_decimal(Fraction(each.quantity_micro, price.per_quantity_micro))
    cost = unbilled_decimal(Fraction(each.unit_price) * Fraction(pricing_quantity))
    return structs.replace(
        row,
        billed_cost_cents=cents,
        effective_cost_cents=cents,
        consumed_quantity=Decimal(format_micro(consumed_micro)),
        contracted_cost=cost,
        contracted_unit_price=each.unit_price,
        list_cost=cost,
        list_unit_price=each.unit_price,
        pricing_quantity=pricing_quantity,
        pricing_unit=_pricing_unit(price, row.consumed_unit or ""),
        sku_price_id=f"{row.sku_price_id}/{format_micro(each.from_micro)}",
    )


def _pricing_unit(price: Price, unit: str) -> str:
    """What the unit price is for: "Hours", "GB", "100 Users"."""
    if price.per_quantity_micro == MICRO:
        return unit
    if unit == "Seconds" and price.per_quantity_micro == _HOUR_MICRO:
        return "Hours"
    return f"{format_micro(price.per_quantity_micro)} {unit}"


def _sku_price_id(line: UsageLine) -> str:
    """The version of a price by what everybody can tell: meter, zone, currency, since when, for whom."""
    if line.price is None:
        return line.meter_code
    price = line.price
    since = f"{local_day(price.valid_from)}" if price.valid_from else "*"
    owner = f"/negotiated-{price.organization_id}" if price.organization_id else ""
    return f"{line.meter_code}/{price.zone or '*'}/{price.currency}/{since}{owner}"
