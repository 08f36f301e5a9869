"""Facts of one organization's month, as `assemble` reads them: an October in Paris without anything in it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from billing.domain.assembly import Assembled, Draft, assemble
from billing.domain.consumption import RateCard
from billing.domain.credits import Grant
from billing.domain.facts import (
    AddOn,
    Adjustment,
    Billed,
    Charge,
    Facts,
    LineKey,
    MonthUsage,
    PlanPrice,
    Reason,
    Terms,
    UsageSum,
)
from billing.domain.periods import Month
from billing.domain.pricing import Price, PriceBook, Tier
from billing.domain.quantities import MICRO
from billing.domain.taxation import Customer, TaxTreatment

PARIS = ZoneInfo("Europe/Paris")
OCTOBER = Month(2026, 10, PARIS)
SEPTEMBER = OCTOBER.previous
AUGUST = SEPTEMBER.previous
FRENCH_VAT = TaxTreatment("S", 2000)
PAYER, CHILD = 1, 2
RESOURCE, METER, PRICE = 10, 20, 30


def make_price(
    *,
    id_: int = PRICE,
    meter_id: int = METER,
    unit_price: str = "1.00",
    tiers: Sequence[tuple[int | None, str]] | None = None,
    mode: str = "graduated",
    package: int | None = None,
    organization_id: int | None = None,
    valid_from: datetime | None = None,
    valid_to: datetime | None = None,
) -> Price:
    """A price per unit; bounds and packages in whole units."""
    return Price(
        id=id_,
        meter_id=meter_id,
        zone="",
        currency="EUR",
        organization_id=organization_id,
        valid_from=valid_from,
        valid_to=valid_to,
        per_quantity_micro=MICRO,
        package_micro=None if package is None else package * MICRO,
        mode="volume" if mode == "volume" else "graduated",
        bounds_per_hour=False,
        tiers=tuple(
            Tier(None if up_to is None else up_to * MICRO, Decimal(price))
            for up_to, price in tiers or [(None, unit_price)]
        ),
    )


def units(quantity: int, *, organization_id: int = PAYER, meter_id: int = METER, segment: int = 0) -> UsageSum:
    """So many whole units of the meter."""
    return organization_id, RESOURCE * organization_id, meter_id, "par", segment, quantity * MICRO


def line_key(*, organization_id: int = PAYER, price_id: int = PRICE) -> LineKey:
    """The line that `units` belongs to."""
    return organization_id, RESOURCE * organization_id, METER, "par", price_id


def make_usage(
    *sums: UsageSum,
    month: Month = OCTOBER,
    billed: Mapping[LineKey, Billed] | None = None,
    cuts: Sequence[datetime] = (),
) -> MonthUsage:
    """A month's usage, with what was settled of it before."""
    return MonthUsage(month, [month.start, *cuts], sums, billed or {})


def make_grant(id_: int, cents: int, *, kind: str = "prepaid", expires_on: date | None = None) -> Grant:
    """A usable grant."""
    return Grant(id_, "free" if kind == "free" else "prepaid", cents, None, expires_on)


def make_add_on(
    *,
    id_: int = 5,
    name: str = "Premium support",
    started_on: date = date(2026, 10, 1),
    ended_on: date | None = None,
    billed_until: date | None = None,
    quantity: int = 1,
    monthly_cents: int = 49_00,
    first_month: date = date(2026, 1, 1),
    prices: Sequence[PlanPrice] | None = None,
) -> AddOn:
    """An add-on of 49.00 a month since October 1st."""
    if prices is None:
        prices = [PlanPrice(None, monthly_cents)]
    return AddOn(id_, PAYER, name, started_on, ended_on, quantity, billed_until, first_month, prices)


def make_charge(*, id_: int = 7, kind: str = "one_shot", cents: int = 800_00, day: int = 20) -> Charge:
    """A charge dated in October."""
    return Charge(id_, PAYER, kind, f"Charge {id_}", MICRO, cents * 10_000, date(2026, 10, day))


def added_line(id_: int, cents: int, *, name: str = "Setup", quantity: int = 1) -> Adjustment:
    """A line that staff added: so many pieces of `cents`."""
    return Adjustment(id_, "line", name=name, quantity_micro=quantity * MICRO, unit_price_micro=cents * 10_000)


def discount(
    id_: int, *, percent: int | None = None, cents: int = 0, on: str = "", of: int | None = None, ppm: int | None = None
) -> Adjustment:
    """A discount in whole percent (or millionths), or of an amount; on the whole, or `on` one that was `of` cents."""
    ppm = percent * 10_000 if percent is not None else ppm
    return Adjustment(id_, "discount", target=on, target_net_cents=of, amount_cents=cents, percent_ppm=ppm)


def other_refill(id_: int, cents: int, *, of: int | None = None) -> Adjustment:
    """A refill of `cents` where `of` was computed."""
    return Adjustment(id_, "refill", target="provision", target_net_cents=of, amount_cents=cents)


def skipped(id_: int, target: str, *, of: int | None = None) -> Adjustment:
    """A line of `of` cents that waits for the next invoice."""
    return Adjustment(id_, "skip", target=target, target_net_cents=of)


def make_facts(
    *,
    usage: MonthUsage | None = None,
    late_usage: Sequence[MonthUsage] = (),
    grants: Sequence[Grant] = (),
    pending_cents: int = 0,
    past_consumption_cents: Sequence[int] = (),
    recent_consumption_cents: Sequence[int] = (),
    is_first_invoice: bool = False,
    add_ons: Sequence[AddOn] = (),
    charges: Sequence[Charge] = (),
    adjustments: Sequence[Adjustment] = (),
    forecast_months: int = 1,
    negotiated_refill_cents: int | None = None,
    negotiated_refill_until: date | None = None,
    discount_ppm: int = 0,
    closed_on: date | None = None,
    tax: TaxTreatment = FRENCH_VAT,
    blocked: Reason | None = None,
    unbillable: Reason | None = None,
    organizations: Mapping[int, tuple[int, ...]] | None = None,
) -> Facts:
    """What is not given is empty, or usual: an estimate of one month, no discount, French VAT."""
    return Facts(
        payer_id=PAYER,
        month=OCTOBER,
        organizations=organizations or {PAYER: (), CHILD: ()},
        terms=Terms("EUR", forecast_months, negotiated_refill_cents, discount_ppm, closed_on, negotiated_refill_until),
        customer=Customer("FR"),
        tax=tax,
        usage=usage or make_usage(),
        late_usage=late_usage,
        grants=grants,
        pending_cents=pending_cents,
        past_consumption_cents=past_consumption_cents,
        recent_consumption_cents=recent_consumption_cents,
        is_first_invoice=is_first_invoice,
        add_ons=add_ons,
        charges=charges,
        adjustments=adjustments,
        blocked=blocked,
        unbillable=unbillable,
    )


def assemble_with(facts: Facts, *prices: Price) -> Assembled:
    """Assemble with these prices (1.00 per unit when there are none)."""
    book = PriceBook(prices or [make_price()])
    return assemble(facts, lambda usage: RateCard(book, usage.month, usage.segment_starts))


def draft_with(facts: Facts, *prices: Price) -> Draft:
    """As `assemble_with`, when a draft is what must come out."""
    assembled = assemble_with(facts, *prices)
    assert isinstance(assembled, Draft), assembled
    return assembled


def october(day: int) -> datetime:
    """Midnight in Paris of a day of October 2026 (before the clocks change)."""
    return datetime(2026, 10, day, tzinfo=PARIS).astimezone(UTC)
