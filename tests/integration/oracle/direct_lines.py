"""Lines that credits never pay: add-ons and charges (§6)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from fractions import Fraction

from tests.integration.oracle.basics import Json, Month, exact, money, number, to_cents
from tests.integration.oracle.received import Received
from tests.integration.oracle.records import ANY, Outcome


def printed_line(kind: str, start: date | None, end: date | None, cents: int) -> Json:
    return {
        "kind": kind,
        "description": ANY,
        "period_start": start.isoformat() if start else ANY,
        "period_end": end.isoformat() if end else ANY,
        "quantity": "1",
        "unit_price": money(cents),
        "net_amount": money(cents),
    }


def add_on_lines(received: Received, outcome: Outcome, history: list[Outcome]) -> list[tuple[Json, int]]:
    """What is not billed yet up to the end of the provision month, one line per month, by name (§6)."""
    before = received.months_of(outcome.payer, outcome.month)
    first_close = before[0].month if before else outcome.month
    closed_on = received.organizations[outcome.payer].get("closed_on")
    owners = received.tree(outcome.payer)
    lines = []
    mine = [add_on for add_on in received.add_ons.values() if add_on["organization"] in owners]
    for add_on in sorted(mine, key=lambda add_on: (add_on["name"], add_on["id"])):
        started_on = date.fromisoformat(add_on["started_on"])
        if started_on < first_close.first_day:
            started_on = first_close.next.first_day
        billed = [other.add_ons_until[add_on["id"]] for other in history if add_on["id"] in other.add_ons_until]
        since = max([started_on, *billed])
        until = outcome.month.plus(2).first_day
        # Reading: nothing runs on in a closed account.
        for end in filter(None, (add_on.get("ended_on"), closed_on)):
            until = min(until, date.fromisoformat(end))
        if until > since:
            outcome.add_ons_until[add_on["id"]] = until
            lines += list(_months_of_add_on(add_on, received.plans[add_on["plan"]], since, until))
    return lines


def _months_of_add_on(add_on: Json, plan: Json, since: date, until: date) -> Iterator[tuple[Json, int]]:
    price, quantity = exact(plan["monthly_price"]), Fraction(add_on.get("quantity", 1))
    while since < until:
        month = Month(since.year, since.month)
        end = min(until, month.next.first_day)
        days = (end - since).days
        whole = days == month.days
        cents = to_cents(price * days / month.days * quantity)
        line = printed_line("add_on", since, end, cents)
        # Reading: a whole month prints its plan's price; how a part of a month prints is left open.
        line["quantity"] = number(quantity) if whole else ANY
        line["unit_price"] = number(price) if whole else ANY
        yield line, cents
        since = end


def charge_lines(received: Received, outcome: Outcome, history: list[Outcome]) -> list[tuple[Json, int]]:
    """Dated up to the last day of the consumption month and not billed yet, by date (§6)."""
    owners = received.tree(outcome.payer)
    billed = {reference for other in history for reference in other.charges}
    lines = []
    mine = [charge for charge in received.charges.values() if charge["organization"] in owners]
    for charge in sorted(mine, key=lambda charge: (charge["date"], charge["reference"])):
        due = date.fromisoformat(charge["date"]) <= outcome.month.last_day
        if charge["reference"] in billed or not due:
            continue
        quantity, unit_price = exact(charge["quantity"]), exact(charge["unit_price"])
        cents = to_cents(quantity * unit_price)
        line = printed_line(charge["type"], None, None, cents)
        line.update(quantity=number(quantity), unit_price=number(unit_price))
        lines.append((line, cents))
        outcome.charges.append(charge["reference"])
    return lines
