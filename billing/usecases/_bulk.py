"""Writing many rows at once: COPY on PostgreSQL, executemany on SQLite, with ids that are known up front.

Like hand-written SQL it fills every column itself: nothing has a default here, and no signal is sent.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

from django.db import connections, models, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from msgspec import Raw, json

type Value = int | str | bool | date | datetime | bytes | None
type Row = tuple[Value, ...]


def bulk_write(connection: BaseDatabaseWrapper, table: str, columns: Sequence[str], rows: Iterable[Row]) -> int:
    """Insert rows into a table and return how many; the values of each are in the order of `columns`.

    Values are Python's own: datetimes with a time zone, JSON as its text, unit prices as their digits. Rows may be a
    generator and are not kept. Raises the errors of the database, and ValueError for a datetime without a time zone.
    """
    if connection.vendor == "postgresql":
        # psycopg is an extra, absent where everything lives in SQLite.
        from billing.usecases._copy import copy_rows

        return copy_rows(connection, table, columns, rows)
    return _insert_rows(connection, table, columns, rows)


def bulk_change(connection: BaseDatabaseWrapper, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Change rows of a table: the first of the `columns` is its key, the others get the values given here.

    Values are as for `bulk_write`. A key may come once only. Django's bulk_update takes 4 ms for a row of ten columns.
    """
    rows = list(rows)
    if rows and connection.vendor == "postgresql":
        _update_from_json(connection, table, columns, rows)
    elif rows:
        key, *changed = map(connection.ops.quote_name, columns)
        values = ", ".join(f"{name} = %s" for name in changed)
        statement = f"UPDATE {connection.ops.quote_name(table)} SET {values} WHERE {key} = %s"  # noqa: S608
        with connection.cursor() as cursor:
            cursor.executemany(statement, [(*row[1:], row[0]) for row in map(_as_stored, rows)])


def allocate_ids(model: type[models.Model], count: int) -> Sequence[int]:
    """Reserve `count` ids of a model in ascending order, a range when nobody else took one meanwhile.

    They are gone for good, whatever becomes of the transaction on PostgreSQL; on SQLite they return with its end.
    """
    if count <= 0:
        return range(0)
    using = router.db_for_write(model)
    table = model._meta.db_table
    with transaction.atomic(using=using, savepoint=False):
        if connections[using].vendor == "postgresql":
            return _next_values(connections[using], table, count)
        return _after_last_id(connections[using], table, count)


def _next_values(connection: BaseDatabaseWrapper, table: str, count: int) -> Sequence[int]:
    # One call of nextval per id: jumping ahead with setval could hand out what another session takes in between.
    # The inner SELECT looks the sequence up once, not once per id.
    values = "SELECT nextval((SELECT pg_get_serial_sequence(%s, 'id')::regclass)) AS id FROM generate_series(1, %s)"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT min(id), max(id) FROM ({values}) AS taken", [table, count])  # noqa: S608
        first, last = cursor.fetchone()
        if last - first == count - 1:
            return range(first, last + 1)
        # Somebody took ids in between: leave these, and take others that are read one by one.
        cursor.execute(values, [table, count])
        return [row[0] for row in cursor.fetchall()]


def _after_last_id(connection: BaseDatabaseWrapper, table: str, count: int) -> range:
    # The transaction holds the only write lock. AUTOINCREMENT remembers the highest id ever given in sqlite_sequence.
    quoted = connection.ops.quote_name(table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = %s), 0),"  # noqa: S608
            f" coalesce((SELECT max(id) FROM {quoted}), 0))",
            [table],
        )
        last = int(cursor.fetchone()[0])
        cursor.execute("UPDATE sqlite_sequence SET seq = %s WHERE name = %s", [last + count, table])
        if not cursor.rowcount:
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, last + count])
    return range(last + 1, last + count + 1)


def _insert_rows(connection: BaseDatabaseWrapper, table: str, columns: Sequence[str], rows: Iterable[Row]) -> int:
    names = ", ".join(map(connection.ops.quote_name, columns))
    places = ", ".join(["%s"] * len(columns))
    statement = f"INSERT INTO {connection.ops.quote_name(table)} ({names}) VALUES ({places})"  # noqa: S608
    written = 0

    def stored() -> Iterator[tuple[Any, ...]]:
        nonlocal written
        for row in rows:
            written += 1
            yield _as_stored(row)

    with connection.cursor() as cursor:
        cursor.executemany(statement, stored())  # type: ignore[arg-type]  # Django takes iterators too
    return written


def _update_from_json(connection: BaseDatabaseWrapper, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """All rows in one statement, as one parameter that is quick to make and to read."""
    key, *changed = map(connection.ops.quote_name, columns)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = %s::regclass", [table]
        )
        types = dict(cursor.fetchall())
        given = ", ".join(f"{connection.ops.quote_name(name)} {types[name]}" for name in columns)
        values = ", ".join(f"{name} = given.{name}" for name in changed)
        documents = [
            {
                # JSON comes as its text, which has to stand in the document as it is.
                name: Raw(value) if types[name] == "jsonb" and isinstance(value, str) else value
                for name, value in zip(columns, row, strict=True)
            }
            for row in rows
        ]
        cursor.execute(
            f"UPDATE {connection.ops.quote_name(table)} AS changed SET {values}"  # noqa: S608
            f" FROM json_to_recordset(%s) AS given ({given}) WHERE changed.{key} = given.{key}",
            [json.encode(documents).decode()],
        )


def _as_stored(row: Row) -> tuple[Any, ...]:
    return tuple([adapt(value) if (adapt := _AS_STORED.get(type(value))) else value for value in row])


def _stored_datetime(instant: datetime) -> str:
    """As Django stores it: UTC, without the offset, microseconds only when there are any."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant.isoformat()} is not an instant: it has no time zone.")
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(" ")


_AS_STORED: dict[type, Any] = {datetime: _stored_datetime, date: date.isoformat}
