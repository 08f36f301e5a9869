"""What the close knows about one paying organization and its sub-organizations: the values that `assemble` reads.

Loaded for a thousand organizations at a time, so these are plain records, and usage sums stay tuples as SQL gave them.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from msgspec import Struct

from billing.domain.credits import Grant
from billing.domain.periods import Month
from billing.domain.taxation import Customer, TaxTreatment

type UsageSum = tuple[int, int, int, str, int, int]
"""Organization, resource, meter, zone, segment of the month, quantity in millionths."""

type LineKey = tuple[int, int, int, str, int]
"""Organization, resource, meter, zone, price version: with the month, what a printed usage line is."""


class Billed(Struct, frozen=True, gc=False):
    """What was settled for a usage line so far: quantity in millionths, amount in cents."""

    quantity_micro: int
    amount_cents: int


class MonthUsage(Struct, frozen=True):
    """Usage of one month, summed per resource, meter, zone and segment.

    The segments lie between the instants at which some price changes: `segment_starts[i]` begins segment i and tells
    its prices. `billed` is empty for the month being closed; for a late month it holds what was settled before.
    `owners` says whose negotiated prices served each organization then, None: the same as in the month being closed.
    """

    month: Month
    segment_starts: Sequence[datetime]
    sums: Sequence[UsageSum]
    billed: Mapping[LineKey, Billed]
    owners: Mapping[int, tuple[int, ...]] | None = None


class PlanPrice(Struct, frozen=True, gc=False):
    """The monthly price of an add-on plan from a day on; None: from ever."""

    valid_from: date | None
    monthly_price_cents: int


class AddOn(Struct, frozen=True):
    """A subscription over [started_on, ended_on), billed until (not including) `billed_until`.

    `ended_on` is also where the account of its organization closes. `first_month` is the first day of the first month
    that was (or is now being) closed here for its organization. Prices: oldest first.
    """

    id: int
    organization_id: int
    name: str
    started_on: date
    ended_on: date | None
    quantity: int
    billed_until: date | None
    first_month: date
    prices: Sequence[PlanPrice]


class Charge(Struct, frozen=True, gc=False):
    """A one-shot operation or custom service that no issued invoice has taken yet."""

    id: int
    organization_id: int
    kind: str
    description: str
    quantity_micro: int
    unit_price_micro: int
    date: date


class Adjustment(Struct, frozen=True, gc=False):
    """One change by hand of a payer's month that is in force; see `billing.domain.adjustments` for what each kind does.

    `target` is the key of the line that it is about, `target_net_cents` what that line was when somebody decided; None:
    any amount is fine. Which of the other values count depends on `kind`.
    """

    id: int
    kind: str
    target: str = ""
    target_net_cents: int | None = None
    name: str = ""
    quantity_micro: int = 0
    unit_price_micro: int = 0
    amount_cents: int = 0
    percent_ppm: int | None = None
    day: date | None = None
    text: str = ""


class Terms(Struct, frozen=True, gc=False):
    """What was agreed with the payer. `closed_on`: the day on which its account closes, if that is known.

    `negotiated_refill_until` is the last day of that agreement; None: without end.
    """

    currency: str
    forecast_months: int
    negotiated_refill_cents: int | None
    discount_ppm: int
    closed_on: date | None
    negotiated_refill_until: date | None = None


class Reason(Struct, frozen=True):
    """Why there is no invoice: a stable code, and the values that its sentence names."""

    code: str
    values: dict[str, str | int] = {}


class Facts(Struct, frozen=True):
    """All that decides the invoice of one payer for one consumption month.

    `organizations` maps the payer and its sub-organizations, the payer first, to those whose negotiated prices they
    enjoy (themselves, then the parent; nobody when none of them negotiated).
    `past_consumption_cents` are the own consumptions of the closed months before that the estimate may look at,
    `recent_consumption_cents` those of the last three months, which the review compares with; newest first.
    `adjustments` come in the order in which they were made.
    `blocked` is set when the month cannot be closed yet, whatever the usage; `unbillable` when there can be no invoice,
    which matters only if there is something to bill.
    """

    payer_id: int
    month: Month
    organizations: Mapping[int, tuple[int, ...]]
    terms: Terms
    customer: Customer
    tax: TaxTreatment
    usage: MonthUsage
    late_usage: Sequence[MonthUsage] = ()
    grants: Sequence[Grant] = ()
    pending_cents: int = 0
    past_consumption_cents: Sequence[int] = ()
    recent_consumption_cents: Sequence[int] = ()
    is_first_invoice: bool = False
    add_ons: Sequence[AddOn] = ()
    charges: Sequence[Charge] = ()
    adjustments: Sequence[Adjustment] = ()
    blocked: Reason | None = None
    unbillable: Reason | None = None

    @property
    def is_last_month(self) -> bool:
        """The account closes within the month: no estimate, no refill, free credits are lost."""
        return self.terms.closed_on is not None and self.terms.closed_on <= self.month.last_day

    @property
    def is_refill_expired(self) -> bool:
        """The negotiated refill ended before the provision month began: the refill is computed again."""
        until = self.terms.negotiated_refill_until
        if until is None or self.terms.negotiated_refill_cents is None:
            return False
        return until < self.month.next.first_day

    @property
    def negotiated_refill_cents(self) -> int | None:
        """The negotiated refill of this invoice; None: it is computed."""
        return None if self.is_refill_expired else self.terms.negotiated_refill_cents
