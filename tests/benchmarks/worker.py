"""A process of the benchmark: says when it is ready, waits to be told to start, works, and reports.

python -m tests.benchmarks.worker close|issue
"""

import json
import resource
import sys
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from typing import Any

import django


def main() -> None:
    """Close or issue the benchmark's month, with everything imported and connected before."""
    django.setup()
    from django.db import connection

    from billing.usecases.close_month import close_month
    from tests.benchmarks.data import CLOSED_AT, MONTH

    connection.ensure_connection()
    _say("ready")
    sys.stdin.readline()
    rates: list[int] = []
    if sys.argv[1] == "close":
        done = close_month(month=MONTH, at=CLOSED_AT).invoices
    else:
        done, rates = _issue()
    _say(json.dumps({"done": done, "peak_bytes": _peak_bytes(), "rates": rates}))


def _issue() -> tuple[int, list[int]]:
    """Issue the month; how many invoices, and how many a second in each quarter of the run."""
    from billing.usecases import issue_invoices as module
    from tests.benchmarks.data import CLOSED_AT, MONTH

    issue_batch, stamps = module._issue_batch, [(0, perf_counter())]

    def issue_and_look_at_the_clock(*arguments: Any) -> module.IssueReport:
        report = issue_batch(*arguments)
        stamps.append((stamps[-1][0] + len(report.numbers), perf_counter()))
        return report

    module._issue_batch = issue_and_look_at_the_clock  # type: ignore[assignment]  # takes whatever it is given
    done = len(module.issue_invoices(month=MONTH, at=CLOSED_AT).numbers)
    quarters = [stamps[round((len(stamps) - 1) * quarter / 4)] for quarter in range(5)]
    return done, [round((there[0] - here[0]) / (there[1] - here[1])) for here, there in pairwise(quarters)]


def _peak_bytes() -> int:
    """The most memory that this process had; on Linux getrusage() would count its parent's before it was replaced."""
    status = Path("/proc/self/status")
    if status.exists():
        fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(fields["VmHWM"].split()[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
