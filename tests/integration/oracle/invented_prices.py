"""Invents prices: the catalogue changes, some customers negotiate."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from tests.integration.oracle.basics import Json, Month
from tests.integration.oracle.customers import Customer, Meter
from tests.integration.oracle.driver import ImportData, ImportPrices, Step
from tests.integration.oracle.own_catalogue import CATALOGUE_DAY, FOREVER, fifteen_digits, own_meters, own_price_changes
from tests.integration.oracle.pen import Pen

OWN = own_meters()


@dataclass
class PriceInventor:
    pen: Pen
    system: str
    negotiated_dates: set[tuple[str, str, str]] = field(default_factory=set)
    negotiated_zones: dict[tuple[str, str], str | None] = field(default_factory=dict)

    def changes(self, month: Month) -> Iterator[Step]:
        """Some catalogue prices change within the month, some on its first day."""
        day = self.pen.rng.choice([1, CATALOGUE_DAY])
        system = json.loads(self.system, parse_float=Decimal)
        for entry in system["runtime"]:
            if self.pen.rng.random() < 0.2:
                entry["price"] = self._changed(entry["price"])
        for entry in system["countable"]:
            if self.pen.rng.random() < 0.3:
                for plan in entry["price_plans"]:
                    plan["price"] = self._changed(plan["price"])
        self.system = _written(system)
        yield ImportPrices(self.system, month.first_day.replace(day=day))
        yield ImportData(own_price_changes(month))

    def _changed(self, price: Decimal | int) -> Decimal:
        return fifteen_digits(Decimal(price) * self.pen.rng.randrange(50, 200) / 100)

    def negotiated(self, customer: Customer, valid_from: str) -> list[Json]:
        used = [
            (resource, meter)
            for resource in customer.resources
            for meter in resource.meters
            if meter.code not in OWN and not meter.volume
        ]
        if not used or customer.trouble:
            return []
        resource, meter = self.pen.rng.choice(used)
        if (customer.id, meter.code, valid_from) in self.negotiated_dates:
            return []
        self.negotiated_dates.add((customer.id, meter.code, valid_from))
        # One choice of zone for a customer and meter: which wins, the organization's any zone or its parent's exact
        # one, is left open by the rule book.
        zone = self.negotiated_zones.setdefault((customer.id, meter.code), self.pen.rng.choice([None, "par", "PAR"]))
        shape = self.pen.rng.choice(["plain", "graduated", "volume", "packages"])
        per_hour = meter.unit == "GB-hour" and self.pen.rng.random() < 0.5
        # As much of the meter as its records bring, so that every tier is met.
        bound = Decimal(1) if per_hour else Decimal(round(meter.largest / 20) + 1)
        price: Json = {
            "kind": "price",
            "meter": self.pen.rng.choice([meter.code, meter.code.upper()]),
            "zone": zone,
            "currency": "EUR",
            # A parent's serves its sub-organizations.
            "organization": self.pen.rng.choice([resource.organization, customer.id]),
            "valid_from": valid_from,
            "per_quantity": "3600" if meter.unit == "second" else "1",
            "package_quantity": None,
            "mode": "volume" if shape == "volume" else "graduated",
            "tiers": [{"up_to": None, "unit_price": self._unit_price(meter)}],
        }
        if shape != "plain":
            bounds = [bound, bound * 5, None]
            price["tiers"] = [
                {"up_to": str(up_to) if up_to else None, "unit_price": self._unit_price(meter)} for up_to in bounds
            ]
            price["bounds_per_hour"] = per_hour
        if shape == "packages":
            price["package_quantity"] = "3600" if meter.unit == "second" else self.pen.rng.choice(["10", "2.5"])
        for same in customer.meters(meter.code):
            same.volume = same.volume or shape == "volume"
            if zone is None and valid_from == FOREVER and price["organization"] == customer.id:
                same.zones = ("par", "rbx")
        return [price]

    def _unit_price(self, meter: Meter) -> str:
        scale = {"second": "0.5", "User": "9", "GB": "0.1", "GB-hour": "0.0003"}[meter.unit]
        return f"{Decimal(scale) * self.pen.rng.randrange(0, 1_000_000) / 1_000_000:f}"

    def elsewhere(self, customer: Customer, valid_from: date) -> Json:
        """From the blocked month on: what is issued may not change."""
        found = customer.priced_in_par()
        assert found is not None
        _, meter = found
        return {
            "kind": "price",
            "meter": meter.code,
            "zone": "nowhere",
            "currency": customer.line["currency"],
            "organization": customer.id,
            "valid_from": valid_from.isoformat(),
            "per_quantity": "3600",
            "package_quantity": None,
            "mode": "graduated",
            "tiers": [{"up_to": None, "unit_price": "0.123456789"}],
        }


def shortened(system: str) -> str:
    """Every eighth runtime price and all countable ones: importing them all several times takes seconds."""
    whole = json.loads(system, parse_float=Decimal)
    return _written({**whole, "runtime": whole["runtime"][::8]})


def _written(system: Json) -> str:
    """As JSON with every digit: the json module cannot write a Decimal, so they pass as marked texts."""
    return json.dumps(system, default=lambda number: f"#{number:f}#").replace('"#', "").replace('#"', "")
