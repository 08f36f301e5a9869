"""Invents usage records: short, over the end of a month, long, instantaneous; with any quantity."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from tests.integration.oracle.basics import Json, Month, midnight
from tests.integration.oracle.customers import Customer, Meter, Resource
from tests.integration.oracle.pen import Pen


@dataclass
class UsageInventor:
    pen: Pen
    monthly: Counter[str] = field(default_factory=Counter)

    def usage(self, customer: Customer, month: Month, records: int, *, odd: bool = False) -> list[Json]:
        start, end = customer.window(month)
        if end - start < timedelta(hours=1):
            return []
        lines = []
        for resource in customer.resources:
            for meter in resource.meters:
                for _ in range(records):
                    lines += self._some_usage(customer, resource, meter, (start, end))
        if odd:
            for line in lines:
                self._make_odd(line)
        return lines

    def _make_odd(self, line: Json) -> None:
        """Nothing at all, as much as is allowed, or an event id that is only new within its month."""
        oddity = self.pen.rng.random()
        if oddity < 0.01 and line["start"][:10] == line["end"][:10]:
            line["quantity"] = "0"
        elif oddity < 0.012 and line["start"][:10] == line["end"][:10]:
            line["quantity"] = "999999999999.999999"
        elif oddity < 0.1:
            month = str(Month.holding(datetime.fromisoformat(line["start"])))
            self.monthly[month] += 1
            line.update(source="monthly", event_id=f"job-{self.monthly[month]}")

    def _some_usage(
        self, customer: Customer, resource: Resource, meter: Meter, window: tuple[datetime, datetime]
    ) -> list[Json]:
        """Mostly short records with any quantity; some cross the end of the month; a few are long or last no time."""
        start, end = window
        room = int((end - start).total_seconds())
        zone = self.pen.rng.choice(meter.zones)
        kind = self.pen.rng.choices(["short", "crossing", "long", "moment", "edge"], [10, 2, 1, 0.5, 0.5])[0]
        within = start + timedelta(seconds=self.pen.rng.randrange(room))
        if kind == "crossing":
            begin = end - timedelta(seconds=self.pen.rng.randrange(1, min(room, 40 * 3600) + 1))
            stop = end + timedelta(seconds=self.pen.rng.randrange(1, 11 * 3600))
        elif kind == "long":
            begin, stop = within, within + timedelta(seconds=self.pen.rng.randrange(1, 40 * 86400))
        elif kind == "moment":
            begin = stop = self.pen.rng.choice([within, start])
        elif kind == "edge":
            begin, stop = start, min(end, start + timedelta(hours=self.pen.rng.randrange(1, 70)))
        else:
            begin = within
            stop = min(end, begin + timedelta(seconds=self.pen.rng.randrange(1, 3 * 86400)))
        if kind in {"short", "crossing"} and self.pen.rng.random() < 0.2:
            begin += timedelta(microseconds=self.pen.rng.randrange(1, 10**6))
        if stop < begin or not customer.allows(stop) or stop > midnight(date(2026, 11, 20)):
            return []
        return [self.record(resource, meter, begin, stop, self._quantity(meter, begin, stop, kind), zone)]

    def _quantity(self, meter: Meter, begin: datetime, stop: datetime, kind: str) -> str:
        seconds = int((stop - begin).total_seconds())
        if kind == "long":
            # Every second weighs the same whole number of millionths: however it is cut, nothing is rounded.
            if meter.unit == "second":
                return str(seconds * self.pen.rng.randrange(1, 4))
            return str(Decimal(seconds) * self.pen.rng.randrange(1, max(2, int(meter.largest))) / 1_000_000)
        if meter.unit == "second":
            count = seconds or 60
            return self.pen.rng.choice(
                [str(count), str(count * 3), f"{count}.5", f"{count}.{self.pen.rng.randrange(10**6):06d}"]
            )
        largest = meter.largest
        # Between a thousandth of it and all of it, evenly over the orders of magnitude.
        quantity = Decimal(largest * 10 ** self.pen.rng.uniform(-3, 0)).quantize(Decimal("0.000001"))
        if meter.unit == "User" and self.pen.rng.random() < 0.7:
            quantity = Decimal(round(quantity) + 1)
        return str(quantity)

    def record(
        self, resource: Resource, meter: Meter, begin: datetime, stop: datetime, quantity: str, zone: str
    ) -> Json:
        return {
            "kind": "usage",
            "source": self.pen.rng.choice(["scaler", "metering"]),
            "event_id": self.pen.reference("e"),
            "organization": resource.organization,
            "resource": resource.id,
            "meter": self.pen.rng.choice([meter.code, meter.code, meter.code.lower(), meter.code.upper()]),
            "zone": zone,
            "start": self.pen.time(begin),
            "end": self.pen.time(stop),
            "quantity": quantity,
        }
