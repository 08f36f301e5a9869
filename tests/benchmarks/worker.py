"""A process of the benchmark: says when it is ready, waits to be told to start, works, and reports.

python -m tests.benchmarks.worker close|issue
"""

import json
import resource
import sys

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
    # Linux counts in KiB, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    _say(json.dumps({"done": done, "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit}))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
