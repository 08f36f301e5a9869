"""The customers of the demo as plain values, before they become NDJSON objects."""

from dataclasses import dataclass, replace
from datetime import date

from billing.demo.curves import STEADY, Curve
from billing.domain.quantities import MICRO

type Json = dict[str, object]

HOURS_PER_DAY = 24
GIGABYTE_GRAIN_MICRO = 1_000
"""Gigabytes are reported to the megabyte."""


@dataclass(frozen=True, slots=True)
class Consumption:
    """A meter that a resource uses: along a curve, or as a count of each month (users)."""

    meter: str
    curve: Curve | None = None
    counts: tuple[int, ...] = ()
    zone: str = "par"
    since: date | None = None
    source: str = "metering"


@dataclass(frozen=True, slots=True)
class Resource:
    """An application, database or bucket; its name is unique within the account."""

    prefix: str
    name: str
    uses: tuple[Consumption, ...]


@dataclass(frozen=True, slots=True)
class UsedCoupon:
    """The coupon that an account uses, on a day of a month."""

    name: str
    month: int
    day: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """How the invoice of a month is paid: the share (in thousandths), how many days after issue, and how."""

    permille: int = 1000
    days: int = 12
    method: str = "bank_transfer"


ON_TIME = (Settlement(), Settlement(), Settlement())


@dataclass(frozen=True, slots=True)
class Account:
    """An organization with all that it runs, buys and pays.

    `known_from`: index of the month in which it is first heard of. `changes`: what becomes known about it in a month,
    as (month index, NDJSON object). `settlements`: None for an invoice that nobody pays. `late_days`: days of the last
    issued month whose usage arrives after the invoice. `report_days`: how many days a usage record covers.
    """

    id: str
    seed: int
    name: str
    opened_on: date
    billing: Json | None
    terms: Json
    resources: tuple[Resource, ...] = ()
    parent_id: str | None = None
    closed_on: date | None = None
    known_from: int = 0
    changes: tuple[tuple[int, Json], ...] = ()
    coupon: UsedCoupon | None = None
    settlements: tuple[Settlement | None, ...] = ON_TIME
    late_days: range = range(0)
    report_days: int = 1

    def with_changes(self, *changes: tuple[int, Json]) -> "Account":
        """The same account with more to be known about it."""
        return replace(self, changes=self.changes + changes)


def run(prefix: str, name: str, *uses: Consumption) -> Resource:
    """A resource, and what it uses."""
    return Resource(prefix, name, uses)


def instances(
    meter: str, count: int, *, bends: Curve | None = None, zone: str = "par", since: date | None = None
) -> Consumption:
    """So many instances, measured in seconds."""
    return Consumption(meter, _paced(bends, count * 3600 * MICRO), zone=zone, since=since, source="scaler")


def stored(meter: str, gigabytes: int, *, by_month: tuple[int, ...] = STEADY, zone: str = "par") -> Consumption:
    """So many gigabytes kept, weekends or not, measured in GB-hours."""
    curve = Curve(gigabytes * MICRO, by_month=by_month, grain_micro=GIGABYTE_GRAIN_MICRO)
    return Consumption(meter, curve, zone=zone)


def per_day(
    meter: str, quantity: int, *, bends: Curve | None = None, zone: str = "par", since: date | None = None
) -> Consumption:
    """So much a day: gigabytes sent, requests, messages."""
    grain = GIGABYTE_GRAIN_MICRO if meter.startswith("traffic") else MICRO
    return Consumption(meter, _paced(bends, quantity * MICRO // HOURS_PER_DAY, grain), zone=zone, since=since)


def seats(meter: str, *counts: int) -> Consumption:
    """Users, counted once a month."""
    return Consumption(meter, counts=counts)


def _paced(bends: Curve | None, per_hour_micro: int, grain_micro: int = MICRO) -> Curve:
    return replace(bends or EVEN, per_hour_micro=per_hour_micro, grain_micro=grain_micro)


EVEN = Curve(0)
"""No bends: the same every hour."""

OFFICE = Curve(0, weekend=350, spread=120)
"""Used by people at work: quiet weekends."""

PUBLIC = Curve(0, weekend=1150, spread=180)
"""Used by people at home: busier weekends."""
