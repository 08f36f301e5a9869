"""Several programs at once: the same charge twice, one event stream from four sides."""

import json
import random
from bisect import bisect
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import batched
from threading import Barrier
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.db.models import F, Sum

from billing.models import ApiAnswer, Charge, CreditEntry, UsageDetail, UsageRecord
from tests.builders.api import Program, make_key
from tests.builders.closing import broken_promises, close_and_issue, make_metered_price, month
from tests.builders.organizations import make_organization
from tests.builders.usage import make_meter, make_resource

from .test_objects import CHARGE, GRANT

pytestmark = [
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer at a time"),
]

CLIENTS = 4


def at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    cache.clear()
    barrier = Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        try:
            barrier.wait()
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))


@pytest.mark.parametrize(
    ("url", "body", "model"), [("/api/charges", CHARGE, Charge), ("/api/credit-grants", GRANT, CreditEntry)]
)
@pytest.mark.parametrize("is_one_key", [True, False])
def test_of_the_same_request_at_once_one_is_executed(
    url: str, body: dict[str, str], model: Any, is_one_key: bool
) -> None:
    make_organization(external_id="orga_atlas")
    key = make_key()
    names = ["k1" if is_one_key else f"k{number}" for number in range(CLIENTS)]
    answers = at_once([partial(Program(key).post, url, body, headers={"Idempotency-Key": name}) for name in names])
    assert model.objects.count() == 1
    statuses = sorted(answer.status_code for answer in answers)
    if is_one_key:
        assert statuses == [201] * CLIENTS
        assert len({answer.content for answer in answers}) == ApiAnswer.objects.count() == 1
    else:
        assert statuses == [200] * (CLIENTS - 1) + [201]
        assert ApiAnswer.objects.count() == CLIENTS


