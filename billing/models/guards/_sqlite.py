"""The guards of SQLite, all row-level: there are no others.

INSERT OR REPLACE and UPDATE OR REPLACE remove the rows in their way without asking DELETE triggers, so here a guard
stands before every write that would remove a frozen row.
"""

from collections.abc import Iterator

from django.db.backends.base.base import BaseDatabaseWrapper

from billing.models.guards._rules import (
    ARCHIVE,
    BOOKED,
    HASH,
    INVOICES,
    ISSUED,
    LEDGERS,
    MOVABLE,
    PARTS,
    PREFIX,
    STORED,
    TABLES,
)

# The unique keys of documents, and when two documents of the same key exclude each other.
_KEYS = (
    (("id",), "TRUE"),
    (("legal_entity_id", "number"), "TRUE"),
    (("legal_entity_id", "kind", "counter"), "TRUE"),
    (
        ("organization_id", "consumption_month"),
        "NEW.kind = 'invoice' AND frozen.kind = 'invoice' AND NEW.document_state <> 'discarded'"
        " AND NOT NEW.released AND NOT frozen.released",
    ),
)
_IN_THE_WAY = " OR ".join(
    f"EXISTS (SELECT 1 FROM {INVOICES} AS frozen WHERE frozen.document_state = 'issued' AND {condition} AND "
    + " AND ".join(f"frozen.{column} = NEW.{column}" for column in key)
    + "{but_itself})"
    for key, condition in _KEYS
)


def _trigger(table: str, event: str, condition: str, message: str) -> tuple[str, str]:
    name = f"{PREFIX}{table}_{event.lower()}"
    return name, (
        f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW WHEN {condition}"
        f" BEGIN SELECT RAISE(ABORT, '{message}'); END"
    )


def _documents(columns: list[str]) -> Iterator[tuple[str, str]]:
    changes = [f"NEW.{column} IS NOT OLD.{column}" for column in columns if column not in (*MOVABLE, HASH)]
    changes.append(f"(OLD.{HASH} <> '' AND NEW.{HASH} IS NOT OLD.{HASH})")
    changed = f"OLD.document_state = 'issued' AND ({' OR '.join(changes)})"
    gets_key = "NEW.id IS NOT OLD.id OR NEW.number IS NOT OLD.number OR NEW.counter IS NOT OLD.counter"
    gets_month = "NEW.organization_id IS NOT OLD.organization_id OR NEW.consumption_month IS NOT OLD.consumption_month"
    in_the_way = _IN_THE_WAY.format(but_itself=" AND frozen.id <> OLD.id")
    yield _trigger(INVOICES, "UPDATE", f"{changed} OR (({gets_key} OR {gets_month}) AND ({in_the_way}))", ISSUED)
    yield _trigger(INVOICES, "DELETE", "OLD.document_state = 'issued'", ISSUED)
    yield _trigger(INVOICES, "INSERT", _IN_THE_WAY.format(but_itself=""), ISSUED)


def _parts(table: str, columns: list[str]) -> Iterator[tuple[str, str]]:
    old, new = _is_issued("OLD.invoice_id"), _is_issued("NEW.invoice_id")
    if "id" in columns:
        new += " OR " + _is_issued(f"(SELECT invoice_id FROM {table} WHERE id = NEW.id)")
    yield _trigger(table, "INSERT", new, ISSUED)
    yield _trigger(table, "UPDATE", f"{old} OR {new}", ISSUED)
    yield _trigger(table, "DELETE", old, ISSUED)


def _is_issued(id_: str) -> str:
    return f"EXISTS (SELECT 1 FROM {INVOICES} WHERE id = {id_} AND document_state = 'issued')"


def _ledger(table: str) -> Iterator[tuple[str, str]]:
    message = BOOKED[table]
    yield _trigger(table, "INSERT", f"EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id)", message)
    yield _trigger(table, "UPDATE", "TRUE", message)
    yield _trigger(table, "DELETE", "TRUE", message)


def _archive() -> Iterator[tuple[str, str]]:
    """Its key is that of the document: a row that takes it away is in the way of one that is there."""
    taken = f"EXISTS (SELECT 1 FROM {ARCHIVE} WHERE invoice_id = NEW.invoice_id)"
    yield _trigger(ARCHIVE, "INSERT", taken, STORED)
    yield _trigger(
        ARCHIVE, "UPDATE", f"OLD.state = 'stored' OR (NEW.invoice_id IS NOT OLD.invoice_id AND {taken})", STORED
    )
    yield _trigger(ARCHIVE, "DELETE", "TRUE", STORED)


def _wanted(connection: BaseDatabaseWrapper) -> dict[str, str]:
    """All triggers by name; they compare the columns that the table has now."""
    columns = {table: _columns(connection, table) for table in TABLES}
    triggers: list[tuple[str, str]] = []
    if HASH in columns[INVOICES]:
        triggers += _documents(columns[INVOICES])
        for table in PARTS:
            triggers += _parts(table, columns[table])
    for table in LEDGERS:
        if columns[table]:
            triggers += _ledger(table)
    if columns[ARCHIVE]:
        triggers += _archive()
    return dict(triggers)


def _columns(connection: BaseDatabaseWrapper, table: str) -> list[str]:
    """The columns of a table, none when it does not exist."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pragma_table_info(%s) ORDER BY cid", [table])
        return [name for (name,) in cursor.fetchall()]


def _installed(connection: BaseDatabaseWrapper) -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        return {name: sql for name, sql in cursor.fetchall() if name.startswith(PREFIX)}


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    """See `billing.models.guards.missing_guards`."""
    installed = _installed(connection)
    return [name for name, statement in _wanted(connection).items() if installed.get(name) != statement]


def create(connection: BaseDatabaseWrapper) -> None:
    """Create all triggers; they must not be there."""
    with connection.cursor() as cursor:
        for statement in _wanted(connection).values():
            cursor.execute(statement)


def drop(connection: BaseDatabaseWrapper) -> None:
    """Drop every trigger of ours, of other versions too."""
    with connection.cursor() as cursor:
        for name in _installed(connection):
            cursor.execute(f"DROP TRIGGER {name}")
