"""Measures COPY and the API in turns, on the same records, into the same table."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import batched
from time import perf_counter
from typing import Any

from django.core.management import call_command
from django.db import connection

from billing.models import Meter, Resource, UsageRecord
from billing.queries.months import billing_zone
from billing.usecases._references import References
from billing.usecases._usage_checks import NewUsage, Rejection, UsageChecker
from billing.usecases._usage_partitions import ensure_partitions
from billing.usecases._usage_store import COLUMNS
from billing.usecases.create_api_key import create_api_key
from organizations.models import Organization

ORGANIZATIONS = 1_000
RESOURCES = 5
METERS = 4
START = datetime(2026, 10, 1, 6, tzinfo=UTC)


def measure(records: int, *, batches: list[int], rounds: int) -> None:
    """Load who the records are of, then measure; the best round of each counts."""
    call_command("migrate", verbosity=0, skip_checks=True)
    load()
    key = create_api_key(name="benchmark", scopes=["usage:write"], actor=None, at=datetime.now(UTC)).key
    with serving() as port:
        for size in batches:
            floor = rate = 0.0
            for _ in range(rounds):
                objects = list(make_records(records))
                floor = max(floor, records / copy(objects, size))
                rate = max(rate, records / post(objects, size, port, key))
            say(
                f"batches of {size:,}: COPY {floor:,.0f} records/s, the API {rate:,.0f} records/s, "
                f"ratio {rate / floor:.2f}"
            )


def load() -> None:
    """Organizations with resources, and meters."""
    organizations = Organization.objects.bulk_create(
        Organization(external_id=f"orga_{number:06}", name="Atlas", opened_on="2026-01-01")
        for number in range(ORGANIZATIONS)
    )
    Resource.objects.bulk_create(
        Resource(external_id=f"app_{number:06}", organization=organizations[number // RESOURCES], name="api")
        for number in range(ORGANIZATIONS * RESOURCES)
    )
    Meter.objects.bulk_create(
        Meter(code=f"meter.{number}", name="Meter", unit="second", category="runtime") for number in range(METERS)
    )
    ensure_partitions({START.date().replace(day=1)})


def make_records(count: int) -> Iterator[dict[str, str]]:
    """As a platform would send them: the meters of a resource, one resource after the other, hour after hour."""
    for number in range(count):
        hour, resource = divmod(number // METERS * 7, ORGANIZATIONS * RESOURCES)
        start = START + timedelta(hours=hour % 600)
        yield {
            "source": "scaler",
            "event_id": f"{number:012x}-{resource:06}",
            "organization": f"orga_{resource // RESOURCES:06}",
            "resource": f"app_{resource:06}",
            "meter": f"meter.{number % METERS}",
            "zone": "par",
            "start": f"{start:%Y-%m-%dT%H:%M:%SZ}",
            "end": f"{start + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
            "quantity": f"{number % 3600}.{number % 100:02}",
        }


def copy(objects: list[dict[str, str]], size: int) -> float:
    """The floor: seconds that COPY takes for the rows that the API would store, their text made beforehand."""
    empty()
    texts = ["".join(lines) for lines in batched(rows_as_text(objects), size, strict=False)]
    statement = f"COPY {UsageRecord._meta.db_table} ({', '.join(COLUMNS)}) FROM STDIN"
    started = perf_counter()
    with connection.cursor() as cursor:
        for text in texts:
            with cursor.copy(statement) as copying:  # in autocommit: a transaction each
                copying.write(text)
    return checked(perf_counter() - started, len(objects))


def rows_as_text(objects: list[dict[str, str]]) -> Iterator[str]:
    """The stored rows in COPY's text format."""
    import msgspec

    checker = UsageChecker(at=datetime.now(UTC), zone=billing_zone(), references=References())
    received_at = datetime.now(UTC)
    refused: list[Rejection] = []
    arrivals = checker.check(msgspec.convert(objects, list[NewUsage]), refused)
    for id_, arrival in enumerate(arrivals, 10**9):
        (part,) = arrival.parts
        keys = (arrival.organization_id, arrival.resource_id, arrival.meter_id, arrival.zone)
        values = (
            *(id_, part.month, arrival.source, arrival.event_id, 0, *keys, part.start, part.end, part.quantity_micro),
            *(f"\\\\x{arrival.content_hash.hex()}", received_at),
        )
        yield "\t".join(map(str, values)) + "\n"
    assert not refused


def post(objects: list[dict[str, str]], size: int, port: int, key: str) -> float:
    """Seconds that one client takes to post all records, their JSON made beforehand."""
    empty()
    bodies = [json.dumps(batch).encode() for batch in batched(objects, size, strict=False)]
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    started = perf_counter()
    for body in bodies:
        client.request("POST", "/api/usage", body, headers)
        response = client.getresponse()
        answer = response.read()
        assert response.status == 200, answer
        assert json.loads(answer)["rejected"] == []
    return checked(perf_counter() - started, len(objects))


def checked(seconds: float, expected: int) -> float:
    """The seconds, once everything is there."""
    assert UsageRecord.objects.count() == expected
    return seconds


def empty() -> None:
    """Start every measure alike."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE billing_usagerecord, billing_usagemonth CASCADE")
        cursor.execute("VACUUM ANALYZE billing_usagerecord")
        cursor.execute("CHECKPOINT")


@contextmanager
def serving() -> Iterator[int]:
    """One web process: gunicorn with one worker, as the README starts it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "-w", "1", "-b", f"127.0.0.1:{port}", "config.wsgi"]
    server: subprocess.Popen[Any] = subprocess.Popen(command, env={**os.environ}, stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield port
    finally:
        server.terminate()
        server.wait()


def say(text: str) -> None:
    """Print at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
