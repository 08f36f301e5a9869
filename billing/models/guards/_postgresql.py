"""The guards of PostgreSQL.

Issued documents and ledgers have row-level triggers, which cost nothing where nobody changes anything. The parts are
written by the thousand, so their triggers run once per statement and look at all its rows in one query.
"""

from collections.abc import Iterator
from hashlib import sha256

from django.db.backends.base.base import BaseDatabaseWrapper

from billing.models.guards._rules import (
    ARCHIVE,
    BOOKED,
    EMPTIED,
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

# A copy of the new row with the old movable values: what else differs must not. It compares whole rows, so that
# columns of later migrations are guarded from the start.
_DOCUMENT = f"""
DECLARE
    compared {INVOICES}%ROWTYPE;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        compared := NEW;
        {"".join(f"compared.{column} := OLD.{column};" for column in MOVABLE)}
        IF OLD.{HASH} = '' THEN
            compared.{HASH} := '';
        END IF;
        IF compared IS NOT DISTINCT FROM OLD THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE integrity_constraint_violation USING MESSAGE = '{ISSUED}', DETAIL = 'Document ' || OLD.number;
END
"""

# `= ANY (array)` keeps the planner from reading all invoices to check a few.
_PARTS = f"""
DECLARE
    issued text;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        SELECT number INTO issued FROM {INVOICES} WHERE document_state = 'issued' AND id = ANY (ARRAY(
            SELECT invoice_id FROM touched UNION SELECT invoice_id FROM written
        )) LIMIT 1;
    ELSE
        SELECT number INTO issued FROM {INVOICES} WHERE document_state = 'issued' AND id = ANY (ARRAY(
            SELECT DISTINCT invoice_id FROM touched
        )) LIMIT 1;
    END IF;
    IF FOUND THEN
        RAISE integrity_constraint_violation USING MESSAGE = '{ISSUED}', DETAIL = 'Document ' || issued;
    END IF;
    RETURN NULL;
END
"""

_REFUSED = """
BEGIN
    RAISE integrity_constraint_violation USING MESSAGE = TG_ARGV[0], DETAIL = TG_OP || ' of ' || TG_TABLE_NAME;
END
"""

_FUNCTIONS = {f"{PREFIX}document": _DOCUMENT, f"{PREFIX}parts": _PARTS, f"{PREFIX}refused": _REFUSED}
_TRANSITIONS = {
    "INSERT": "NEW TABLE AS touched",
    "UPDATE": "OLD TABLE AS touched NEW TABLE AS written",
    "DELETE": "OLD TABLE AS touched",
}


def _triggers() -> Iterator[tuple[str, str, str]]:
    """Name, table, and the rest of each CREATE TRIGGER."""
    yield (
        f"{PREFIX}{INVOICES}",
        INVOICES,
        f"BEFORE UPDATE OR DELETE ON {INVOICES} FOR EACH ROW WHEN (OLD.document_state = 'issued')"
        f" EXECUTE FUNCTION {PREFIX}document()",
    )
    for table in PARTS:
        for event, transition in _TRANSITIONS.items():
            yield (
                f"{PREFIX}{table}_{event.lower()}",
                table,
                f"AFTER {event} ON {table} REFERENCING {transition} FOR EACH STATEMENT"
                f" EXECUTE FUNCTION {PREFIX}parts()",
            )
    for table in LEDGERS:
        yield (
            f"{PREFIX}{table}",
            table,
            f"BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {PREFIX}refused('{BOOKED[table]}')",
        )
    refused = f"FOR EACH ROW {{}} EXECUTE FUNCTION {PREFIX}refused('{STORED}')"
    stored = refused.format("WHEN (OLD.state = 'stored')")
    yield f"{PREFIX}{ARCHIVE}_update", ARCHIVE, f"BEFORE UPDATE ON {ARCHIVE} {stored}"
    yield f"{PREFIX}{ARCHIVE}_delete", ARCHIVE, f"BEFORE DELETE ON {ARCHIVE} {refused.format('')}"
    for table in TABLES:
        yield (
            f"{PREFIX}{table}_truncate",
            table,
            f"BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {PREFIX}refused('{EMPTIED}')",
        )


_TRIGGERS = tuple(_triggers())
# Written on each trigger as its comment: that of another version is replaced.
_VERSION = sha256(repr((_FUNCTIONS, _TRIGGERS)).encode()).hexdigest()[:16]


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    """See `billing.models.guards.missing_guards`."""
    tables = _tables(connection)
    with connection.cursor() as cursor:
        cursor.execute("SELECT proname, prosrc FROM pg_proc WHERE proname = ANY (%s)", [list(_FUNCTIONS)])
        in_force = {name for name, body in cursor.fetchall() if body == _FUNCTIONS[name]}
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = ANY (%s::regclass[])"
            " AND tgenabled IN ('O', 'A') AND obj_description(oid, 'pg_trigger') = %s",
            [tables, _VERSION],
        )
        in_force.update(name for (name,) in cursor.fetchall())
    wanted = [*(_FUNCTIONS if tables else ()), *(name for name, table, _ in _TRIGGERS if table in tables)]
    return [name for name in wanted if name not in in_force]


def create(connection: BaseDatabaseWrapper) -> None:
    """Create all functions and triggers; the latter must not be there."""
    tables = _tables(connection)
    with connection.cursor() as cursor:
        for name, body in _FUNCTIONS.items():
            cursor.execute(
                f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $body${body}$body$"
            )
        for name, table, rest in _TRIGGERS:
            if table in tables:
                cursor.execute(f"CREATE TRIGGER {name} {rest}")
                cursor.execute(f"COMMENT ON TRIGGER {name} ON {table} IS '{_VERSION}'")


def drop(connection: BaseDatabaseWrapper) -> None:
    """Drop every trigger of ours, of other versions too."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname, tgrelid::regclass::text FROM pg_trigger"
            " WHERE tgrelid = ANY (%s::regclass[]) AND NOT tgisinternal AND starts_with(tgname, %s)",
            [_tables(connection), PREFIX],
        )
        for name, table in cursor.fetchall():
            cursor.execute(f"DROP TRIGGER {name} ON {table}")


def _tables(connection: BaseDatabaseWrapper) -> list[str]:
    """The guarded tables; none while invoices have no hash (migrated back to before that)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attrelid::regclass::text FROM pg_attribute"
            " WHERE attrelid = ANY (SELECT to_regclass(name) FROM unnest(%s::text[]) AS name)"
            " AND attname = %s",
            [[INVOICES], HASH],
        )
        if not cursor.fetchall():
            return []
        cursor.execute(
            "SELECT name FROM unnest(%s::text[]) AS name WHERE to_regclass(name) IS NOT NULL", [list(TABLES)]
        )
        return [name for (name,) in cursor.fetchall()]
