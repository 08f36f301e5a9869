"""Makes a platform up, the same one for the same seed: customers, prices, usage and money over a few months.

A story is told step by step: the next step may depend on what came out before (who owes what, whose month was nil),
which it reads from the calculator that listens. Everything told is valid: the system must accept every line.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import cycle
from random import Random

from tests.integration.oracle.basics import Json, Month
from tests.integration.oracle.catalogue import price_system
from tests.integration.oracle.customers import (
    Customer,
    Meter,
    Resource,
    billing_cases,
    invent_customer,
    invent_sub_organization,
)
from tests.integration.oracle.driver import Close, ImportData, ImportPrices, Issue, Step
from tests.integration.oracle.invented_money import MoneyInventor
from tests.integration.oracle.invented_prices import PriceInventor
from tests.integration.oracle.invented_usage import UsageInventor
from tests.integration.oracle.model import Oracle
from tests.integration.oracle.own_catalogue import (
    FOREVER,
    FREE_TIERS,
    NEGOTIATED_DAYS,
    definitions,
    largest_record,
    own_meters,
)
from tests.integration.oracle.pen import Pen
from tests.integration.oracle.records import Outcome


def story(
    seed: int, oracle: Oracle, prices: str, *, organizations: int, first: str = "2026-06", months: int = 4
) -> Iterator[Step]:
    """The months from ``first`` on of a platform; they must have ended."""
    return Story(Random(seed), oracle, prices, organizations, Month.of(first), months).told()


class Story:
    def __init__(self, rng: Random, oracle: Oracle, prices: str, organizations: int, first: Month, months: int) -> None:
        self.rng, self.oracle = rng, oracle
        pen = Pen(rng)
        self.money, self.prices, self.usage = MoneyInventor(pen, oracle), PriceInventor(pen, prices), UsageInventor(pen)
        self.months = [first.plus(index) for index in range(months)]
        self.meters = self._meters_to_show()
        cases = cycle(rng.sample(billing_cases(), len(billing_cases())) if organizations > 40 else billing_cases())
        self.customers = [invent_customer(rng, index, first, months, next(cases)) for index in range(organizations)]
        self.today = first.first_day

    # --- The plot --------------------------------------------------------------------------------------------------

    def told(self) -> Iterator[Step]:
        yield ImportPrices(self.prices.system)
        yield ImportData([*definitions(), *self._cast(), *self._prologue()])
        for index, month in enumerate(self.months):
            yield from self._month(index, month)

    def _month(self, index: int, month: Month) -> Iterator[Step]:
        self.today = month.next.first_day + timedelta(days=2)
        if index:
            yield from self.prices.changes(month)
            yield ImportData(self._new_parents(month))
        lines = self._activity(index, month)
        yield ImportData(lines)
        if index % 2:
            yield Close(month, self._some(month))  # a few may be closed before the others
        yield Close(month)
        yield from self._before_issuing(index, month, lines)
        if index % 2 == 0:
            yield Issue(month, self.today - timedelta(days=1), self._some(month))
        yield Issue(month, self.today)
        lines = self.money.payments(self.customers, self.today, "in full", "in parts", "late") + self._late_usage(month)
        yield ImportData(lines)
        yield from self._nil_months_reopened(month, lines)
        if index >= 2:
            yield from self._troubles_settled(index)

    def _before_issuing(self, index: int, month: Month, lines: list[Json]) -> Iterator[Step]:
        """Payments, usage and the same lines once more arrive between the close and the issue."""
        between = self.money.payments(self.customers, self.today, "while drafted")
        for customer in self.customers:
            if self.rng.random() < 0.15:
                between += self.usage.usage(customer, month, records=1)
            if self.rng.random() < 0.15:
                between += self._second_thoughts(customer, month)
        again = self.rng.sample(lines, min(len(lines), 20))
        yield ImportData([*between, *(line for line in again if line["kind"] not in {"organization", "payment"})])
        if index % 2:
            yield Close(month)
        else:
            yield from self._nil_months_closed_again(month, between)

    def _some(self, month: Month) -> list[str]:
        there = [customer.id for customer in self.customers if customer.opened_on <= month.last_day]
        return self.rng.sample(there, len(there) // 5 + 1)

    def _nil_months_reopened(self, month: Month, lines: list[Json]) -> Iterator[Step]:
        """Usage of a month that was nil is not late until the next month is closed: the month is closed again."""
        names = self._nil_payers_of(month, lines)
        if names:
            yield Close(month, names)
            yield Issue(month, self.today, names)

    def _nil_months_closed_again(self, month: Month, lines: list[Json]) -> Iterator[Step]:
        names = self._nil_payers_of(month, lines)
        if names:
            yield Close(month, names)

    def _nil_payers_of(self, month: Month, lines: list[Json]) -> list[str]:
        touched = {line["organization"] for line in lines if line["kind"] == "usage"}
        return [
            customer.id
            for customer in self.customers
            if touched.intersection(customer.organizations())
            and (outcome := self.oracle.outcomes[customer.id].get(month)) is not None
            and outcome.kind == "nil"
        ]

    def _troubles_settled(self, index: int) -> Iterator[Step]:
        """Who was blocked in its second month gets its price or its address, and both its months."""
        troubled = [customer for customer in self.customers if customer.trouble and not customer.settled_trouble]
        lines: list[Json] = []
        for customer in troubled:
            customer.settled_trouble = True
            if customer.trouble == "no price":
                lines += [self.prices.elsewhere(customer, self.months[1].first_day)]
            else:
                customer.line["billing"] = {**customer.line["billing"], "city": "Somewhere"}
                lines += [dict(customer.line)]
        names = [customer.id for customer in troubled]
        if names:
            yield ImportData(lines)
            for month in self.months[1 : index + 1]:
                yield Close(month, names)
                yield Issue(month, self.today, names)

    # --- The cast ----------------------------------------------------------------------------------------------------

    def _meters_to_show(self) -> Iterator[Meter]:
        """Every meter of the price system in turn, so that a few customers are enough to meet them all."""
        shown = [
            Meter(meter.code, meter.unit, largest=largest_record(meter.code))
            for meter, _ in price_system(self.prices.system)
        ]
        self.rng.shuffle(shown)
        return cycle(shown)

    def _cast(self) -> list[Json]:
        """Organizations, their resources, negotiated prices and credits; references point both ways."""
        lines: list[Json] = []
        for customer in self.customers:
            for name in customer.organizations():
                for _ in range(self.rng.randrange(1, 4)):
                    lines += [self._resource(customer, name)]
            if self.rng.random() < 0.3:
                lines += self.prices.negotiated(customer, FOREVER)
            lines += customer.subs
            lines += [dict(customer.line)]
            lines += self.money.add_ons(customer, self.months)
            if self.rng.random() < 0.5:
                lines += [self.money.free_grant(customer, self.months[0]) for _ in range(self.rng.randrange(1, 4))]
            if self.rng.random() < 0.2:
                lines += [self.money.prepaid_grant(customer, self.months[0])]
        return lines

    def _resource(self, customer: Customer, organization: str) -> Json:
        dollars = customer.line["currency"] != "EUR"
        meters = []
        if dollars or self.rng.random() < 0.15:
            meters = [self.rng.choice(list(own_meters().values()))]
        if not dollars:
            meters += [_copy(next(self.meters)) for _ in range(self.rng.randrange(1, 3))]
        if customer.mood == "within the free tier" and not dollars:
            meters = FREE_TIERS
        resource = Resource(f"app_{self.rng.getrandbits(64):016x}", organization, [_copy(meter) for meter in meters])
        for meter in resource.meters:
            meter.volume = meter.volume or any(same.volume for same in customer.meters(meter.code))
        customer.resources.append(resource)
        return {"kind": "resource", "id": resource.id, "organization": organization, "name": f"api-{len(resource.id)}"}

    # --- A month's activity ----------------------------------------------------------------------------------------

    def _prologue(self) -> list[Json]:
        """Usage older than the first close."""
        lines: list[Json] = []
        for customer in self.customers:
            for back in (1, 2):
                month = self.months[0].plus(-back)
                if customer.opened_on <= month.first_day and self.rng.random() < 0.15:
                    lines += self.usage.usage(customer, month, records=2)
        return lines

    def _activity(self, index: int, month: Month) -> list[Json]:
        lines: list[Json] = []
        for customer in self.customers:
            told = self.usage.usage(customer, month, records=_records(customer.mood, index, self.rng), odd=True)
            told += self.money.charges(customer, month)
            if index:
                told += self._changes_of_heart(customer, month)
                told += self.money.add_on_changes(customer, month)
            if index == 1 and customer.trouble:
                told += self._trouble(customer, month)
            if customer.closes_on and Month.of(customer.closes_on.isoformat()) == month:
                told += customer.close()
            lines += _once(customer, told)
        self.rng.shuffle(lines)
        return lines

    def _changes_of_heart(self, customer: Customer, month: Month) -> list[Json]:
        lines: list[Json] = []
        if self.rng.random() < 0.1:
            if not customer.fixed_forecast:
                customer.line["forecast_months"] = self.rng.choice([1, 2, 3])
            customer.line["consumption_discount_percent"] = self.rng.choice(["0", "5", "12.5"])
            customer.line["payment_term_days"] = self.rng.choice([10, 30])
            lines += [dict(customer.line)]
        if self.rng.random() < 0.15:
            lines += [self.money.free_grant(customer, month)]
        if self.rng.random() < 0.05 and customer.opened_on <= month.last_day and not customer.closes_on:
            lines += self._new_sub_organization(customer, month)
        if self.rng.random() < 0.1:
            day = month.first_day.replace(day=self.rng.choice(NEGOTIATED_DAYS))
            lines += self.prices.negotiated(customer, day.isoformat())
        return lines

    def _second_thoughts(self, customer: Customer, month: Month) -> list[Json]:
        """What changes between the close and the issue, which computes once more (§6, §7)."""
        outcome = self.oracle.outcomes[customer.id].get(month)
        if outcome is None or outcome.kind != "draft" or customer.trouble:
            return []
        thought = self.rng.choice(["address", "discount", "price", "free credits", "prepaid credits"])
        if thought == "price":
            day = month.first_day.replace(day=self.rng.choice(NEGOTIATED_DAYS))
            return self.prices.negotiated(customer, day.isoformat())
        if thought == "free credits":
            return [self.money.free_grant(customer, month)]
        if thought == "prepaid credits":
            return [self.money.prepaid_grant(customer, month)]
        if thought == "address":
            customer.line["billing"] = self.rng.choice(billing_cases())
        else:
            customer.line["consumption_discount_percent"] = self.rng.choice(["0", "20", "15.5"])
        return [dict(customer.line)]

    def _new_sub_organization(self, customer: Customer, month: Month) -> list[Json]:
        """It joins a payer that has been billed before."""
        sub = invent_sub_organization(self.rng, customer.line, len(customer.subs))
        sub["opened_on"] = max(month.first_day, customer.opened_on).isoformat()
        customer.subs.append(sub)
        resource = self._resource(customer, sub["id"])
        return [resource, sub, *self.usage.usage(customer.only(customer.resources[-1]), month, records=3)]

    def _new_parents(self, month: Month) -> list[Json]:
        """Some customers become sub-organizations of others: it counts from the next month that is closed."""
        free = [customer for customer in self.customers if self._may_join(customer, month)]
        lines = []
        for _ in range(len(self.customers) // 20):
            if len(free) < 2:
                break
            host = free.pop(self.rng.randrange(len(free)))
            joining = free.pop(self.rng.randrange(len(free)))
            joining.line["parent"] = host.id
            host.subs.append(joining.line)
            host.resources += joining.resources
            host.fixed_forecast = True
            self.customers.remove(joining)
            lines.append(dict(joining.line))
        return lines

    def _may_join(self, customer: Customer, month: Month) -> bool:
        """Billed at once by one month, with nothing that the rule book leaves open when two accounts become one."""
        plain = not (customer.trouble or customer.closes_on or customer.subs) and customer.line["forecast_months"] < 2
        extras = [*self.oracle.add_ons.values(), *self.oracle.charges.values()]
        alone = all(extra["organization"] != customer.id for extra in extras)
        negotiated = any(owner == customer.id for owner, _ in self.prices.negotiated_zones)
        euros = customer.line["currency"] == "EUR"
        return plain and alone and euros and not negotiated and customer.opened_on < month.plus(-1).first_day

    def _trouble(self, customer: Customer, month: Month) -> list[Json]:
        start, end = customer.window(month)
        if start >= end:
            customer.settled_trouble = True
            return []
        found = customer.priced_in_par()
        if found is None:
            customer.trouble = "no city"
        if found is None or customer.trouble == "no city":
            customer.line["billing"] = {**customer.line["billing"], "city": ""}
            return [dict(customer.line)]
        resource, meter = found
        return [self.usage.record(resource, meter, start, start + timedelta(hours=1), "3600", "nowhere")]

    def _late_usage(self, month: Month) -> list[Json]:
        """For months already issued. Not where a volume price could make the month cheaper."""
        lines: list[Json] = []
        for customer in self.customers:
            if not customer.late or self.rng.random() < 0.5:
                continue
            late_month = month.plus(-self.rng.choice([0, 0, 1, 2]))
            first = self._first_outcome(customer)
            if first is None or (late_month < first.month and customer.opened_on > late_month.first_day):
                continue
            steady = [r for r in customer.resources if not any(meter.volume for meter in r.meters)]
            if steady:
                lines += self.usage.usage(
                    customer.only(self.rng.choice(steady)), late_month, records=self.rng.randrange(1, 3)
                )
        return lines

    def _first_outcome(self, customer: Customer) -> Outcome | None:
        outcomes = self.oracle.outcomes[customer.id]
        return outcomes[min(outcomes)] if outcomes else None


def _records(mood: str, index: int, rng: Random) -> int:
    table = {
        "steady": 4,
        "growing": 2 + 2 * index,
        "falling": max(0, 6 - 2 * index),
        "restless": rng.choice([0, 0, 8]),
        "silent": 0,
        "within the free tier": 1,
    }
    return table[mood]


def _copy(meter: Meter) -> Meter:
    return Meter(meter.code, meter.unit, meter.zones, meter.volume, meter.largest)


def _once(customer: Customer, lines: list[Json]) -> list[Json]:
    """The organization as it is after all its changes: which of two lines of a file counts is nobody's promise."""
    kept = [line for line in lines if line.get("id") != customer.id]
    return kept if len(kept) == len(lines) else [*kept, dict(customer.line)]
