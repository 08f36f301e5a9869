"""Measures a close, issuing, and the floor of the close in one database, and prints how they compare."""

import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from statistics import median
from time import perf_counter

from django.core.management import call_command
from django.db import DatabaseError, connection
from msgspec import Struct

from tests.benchmarks.data import RECORDS_PER_ORGANIZATION, load
from tests.benchmarks.floor import TABLES, contents, run_floor


class Run(Struct, frozen=True):
    """What some workers did together: invoices, seconds, and the largest memory of one of them in bytes."""

    done: int
    seconds: float
    peak_bytes: int


def measure(organizations: int, *, workers: int, repeat: int) -> None:
    """Load, then measure the floor and the close in turn, then issuing; exits with 1 if floor and close disagree."""
    started = perf_counter()
    call_command("migrate", verbosity=0, skip_checks=True)
    load(organizations)
    _say(
        f"loaded:   {organizations:,} organizations, {organizations * RECORDS_PER_ORGANIZATION:,} usage records",
        started,
    )
    floors: list[float] = []
    closes: list[Run] = []
    for _ in range(repeat):
        floors.append(_floor())
        _reset()
        closes.append(_work("close", workers))
        _say(f"close:    {closes[-1].seconds:.2f} s")
        _compare()
    floors.append(_floor())
    issue = _work("issue", 1)
    _report(organizations, workers, floors, closes, issue)


def _floor() -> float:
    _quiet()
    seconds = run_floor()
    _say(f"floor:    {seconds:.2f} s")
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
    return Run(reports[0]["done"], seconds, max(report["peak_bytes"] for report in reports))


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


def _reset() -> None:
    """Take back the close before, and leave its tables as small as they were."""
    computed = [f"billing_{table}" for table in reversed(TABLES)]
    with connection.cursor() as cursor:
        for table in (*computed, "billing_closebatch"):
            cursor.execute(f"DELETE FROM {table}")
        if connection.vendor == "postgresql":
            cursor.execute(f"VACUUM FULL {', '.join(computed)}")


def _compare() -> None:
    floor, close = contents("floor"), contents("billing")
    if floor != close:
        sys.exit(f"The close and the floor disagree.\nfloor: {floor}\nclose: {close}")


def _report(organizations: int, workers: int, floors: Sequence[float], closes: Sequence[Run], issue: Run) -> None:
    seconds, floor = median([run.seconds for run in closes]), median(floors)
    peak_mb = max(run.peak_bytes for run in closes) / 1e6
    _say(
        f"\nClosed {organizations:,} organizations with {workers} worker(s) in {seconds:.2f} s:"
        f" {organizations / seconds:,.0f} organizations/s,"
        f" {organizations * RECORDS_PER_ORGANIZATION / seconds:,.0f} usage records/s"
        f"\nPeak memory of a worker: {peak_mb:.0f} MB"
        f"\nRatio to the floor ({floor:.2f} s): {seconds / floor:.2f}"
        f"\nIssued {issue.done:,} invoices in {issue.seconds:.2f} s: {issue.done / issue.seconds:,.0f} invoices/s,"
        f" peak memory {issue.peak_bytes / 1e6:.0f} MB"
    )


def _say(text: str, since: float | None = None) -> None:
    sys.stdout.write(text if since is None else f"{text} in {perf_counter() - since:.1f} s")
    sys.stdout.write("\n")
    sys.stdout.flush()
