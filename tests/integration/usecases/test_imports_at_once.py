"""Several clients that send the same things at the same moment: nothing is lost, doubled or deadlocked."""

import importlib
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from threading import Barrier, Event

import pytest
from django.db import connection, transaction

from billing.models import CouponUse, CreditGrant, Price, UsageMonth, UsageRecord
from billing.usecases.apply_coupon import CouponRefused, apply_coupon
from billing.usecases.record_usage import NewUsage, RecordedUsage, record_usage
from organizations.models import Organization
from tests.builders.imports import (
    AT,
    BASICS,
    Object,
    add_on_line,
    charge_line,
    counts,
    coupon_line,
    grant_line,
    import_lines,
    meter_line,
    organization_line,
    payment_line,
    plan_line,
    price_line,
    resource_line,
    usage_line,
)

pytestmark = [
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer at a time"),
]


def at_once[Result](*calls: Callable[[], Result]) -> list[Result]:
    barrier = Barrier(len(calls))

    def run(call: Callable[[], Result]) -> Result:
        try:
            barrier.wait()
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))


def events(count: int) -> list[NewUsage]:
    """Events of four organizations over three months; every seventh spans two of them."""
    start = datetime(2026, 8, 25, tzinfo=UTC)
    records = []
    for number in range(count):
        begin = start + timedelta(hours=number * 1_300 // count)
        length = timedelta(days=10) if number % 7 == 0 else timedelta(minutes=5)
        owner = number % 4
        records.append(
            NewUsage("scaler", f"e{number}", f"o{owner}", f"r{owner}", "apps.S", begin, begin + length, "60", "par")
        )
    return records


def test_four_clients_send_shuffled_and_doubled_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.import_module("billing.usecases.record_usage"), "RECORDS_PER_TRANSACTION", 97)
    import_lines(meter_line(), *(organization_line(f"o{n}") for n in range(4)))
    import_lines(*(resource_line(f"r{n}", f"o{n}") for n in range(4)))
    records = events(1_200)

    def client(seed: int) -> RecordedUsage:
        mine = records + records[::3]
        random.Random(seed).shuffle(mine)
        return record_usage(records=mine, at=AT)

    results = at_once(*(lambda seed=seed: client(seed) for seed in range(4)))

    assert sum(result.accepted for result in results) == 1_200
    assert all(result.accepted + result.unchanged == 1_600 for result in results)  # 1,200 and every third again
    assert not any(result.rejected for result in results)
    first_parts = UsageRecord.objects.filter(part=0)
    assert first_parts.count() == 1_200
    total_micro = sum(UsageRecord.objects.values_list("quantity_micro", flat=True))
    assert total_micro == 1_200 * 60_000_000
    months = set(UsageRecord.objects.values_list("organization", "month").order_by())
    assert set(UsageMonth.objects.filter(unbilled=True).values_list("organization", "month")) == months


def test_of_two_contents_of_an_event_one_is_stored() -> None:
    import_lines(*BASICS)

    def client(quantity: str) -> tuple[int, int, int]:
        return counts(import_lines(*(usage_line(f"e{n}", quantity=quantity) for n in range(300))))

    one, other = at_once(lambda: client("1"), lambda: client("2"))

    assert one[0] + other[0] == 300
    assert one[2] + other[2] == 300
    assert UsageRecord.objects.count() == 300


def test_usage_waits_while_its_month_is_settled_and_is_then_late() -> None:
    import_lines(*BASICS, usage_line("e1"))
    settled, started = Event(), Event()

    def settle() -> None:
        with transaction.atomic():
            month = UsageMonth.objects.select_for_update().get()
            started.set()
            settled.wait(0.5)
            assert UsageRecord.objects.count() == 1
            UsageMonth.objects.filter(pk=month.pk).update(unbilled=False)

    def arrive() -> None:
        started.wait(5)
        assert counts(import_lines(usage_line("e2"))) == (1, 0, 0)
        settled.set()

    at_once(settle, arrive)

    assert UsageRecord.objects.count() == 2
    assert UsageMonth.objects.get().unbilled


def test_a_whole_file_four_times() -> None:
    lines: list[Object] = [
        organization_line(billing={"company": "Atlas"}),
        organization_line("orga_lab", parent="orga_atlas"),
        resource_line(),
        meter_line(),
        price_line(),
        price_line(valid_from="2026-07-01", unit_price="3"),
        plan_line(),
        add_on_line(),
        charge_line(),
        grant_line(),
        coupon_line(),
        usage_line(),
        payment_line(),
    ]

    results = [counts(report) for report in at_once(*[lambda: import_lines(*lines)] * 4)]

    assert [rejected for _, _, rejected in results] == [0, 0, 0, 0]
    assert sum(accepted for accepted, _, _ in results) == len(lines)
    assert Price.objects.filter(valid_to=None).count() == 1


def test_a_coupon_is_not_used_more_often_than_it_may_be() -> None:
    import_lines(coupon_line(maximum_uses=3), *(organization_line(f"o{n}") for n in range(4)))

    def use(organization: Organization) -> str:
        try:
            apply_coupon(coupon_name="WELCOME", organization=organization, user=None, at=AT)
        except CouponRefused as error:
            return str(error.code)
        return "used"

    owners = list(Organization.objects.all())
    results = at_once(*(lambda owner=owner: use(owner) for owner in owners * 2))

    assert results.count("used") == 3
    assert (CouponUse.objects.count(), CreditGrant.objects.count()) == (3, 3)


def test_a_currency_does_not_change_under_a_grant() -> None:
    for attempt in range(5):
        name = f"o{attempt}"
        import_lines(organization_line(name))
        at_once(
            lambda name=name: import_lines(grant_line(f"G-{name}", organization=name)),  # type: ignore[misc]
            lambda name=name: import_lines(organization_line(name, currency="USD")),  # type: ignore[misc]  # on purpose
        )

    for grant in CreditGrant.objects.select_related("organization"):
        assert grant.currency == grant.organization.currency


def test_partitions_of_new_months_are_made_once() -> None:
    import_lines(*BASICS)
    months = [date(2019, month, 1) for month in range(1, 13)]

    def client(seed: int) -> int:
        mine = list(months)
        random.Random(seed).shuffle(mine)
        return sum(
            import_lines(usage_line(f"{seed}-{month}", start=f"{month}T10:00:00Z", end=f"{month}T11:00:00Z")).accepted
            for month in mine
        )

    assert at_once(*(lambda seed=seed: client(seed) for seed in range(4))) == [12] * 4
