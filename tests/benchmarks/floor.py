"""The floor: the close's work as one hand-written SQL script, into tables that cost as much to insert into."""

import re
from pathlib import Path
from time import perf_counter

from django.db import connection, transaction

from billing.models import MonthClose
from tests.benchmarks.data import MONTH

TABLES = ("invoice", "invoiceline", "creditstatement", "taxsubtotal", "usagedetail", "closeoutcome")

_SCRIPT = Path(__file__).with_name("floor.sql").read_text()


def run_floor() -> float:
    """Run the script in one transaction, into fresh tables; returns the seconds it took."""
    _create_tables()
    MonthClose.objects.get_or_create(legal_entity_id=1, month=MONTH.first_day)
    statements = [statement for statement in re.sub(r"--.*", "", _SCRIPT).split(";") if statement.strip()]
    started = perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    return perf_counter() - started


def contents(prefix: str) -> dict[str, int]:
    """How many rows the tables of the floor or of the close hold, and their amounts: both must agree."""
    found = {}
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT count(*) FROM {prefix}_{table}")
            found[table] = cursor.fetchone()[0]
        for table, column in (
            ("invoice", "total_cents"),
            ("invoiceline", "net_cents"),
            ("creditstatement", "used_free_cents"),
            ("taxsubtotal", "vat_cents"),
            ("usagedetail", "amount_cents"),
            ("closeoutcome", "own_consumption_cents"),
        ):
            cursor.execute(f"SELECT sum({column}) FROM {prefix}_{table}")
            found[f"{table}.{column}"] = int(cursor.fetchone()[0] or 0)
    return found


def _create_tables() -> None:
    with connection.cursor() as cursor:
        for table in reversed(TABLES):
            cursor.execute(f"DROP TABLE IF EXISTS floor_{table}")
    copy = _copy_on_postgresql if connection.vendor == "postgresql" else _copy_on_sqlite
    for table in TABLES:
        copy(table)


def _copy_on_postgresql(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE floor_{table} (LIKE billing_{table} INCLUDING ALL)")
        cursor.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f' AND conrelid = %s::regclass",
            [f"billing_{table}"],
        )
        for (definition,) in cursor.fetchall():
            cursor.execute(f"ALTER TABLE floor_{table} ADD {_renamed(definition)}")


def _copy_on_sqlite(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT sql FROM sqlite_master WHERE tbl_name = %s AND sql IS NOT NULL", [f"billing_{table}"])
        for (definition,) in sorted(cursor.fetchall(), key=lambda row: not row[0].startswith("CREATE TABLE")):
            name_of_index = r'(?<=INDEX )"(\w+)"'
            cursor.execute(_renamed(re.sub(name_of_index, r'"floor_\1"', definition)))


def _renamed(definition: str) -> str:
    """The definition with the tables of the close replaced by the floor's."""
    return re.sub(rf'\bbilling_({"|".join(TABLES)})(?=["( ])', r"floor_\1", definition)
