"""Invents what costs and what pays: add-ons, charges, credit grants, payments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from tests.integration.oracle.basics import Json, Month, cents_of, money
from tests.integration.oracle.customers import Customer
from tests.integration.oracle.model import Oracle
from tests.integration.oracle.own_catalogue import PLANS
from tests.integration.oracle.pen import Pen
from tests.integration.oracle.records import Outcome


@dataclass
class MoneyInventor:
    pen: Pen
    oracle: Oracle

    def add_ons(self, customer: Customer, months: list[Month]) -> list[Json]:
        """One of each plan at most, named by its plan: the printed order is by name."""
        lines = []
        for plan in self.pen.rng.sample(range(PLANS), self.pen.rng.choice([0, 0, 1, 1, 2, 3])):
            started_on = self.pen.rng.choice(months).first_day + timedelta(days=self.pen.rng.randrange(-80, 28))
            ended_on = None
            if self.pen.rng.random() < 0.4:
                ended_on = started_on + timedelta(days=self.pen.rng.randrange(1, 100))
            started_on = max(started_on, customer.opened_on)
            if ended_on is not None and ended_on <= started_on:
                continue
            lines.append(
                {
                    "kind": "add_on",
                    "id": self.pen.reference("addon"),
                    "organization": self.pen.rng.choice(customer.organizations()),
                    "plan": f"plan-{plan}-{customer.line['currency']}",
                    "name": f"Plan {plan}",
                    "started_on": started_on.isoformat(),
                    "ended_on": ended_on.isoformat() if ended_on else None,
                    "quantity": self.pen.rng.choice([1, 1, 1, 2, 7]),
                }
            )
        return lines

    def add_on_changes(self, customer: Customer, month: Month) -> list[Json]:
        """Some end within the month (billed in advance, not refunded), others later, or go on after all."""
        lines = []
        for add_on in [
            add_on for add_on in self.oracle.add_ons.values() if add_on["organization"] in customer.organizations()
        ]:
            if self.pen.rng.random() < 0.2 and not customer.closes_on:
                started_on = date.fromisoformat(add_on["started_on"])
                ended_on = month.first_day + timedelta(days=self.pen.rng.randrange(90))
                ends = ended_on > started_on and self.pen.rng.random() < 0.7
                lines.append({**add_on, "ended_on": ended_on.isoformat() if ends else None})
        return lines

    def free_grant(self, customer: Customer, month: Month) -> Json:
        starts_on = month.first_day + timedelta(days=self.pen.rng.randrange(-60, 45))
        expires_on = self.pen.rng.choice(
            [None, month.last_day, month.next.last_day, month.first_day + timedelta(days=self.pen.rng.randrange(80))]
        )
        if expires_on is not None and expires_on < starts_on:
            starts_on = expires_on - timedelta(days=self.pen.rng.randrange(90))
        return {
            "kind": "credit_grant",
            "reference": self.pen.reference("FREE"),
            "organization": self.pen.rng.choice(customer.organizations()),
            "type": "free",
            "amount": money(self.pen.rng.choice([500, 2000, 2000, 10000, self.pen.rng.randrange(1, 90000)])),
            "starts_on": starts_on.isoformat(),
            "expires_on": expires_on.isoformat() if expires_on else None,
            "priority": self.pen.rng.choice([0, 0, 0, 1, 5]),
            "reason": "gesture",
        }

    def prepaid_grant(self, customer: Customer, first: Month) -> Json:
        return {
            "kind": "credit_grant",
            "reference": self.pen.reference("PRE"),
            "organization": customer.id,
            "type": "prepaid",
            "amount": money(self.pen.rng.randrange(1, 100000)),
            "starts_on": (first.first_day - timedelta(days=40)).isoformat(),
            "expires_on": None,
            "priority": 0,
            "reason": "carried over",
        }

    def charges(self, customer: Customer, month: Month) -> list[Json]:
        """Some are dated in the next month and wait. No two of a payer share a day: the printed order is by date."""
        lines = []
        days = self.pen.rng.sample(range(1, 28), self.pen.rng.choice([0, 0, 0, 1, 2]))
        taken = {(line["organization"], line["date"]) for line in self.oracle.charges.values()}
        for day in days:
            dated = self.pen.rng.choice([month, month, month.plus(1)]).first_day.replace(day=day)
            if any((name, dated.isoformat()) in taken for name in customer.organizations()):
                continue
            if dated < customer.opened_on or (customer.closes_on and dated >= customer.closes_on):
                continue
            lines.append(
                {
                    "kind": "charge",
                    "reference": self.pen.reference("CH"),
                    "organization": self.pen.rng.choice(customer.organizations()),
                    "type": self.pen.rng.choice(["one_shot", "custom_service"]),
                    "description": "Migration",
                    "quantity": self.pen.rng.choice(["1", "2", "3.5", "0.333333"]),
                    "unit_price": self.pen.rng.choice(["800.00", "49.995", "0.333333", "0.00", "120"]),
                    "date": dated.isoformat(),
                }
            )
            taken.add((lines[-1]["organization"], dated.isoformat()))
        dates = [line["date"] for line in lines]
        return [line for index, line in enumerate(lines) if line["date"] not in dates[:index]]

    def payments(self, customers: list[Customer], day: date, *habits: str) -> list[Json]:
        lines: list[Json] = []
        for customer in customers:
            if customer.pays in habits:
                lines += self._payment(customer, day)
        return lines

    def _payment(self, customer: Customer, day: date) -> list[Json]:
        """What is owed, by the habit of the payer; by number or to the oldest."""
        outcomes = [outcome for _, outcome in sorted(self.oracle.outcomes[customer.id].items())]
        owed = [outcome for outcome in outcomes if outcome.kind == "issued" and not outcome.settled]
        if not owed:
            return []
        if customer.pays == "late":
            owed = owed[:-1]  # always one month behind
        if customer.pays == "in parts" and owed:
            due = sum(outcome.total - outcome.paid for outcome in owed)
            part = (
                due
                if len(owed) > 1 and self.pen.rng.random() < 0.4
                else max(1, due * self.pen.rng.randrange(10, 90) // 100)
            )
            return [self._paid(customer, day, part, None)]
        return [self._paid(customer, day, outcome.total - outcome.paid, outcome) for outcome in owed]

    def _paid(self, customer: Customer, day: date, cents: int, outcome: Outcome | None) -> Json:
        named = outcome is not None and self.pen.rng.random() < 0.5
        line: Json = {
            "kind": "payment",
            "reference": self.pen.reference("PAY"),
            "organization": customer.id,
            "amount": money(cents),
            "date": (day + timedelta(days=self.pen.rng.randrange(10))).isoformat(),
            "method": "bank_transfer",
            "invoice": [customer.id, str(outcome.month)] if outcome is not None and named else None,
        }
        assert cents_of(line["amount"]) == cents
        return line
