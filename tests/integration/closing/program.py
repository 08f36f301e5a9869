"""A manage.py with small batches and a few commands of the tests: seed, content, feed, check, those of `rush`, `crowd`.

    python -m tests.integration.closing.program BATCH_SIZE COMMAND ARGUMENT... [-- COMMAND ARGUMENT...]

It prints "ready" before the first command. What needs the models is imported when Django is set up.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from itertools import count
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from billing.models import AddOnPlan
    from organizations.models import Organization

EARLIER, CLOSED = "2025-09", "2025-10"


def main(arguments: Sequence[str]) -> None:
    """Run the commands of this file and of manage.py."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django

    django.setup()
    from django.core.management import call_command

    from billing.usecases import _runs, issue_invoices
    from tests.integration.archive import crowd
    from tests.integration.closing import rush

    _runs.BATCH_SIZE = issue_invoices.BATCH_SIZE = int(arguments[0])
    print("ready", flush=True)  # noqa: T201
    own: dict[str, Callable[..., None]] = {
        "seed": seed,
        "content": content,
        "feed": feed,
        "check": check,
        "drafts": rush.drafts,
        "threads": rush.issue_in_threads,
        "processes": rush.issue_in_processes,
        "issued": crowd.issued,
        "render": crowd.render_all,
        "send": crowd.send_all,
        "announce": crowd.announce_all,
    }
    for name, *options in _split(arguments[1:]):
        if name in own:
            own[name](*options)
        else:
            call_command(name, *options)


def _split(words: Sequence[str]) -> Iterator[list[str]]:
    command: list[str] = []
    for word in [*words, "--"]:
        if word != "--":
            command.append(word)
        elif command:
            yield command
            command = []


def seed(organizations: str) -> None:
    """A platform after September 2025: issued, half of it paid, with late usage and October to be closed."""
    from django.core.management import call_command
    from django.db import transaction

    from billing.models import Invoice
    from tests.builders import closing

    call_command("migrate", verbosity=0)
    with transaction.atomic():
        everybody = _organizations(int(organizations))
        _record(everybody, EARLIER, 5)
        closing.close_and_issue(EARLIER)
        for invoice in Invoice.objects.filter(total_cents__gt=0).order_by("id")[::2]:
            closing.pay(invoice)
        _record(everybody, CLOSED, 8)
        _record(everybody[5::6], EARLIER, 2)
        for organization in everybody[8::17]:
            closing.consume(organization, quantity=1, on=f"{CLOSED}-05", meter="unpriced")


def _organizations(number_of: int) -> "list[Organization]":
    from tests.builders import closing
    from tests.builders.organizations import make_organization
    from tests.builders.usage import make_meter

    closing.make_metered_price()
    closing.make_metered_price(unit_price="0.013", valid_from=closing.local(f"{CLOSED}-11"))
    closing.make_metered_price(code="requests", unit="request", tiers=[(1000, "0"), (None, "0.02")])
    closing.make_metered_price(code="users", unit="User", package=25, per_quantity=25, unit_price="9")
    make_meter(code="unpriced")
    plan = closing.make_plan()
    everybody: list[Organization] = []
    for number in range(number_of):
        organization = make_organization(
            external_id=f"orga_{number:03d}",
            name=f"N{number}",
            parent=everybody[-1] if number % 10 == 9 else None,
            opened_on=date(2025, 9, 1),
            forecast_months=number % 3,
        )
        everybody.append(organization)
        closing.the_resource_of(organization)
        _extras(organization, number, plan)
    return everybody


def _extras(organization: "Organization", number: int, plan: "AddOnPlan") -> None:
    from tests.builders import closing
    from tests.builders.credits import make_grant

    if number % 5 == 3:
        make_grant(organization=organization, type="free", amount_cents=99, expires_on=date(2025, 10, 31))
    if _is_quiet(organization):
        return
    if number % 7 == 2:
        closing.make_add_on(organization=organization, plan=plan, started_on=date(2025, 10, 9))
    if number % 11 == 4:
        closing.make_charge(organization=organization, day=date(2025, 10, 20))


def _is_quiet(organization: "Organization") -> bool:
    """Some have no usage and nothing else: their months are nil, and their credits expire."""
    return int(organization.external_id[-3:]) % 13 == 3


def _record(organizations: "Sequence[Organization]", month: str, records: int) -> None:
    from billing.usecases.record_usage import NewUsage, record_usage
    from tests.builders import closing

    chance = Random(month + str(records))
    usage = []
    for organization in organizations:
        for number in range(0 if _is_quiet(organization) else records):
            start = closing.local(f"{month}-{chance.randint(1, 28):02d} {chance.randint(0, 22):02d}:00")
            usage.append(
                NewUsage(
                    source=f"seed-{records}",
                    event_id=f"{organization.pk}-{number}",
                    organization=organization.external_id,
                    resource=closing.the_resource_of(organization).external_id,
                    meter=chance.choice(("apps.S", "requests", "users")),
                    start=start,
                    end=start,
                    quantity=str(chance.randint(1, 999)),
                    zone=chance.choice(("par", "mtl")),
                )
            )
    assert record_usage(records=usage, at=closing.local("2025-11-01")).accepted == len(usage)


