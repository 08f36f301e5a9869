"""Measures a close, issuing, and the floor of the close in one database, and prints how they compare."""

import json
import subprocess
import sys
from contextlib import suppress
from time import perf_counter

from django.core.management import call_command
from django.db import DatabaseError, connection
from msgspec import Struct

from tests.benchmarks.data import RECORDS_PER_ORGANIZATION, load
from tests.benchmarks.floor import contents, run_floor


class Run(Struct, frozen=True):
    """What some workers did together: invoices, seconds, and the largest memory of one of them in bytes.

    `rates` are the invoices a second of each quarter, where that was measured.
    """

    done: int
    seconds: float
    peak_bytes: int
    rates: list[int]


def measure(organizations: int, *, workers: int) -> None:
    """Load, measure the floor, the close, the floor again, and issuing; exits if floor and close disagree."""
    started = perf_counter()
    call_command("migrate", verbosity=0, skip_checks=True)
    load(organizations)
    records = organizations * RECORDS_PER_ORGANIZATION
    _say(f"loaded {organizations:,} organizations and {records:,} usage records in {perf_counter() - started:.0f} s")
    before = _floor()
    close = _work("close", workers)
    _say(
        f"closed by {workers} worker(s) in {close.seconds:.2f} s: {organizations / close.seconds:,.0f} organizations/s,"
        f" {records / close.seconds:,.0f} usage records/s, peak memory of a worker {close.peak_bytes / 1e6:.0f} MB"
    )
    _compare()
    after = _floor()
    _say(f"ratio to the floor (mean of both): {close.seconds / (before + after) * 2:.2f}")
    issue = _work("issue", 1)
    _say(
        f"issued {issue.done:,} invoices in {issue.seconds:.2f} s: {issue.done / issue.seconds:,.0f} invoices/s,"
        f" by quarters {', '.join(f'{rate:,}' for rate in issue.rates)}, peak memory {issue.peak_bytes / 1e6:.0f} MB"
    )


def _floor() -> float:
    _quiet()
    seconds = run_floor()
    _say(f"the floor took {seconds:.2f} s")
    return seconds


def _work(task: str, workers: int) -> Run:
    """Let processes work together, from when all are ready until the last one is done."""
    _quiet()
    command = [sys.executable, "-m", "tests.benchmarks.worker", task]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(workers)
    ]
    for process in processes:
        _line(process)
    started = perf_counter()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    reports = [json.loads(_line(process)) for process in processes]
    seconds = perf_counter() - started
    for process in processes:
        process.communicate()
    return Run(reports[0]["done"], seconds, max(report["peak_bytes"] for report in reports), reports[0]["rates"])


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        sys.exit("A worker of the benchmark failed; its error is above.")
    return line


def _quiet() -> None:
    """Start every measure with no work of the one before left to the database."""
    with suppress(DatabaseError), connection.cursor() as cursor:
        cursor.execute("CHECKPOINT" if connection.vendor == "postgresql" else "PRAGMA wal_checkpoint(TRUNCATE)")


def _compare() -> None:
    floor, close = contents("floor"), contents("billing")
    if floor != close:
        sys.exit(f"The close and the floor disagree.\nfloor: {floor}\nclose: {close}")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
