"""Meters and prices: which price is in force for whom, where and when, and what a quantity costs."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

from tests.integration.oracle.basics import Json, Month, exact, midnight

GIGABYTE = 1_000_000_000


@dataclass(frozen=True)
class Meter:
    code: str
    unit: str


@dataclass(frozen=True)
class Tier:
    up_to: Fraction | None
    unit_price: Fraction


@dataclass(frozen=True)
class Price:
    """One version of the price of a meter, in a zone (or any), in a currency, for everybody or for one organization."""

    meter: str  # lower case
    zone: str | None  # lower case; None serves any zone
    currency: str
    organization: str | None
    valid_from: date | None  # None is "from ever"
    per_quantity: Fraction
    package_quantity: Fraction | None
    mode: str
    tiers: tuple[Tier, ...]
    bounds_per_hour: bool = False

    def __hash__(self) -> int:
        return hash((self.series, self.valid_from))  # enough, and far quicker than all tiers

    @property
    def series(self) -> tuple[str, str | None, str, str | None]:
        return (self.meter, self.zone, self.currency, self.organization)

    def in_force_at(self, moment: datetime) -> bool:
        """Whether this version has begun; a later one of its series may have replaced it."""
        return self.valid_from is None or midnight(self.valid_from) <= moment

    def cost(self, quantity: Fraction, month: Month) -> Fraction:
        """What the quantity of one printed line costs, not rounded. Packages first, then tiers."""
        if self.package_quantity is not None:
            packages = -(-quantity // self.package_quantity)
            quantity = packages * self.package_quantity
        scale = month.hours if self.bounds_per_hour else Fraction(1)
        if self.mode == "volume":
            return quantity * self._reached(quantity, scale).unit_price / self.per_quantity
        total = Fraction(0)
        lower = Fraction(0)
        for tier in self.tiers:
            upper = quantity if tier.up_to is None else min(quantity, tier.up_to * scale)
            if upper > lower:
                total += (upper - lower) * tier.unit_price / self.per_quantity
                lower = upper
        return total

    def _reached(self, quantity: Fraction, scale: Fraction) -> Tier:
        for tier in self.tiers:
            if tier.up_to is None or quantity <= tier.up_to * scale:
                return tier
        raise AssertionError("the last tier has no end")


def price_of(line: Json) -> Price:
    """The price that one NDJSON object describes."""
    tiers = tuple(
        Tier(None if tier["up_to"] is None else exact(tier["up_to"]), exact(tier["unit_price"]))
        for tier in line["tiers"]
    )
    zone, package = line.get("zone"), line.get("package_quantity")
    return Price(
        meter=line["meter"].lower(),
        zone=zone.lower() if zone else None,
        currency=line["currency"],
        organization=line.get("organization"),
        valid_from=date.fromisoformat(line["valid_from"]),
        per_quantity=exact(line["per_quantity"]),
        package_quantity=exact(package) if package is not None else None,
        mode=line["mode"],
        tiers=tiers,
        bounds_per_hour=line.get("bounds_per_hour", False),
    )


def price_system(text: str) -> list[tuple[Meter, Price]]:
    """What a price system file says, every price "from ever"."""
    system = json.loads(text, parse_float=Decimal)
    zone, currency = system["zone_id"].lower(), system["currency"]
    found = [_runtime(entry, zone, currency) for entry in system["runtime"]]
    return found + [_countable(entry, zone, currency) for entry in system["countable"]]


def _runtime(entry: Json, zone: str, currency: str) -> tuple[Meter, Price]:
    assert entry["time_unit"] == "PT1H", entry
    meter = Meter(entry["slug_id"], "second")
    tiers = (Tier(None, exact(entry["price"])),)
    return meter, Price(
        meter=meter.code.lower(),
        zone=zone,
        currency=currency,
        organization=None,
        valid_from=None,
        per_quantity=Fraction(3600),
        package_quantity=None,
        mode="graduated",
        tiers=tiers,
    )


def _countable(entry: Json, zone: str, currency: str) -> tuple[Meter, Price]:
    interval = entry["time_interval_for_price"]
    users = entry["data_unit"] == "User"
    hourly = not users and interval is not None
    divisor = 1 if users else GIGABYTE
    meter = Meter(entry["service"], "User" if users else "GB-hour" if hourly else "GB")
    per = Fraction(entry["data_quantity_for_price"]["quantity"], divisor)
    tiers = tuple(
        Tier(
            # "101 users" is where the next tier starts: up to 100.
            None if plan["max_quantity"] is None else Fraction(plan["max_quantity"] - (1 if users else 0), divisor),
            exact(plan["price"]),
        )
        for plan in entry["price_plans"]
    )
    return meter, Price(
        meter=meter.code.lower(),
        zone=zone,
        currency=currency,
        organization=None,
        valid_from=None,
        per_quantity=per,
        package_quantity=per if entry["data_quantity_for_price"]["secability"] == "insecable" else None,
        mode="graduated",
        tiers=tiers,
        bounds_per_hour=hourly,
    )


@dataclass
class Catalogue:
    meters: dict[str, Meter] = field(default_factory=dict)
    prices: dict[tuple[str, str | None, str, str | None], list[Price]] = field(default_factory=dict)
    starts: dict[str, set[datetime]] = field(default_factory=dict)  # per meter, when any of its prices begins
    changes: Counter[str] = field(default_factory=Counter)  # per meter, to tell what was derived from older prices

    def import_system(self, text: str, valid_from: date | None) -> None:
        for meter, price in price_system(text):
            self.meters.setdefault(meter.code.lower(), meter)
            versions = self.prices.setdefault(price.series, [])
            if versions and replace(versions[-1], valid_from=None) == price:
                continue
            assert not versions or valid_from is not None, f"{meter.code} changed: --from is required"
            self._add(versions, replace(price, valid_from=valid_from))

    def add_meter(self, line: Json) -> None:
        self.meters[line["code"].lower()] = Meter(line["code"], line["unit"])

    def add_price(self, line: Json) -> None:
        price = price_of(line)
        versions = self.prices.setdefault(price.series, [])
        if price in versions:
            return
        assert all(other.valid_from != price.valid_from for other in versions), "same start, other content"
        self._add(versions, price)

    def _add(self, versions: list[Price], price: Price) -> None:
        versions.append(price)
        versions.sort(key=lambda version: version.valid_from or date.min)
        if price.valid_from is not None:
            self.starts.setdefault(price.meter, set()).add(midnight(price.valid_from))
        self.changes[price.meter] += 1

    def starts_between(self, meter: str, start: datetime, end: datetime) -> list[datetime]:
        """Instants strictly inside the span at which some price of the meter begins, anybody's."""
        return sorted(moment for moment in self.starts.get(meter, ()) if start < moment < end)

    def in_force(self, meter: str, zone: str, currency: str, owners: list[str], moment: datetime) -> Price | None:
        """The organization's own price, else its parent's, else the catalogue's; within each the exact zone first."""
        for owner in [*owners, None]:
            for priced_zone in (zone, None):
                begun = [
                    price
                    for price in self.prices.get((meter, priced_zone, currency, owner), [])
                    if price.in_force_at(moment)
                ]
                if begun:
                    return begun[-1]
        return None
