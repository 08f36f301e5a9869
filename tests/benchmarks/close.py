"""How fast is a month closed? Loads organizations and usage, closes the month, and compares it with hand-written SQL.

    .venv/bin/python -m tests.benchmarks.close --organizations 10000 --workers 2 \
        --database postgres://postgres@127.0.0.1:5432/benchmark

The database is its own: it is created for the run and dropped after it.
"""

import os
from argparse import ArgumentParser, Namespace

import django

from tests.benchmarks.databases import fresh_database


def main() -> None:
    """Run the benchmark with the options of the command line."""
    options = _parse()
    with fresh_database(options.database, keep=options.keep) as url:
        os.environ["DATABASE_URL"] = url
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
        django.setup()
        from tests.benchmarks.measures import measure  # needs Django's settings

        measure(options.organizations, workers=options.workers)


def _parse() -> Namespace:
    parser = ArgumentParser(prog="python -m tests.benchmarks.close", description=__doc__)
    parser.add_argument("--organizations", type=int, default=10_000, help="each with 100 usage records (10000)")
    parser.add_argument("--workers", type=int, default=1, help="processes that close the month together (1)")
    parser.add_argument("--database", metavar="URL", help="a database to create; by default a temporary SQLite file")
    parser.add_argument("--keep", action="store_true", help="do not drop the database")
    return parser.parse_args()


if __name__ == "__main__":
    main()
