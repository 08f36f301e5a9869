"""How fast is usage taken in? Posts batches to one web process over HTTP, next to COPY of the same rows: the floor.

    .venv/bin/python -m tests.benchmarks.ingestion --database postgres://postgres@127.0.0.1:5432/benchmark

The floor has nothing to read, check or compare: rows that are text already go into the same table, one transaction per
batch. The database is its own: it is created for the run and dropped after it. The last line is a ratio to watch.
"""

import os
from argparse import ArgumentParser, Namespace

import django

from tests.benchmarks.databases import fresh_database


def main() -> None:
    """Run the benchmark with the options of the command line."""
    options = _parse()
    with fresh_database(options.database, keep=False) as url:
        os.environ["DATABASE_URL"] = url
        os.environ["API_REQUESTS_PER_MINUTE"] = "0"
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
        django.setup()
        from tests.benchmarks.ingesting import measure  # needs Django's settings

        measure(options.records, batches=options.batch or [1_000, 5_000], rounds=options.rounds)


def _parse() -> Namespace:
    parser = ArgumentParser(prog="python -m tests.benchmarks.ingestion", description=__doc__)
    parser.add_argument("--database", metavar="URL", required=True, help="a PostgreSQL database to create")
    parser.add_argument("--records", type=int, default=200_000, help="per measure (200000)")
    parser.add_argument("--batch", type=int, action="append", help="records a request (1000 and 5000)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured; the best counts (3)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