def content(*months: str) -> None:
    """All that billing stores of these months but ids, numbers and instants, as one JSON text."""
    import msgspec

    from billing.models import CloseBatch, CloseOutcome, CreditEntry, CreditGrant, Invoice, UsageMonth
    from billing.queries.exports import export_documents
    from tests.builders.closing import month

    documents = [document for text in months for document in export_documents(month(text))]
    for document in documents:
        document.number = None
    values: dict[str, list[Any]] = {
        "documents": [msgspec.to_builtins(document) for document in documents],
        "outcomes": sorted(
            CloseOutcome.objects.values_list(
                "month",
                "organization",
                "payer",
                "kind",
                "invoice__organization",
                "reason_code",
                "own_consumption_cents",
                "settled_usage",
            ),
            key=repr,
        ),
        "grants": sorted(
            CreditGrant.objects.values_list("organization", "state", "amount_cents", "remaining_cents"), key=repr
        ),
        "entries": sorted(
            CreditEntry.objects.values_list("grant__organization", "kind", "amount_cents", "month"), key=repr
        ),
        "flags": sorted(UsageMonth.objects.values_list("organization", "month", "unbilled")),
        "invoices": sorted(Invoice.objects.values_list("organization", "consumption_month", "document_state")),
        "counters": sorted(Invoice.objects.filter(counter__isnull=False).values_list("counter", flat=True)),
        "unfinished": list(CloseBatch.objects.filter(finished_at__isnull=True).values_list("number", flat=True)),
    }
    sys.stdout.write(msgspec.json.encode(values).decode())


def feed(month: str, stop_file: str) -> None:
    """Record usage of a month, a few records for a few organizations at a time, until the file exists."""
    from billing.usecases.record_usage import NewUsage, record_usage
    from organizations.models import Organization
    from tests.builders import closing

    chance = Random(5)
    organizations = [one for one in Organization.objects.order_by("id") if not _is_quiet(one)]
    resources = {one.pk: closing.the_resource_of(one).external_id for one in organizations}
    start = closing.month(month).start
    stop = Path(stop_file)
    batches = 0
    for batches in count(1):
        if stop.exists():
            break
        records = [
            NewUsage(
                source="feed",
                event_id=f"{batches}-{number}",
                organization=organization.external_id,
                resource=resources[organization.pk],
                meter=chance.choice(("apps.S", "requests", "users")),
                start=start,
                end=start,
                quantity=str(chance.randint(1, 99)),
                zone="par",
            )
            for number, organization in enumerate(chance.sample(organizations, 5))
        ]
        assert record_usage(records=records, at=closing.local("2025-11-02")).accepted == len(records)
    print(batches)  # noqa: T201


def check(*months: str) -> None:
    """Every unit of usage is billed exactly once, and a line costs what it would have cost in time."""
    from collections import defaultdict

    from billing.domain.pricing import Price
    from billing.domain.rating import rate
    from billing.models import CloseOutcome, UsageDetail, UsageRecord
    from billing.queries.months import month_of
    from billing.queries.price_book import load_price_book
    from tests.builders.closing import broken_promises, month

    blocked = CloseOutcome.objects.exclude(reason_code="").exclude(kind="nil").values("organization")
    days = [month(text).first_day for text in months]
    book = load_price_book([])
    used: dict[tuple[Any, ...], int] = defaultdict(int)
    prices: dict[tuple[Any, ...], Price] = {}
    for record in UsageRecord.objects.filter(month__in=days).exclude(organization__in=blocked):
        price = book.resolve(record.meter_id, record.zone, "EUR", (), record.started_at)
        assert price is not None
        key: tuple[Any, ...] = (
            record.month,
            record.organization_id,
            record.resource_id,
            record.meter_id,
            record.zone,
            price.id,
        )
        used[key] += record.quantity_micro
        prices[key] = price
    billed: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0, 0])
    details = UsageDetail.objects.filter(meter__isnull=False, invoice__document_state="issued", month__in=days)
    for detail in details.exclude(organization__in=blocked):
        key = (detail.month, detail.organization_id, detail.resource_id, detail.meter_id, detail.zone, detail.price_id)
        assert detail.quantity_micro is not None
        billed[key][0] += detail.quantity_micro
        billed[key][1] += detail.amount_cents
    for lines in CloseOutcome.objects.filter(kind="nil").values_list("settled_usage", flat=True):
        for day, *rest, micro, cents in lines:
            key = (next(each for each in days if str(each) == day), *rest)
            billed[key][0] += micro
            billed[key][1] += cents
    assert {key: micro for key, (micro, _) in billed.items()} == dict(used)
    for key, micro in used.items():
        assert billed[key][1] == rate(micro, prices[key], month_of(key[0]).seconds).amount_cents, key
    assert broken_promises() == []
    print(f"{len(used)} lines")  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
