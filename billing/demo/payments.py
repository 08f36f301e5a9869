"""What the customers pay of their invoices."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

from billing.demo.accounts import Json
from billing.demo.world import World
from billing.domain.money import format_cents, prorate_cents
from billing.models import Invoice


class Payment(NamedTuple):
    """A day on which money arrives, and the NDJSON object that tells of it."""

    day: date
    line: Json


def payments_of(world: World, month: int) -> Iterator[Payment]:
    """Yield what arrives for the issued invoices of a month: most of them in full, some in part or not at all."""
    settlements = {account.id: account.settlements[month] for account in world.accounts}
    invoices = Invoice.objects.filter(
        consumption_month=world.months.months[month].first_day, document_state="issued", total_cents__gt=0
    ).order_by("counter")
    for number, payer, total_cents in invoices.values_list("number", "organization__external_id", "total_cents"):
        settlement = settlements.get(payer)
        if settlement is None:
            continue
        day = world.months.issued_on(month) + timedelta(days=settlement.days)
        yield Payment(
            day,
            {
                "kind": "payment",
                "reference": f"PAY-{number}",
                "organization": payer,
                "amount": format_cents(prorate_cents(total_cents, settlement.permille, 1000)),
                "date": f"{day}",
                "method": settlement.method,
                "invoice": number,
            },
        )