def test_a_crash_in_between_leaves_neither_charge_nor_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    make_organization(external_id="orga_atlas")
    program = Program(make_key())

    def crash(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("billing.usecases.answer_once._forget_old", lambda at: None)
        patch.setattr(ApiAnswer.objects, "filter", crash)
        with pytest.raises(KeyboardInterrupt):
            program.post("/api/charges", CHARGE, headers={"Idempotency-Key": "k1"})
    assert not Charge.objects.exists()
    assert not ApiAnswer.objects.exists()
    assert program.post("/api/charges", CHARGE, headers={"Idempotency-Key": "k1"}).status_code == 201


def stream(count: int) -> list[dict[str, str]]:
    """Events over four months; every ninth spans two of them."""
    start = datetime(2026, 7, 1, tzinfo=UTC)
    events = []
    for number in range(count):
        begin = start + timedelta(minutes=number * 150_000 // count)
        end = begin + (timedelta(days=32) if number % 9 == 0 else timedelta(hours=1))
        events.append(
            {
                "source": f"scaler-{number % 3}",
                "event_id": f"e{number}",
                "organization": f"orga_{number % 4}",
                "resource": f"app_{number % 4}",
                "meter": "apps.S",
                "zone": "par",
                "start": begin.isoformat(),
                "end": end.isoformat(),
                "quantity": f"{number}.{number % 1000:03}",
            }
        )
    return events


def stored() -> set[tuple[Any, ...]]:
    rows = UsageRecord.objects.values_list(
        *("month", "source", "event_id", "part", "organization__external_id", "started_at", "ended_at"),
        "quantity_micro",
    )
    found = list(rows)
    assert len(found) == len(set(found))
    return set(found)


@pytest.mark.long
def test_shuffled_doubled_and_late_events_of_four_programs_are_stored_as_one_clean_file() -> None:
    for number in range(4):
        organization = make_organization(external_id=f"orga_{number}")
        make_resource(organization=organization, external_id=f"app_{number}")
    make_meter(code="apps.S")
    events = stream(10_000)
    key = make_key("usage:write")

    def send(seed: int) -> tuple[int, int]:
        chance = random.Random(seed)
        # Each sends a part of its own, and a third of everybody's, out of order.
        own = events[seed::CLIENTS] + chance.sample(events, len(events) // 3)
        chance.shuffle(own)
        accepted = unchanged = 0
        for batch in batched(own, 700, strict=False):
            answer = Program(key).post("/api/usage", json.dumps(batch).encode())
            assert answer.status_code == 200, answer.content
            assert answer.json()["rejected"] == []
            accepted += answer.json()["accepted"]
            unchanged += answer.json()["unchanged"]
        return accepted, unchanged

    counts = at_once([partial(send, seed) for seed in range(CLIENTS)])
    assert sum(accepted for accepted, _ in counts) == len(events)
    assert sum(unchanged for _, unchanged in counts) == CLIENTS * (len(events) // 3)
    from_programs = stored()

    UsageRecord.objects.all().delete()
    body = b"".join(json.dumps(event).encode() + b"\n" for event in events)
    answer = Program(key).post("/api/usage", body, content_type="application/x-ndjson")
    assert answer.json() == {"accepted": len(events), "unchanged": 0, "rejected": []}
    assert stored() == from_programs


MONTHS = ("2026-07", "2026-08", "2026-09", "2026-10", "2026-11")


def billed(prefix: str) -> dict[tuple[str, date], tuple[int, int]]:
    """What organizations were billed for each month of consumption, on whichever invoice: quantity and cents."""
    rows = UsageDetail.objects.filter(organization__external_id__startswith=prefix, meter__isnull=False).order_by()
    sums = rows.values_list("organization__external_id", "month").annotate(Sum("quantity_micro"), Sum("amount_cents"))
    return {(id_.removeprefix(prefix), month): (quantity, cents) for id_, month, quantity, cents in sums}


@pytest.mark.long
def test_whatever_arrives_late_a_month_costs_what_it_would_have_cost_in_time() -> None:
    """Twins consume the same: of one all arrives in time, of the other shuffled, doubled, and half of it late."""
    make_metered_price(tiers=[(500_000, "0.01"), (2_000_000, "0.007"), (None, "0.003")])
    for prefix in ("clean", "late"):
        for number in range(4):
            organization = make_organization(external_id=f"{prefix}_{number}", opened_on=date(2026, 7, 1))
            make_resource(organization=organization, external_id=f"{prefix}_app_{number}")
    key, chance = make_key("usage:write"), random.Random(1)
    events = sorted(stream(4_000), key=lambda event: event["end"])
    twins = {
        prefix: [
            {
                **event,
                "event_id": f"{prefix}-{event['event_id']}",
                "organization": event["organization"].replace("orga", prefix),
                "resource": event["resource"].replace("app", f"{prefix}_app"),
            }
            for event in events
        ]
        for prefix in ("clean", "late")
    }

    def send(chosen: list[dict[str, str]]) -> None:
        answer = Program(key).post("/api/usage", json.dumps(chosen).encode())
        assert (answer.status_code, answer.json()["rejected"]) == (200, [])

    for text in MONTHS:
        end = month(text).end
        with time_machine.travel(end + timedelta(hours=1), tick=False):
            known = bisect(events, end.isoformat(), key=lambda event: event["end"])
            send(twins["clean"][:known])
            share = known if text == MONTHS[-1] else known // 2
            at_once([partial(send, chance.sample(twins["late"][:known], share)) for _ in range(CLIENTS)])
        close_and_issue(text)

    assert UsageRecord.objects.filter(source__startswith="scaler").count() > len(events) * 2  # some span months
    assert billed("clean_") == billed("late_")
    assert len(billed("clean_")) == 4 * len(MONTHS)
    late = UsageDetail.objects.filter(organization__external_id__startswith="late_")
    assert late.exclude(month=F("invoice__consumption_month")).count() > 10
    assert not broken_promises()
