"""The guards of what is issued are there after `migrate`, whatever its migrations did to the tables."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

CHECKOUT = Path(__file__).resolve().parents[3]
MISSING = (
    "from django.db import connection; from billing.models.guards import missing_guards as m; print(m(connection))"
)


def manage(*arguments: str, database: Path) -> str:
    """What manage.py prints on a database of its own."""
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{database}", "DJANGO_SETTINGS_MODULE": "tests.settings"}
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip().splitlines()[-1] if done.stdout else ""


def test_tables_that_sqlite_remakes_are_guarded_again(tmp_path: Path) -> None:
    database = tmp_path / "remade.sqlite3"
    manage("migrate", "-v0", database=database)
    # Back to before invoices had a hash, and before there were events.
    manage("migrate", "-v0", "billing", "0004", database=database)

    manage("migrate", "-v0", database=database)

    assert manage("shell", "-v0", "-c", MISSING, database=database) == "[]"
