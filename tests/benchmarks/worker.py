"""A process of the benchmark: says when it is ready, waits to be told to start, works, and reports.

python -m tests.benchmarks.worker close|issue
"""

import json
import resource
import sys
from pathlib import Path

import django


def main() -> None:
    """Close or issue the benchmark's month, with everything imported and connected before."""
    django.setup()
    from django.db import connection

    from billing.usecases.close_month import close_month
    from billing.usecases.issue_invoices import issue_invoices
    from tests.benchmarks.data import CLOSED_AT, MONTH

    connection.ensure_connection()
    _say("ready")
    sys.stdin.readline()
    if sys.argv[1] == "close":
        done = close_month(month=MONTH, at=CLOSED_AT).invoices
    else:
        done = len(issue_invoices(month=MONTH, at=CLOSED_AT).numbers)
    _say(json.dumps({"done": done, "peak_bytes": _peak_bytes()}))


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
