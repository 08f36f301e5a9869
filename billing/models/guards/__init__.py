"""What is issued or booked stays as it is: triggers by which the database itself refuses every change of it.

- An issued document: no UPDATE but of MOVABLE columns, no DELETE. Its hash is written once, when it is sealed.
- The parts of an issued document: no INSERT, UPDATE or DELETE.
- Credit entries and events: no UPDATE, no DELETE.
- Archived documents: no DELETE, and no UPDATE of one that is stored.
- On PostgreSQL, no TRUNCATE of any of these tables.

Refusals arrive as Django's IntegrityError. The triggers are no migration: SQLite loses a table's triggers whenever a
later migration remakes the table, and cannot even remake one that a trigger of another table looks into. So `migrate`
itself leaves them behind, see `billing.apps`: on SQLite it lifts them before it works. PostgreSQL keeps them on
meanwhile: a migration that has to change issued rows there lifts them itself, for everybody to see.
"""

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from billing.models.guards import _postgresql, _sqlite
from billing.models.guards._rules import LEDGERS, MOVABLE, PARTS

__all__ = ["LEDGERS", "MOVABLE", "PARTS", "install_guards", "lift_guards", "missing_guards"]

_VENDORS = {"postgresql": _postgresql, "sqlite": _sqlite}


def missing_guards(connection: BaseDatabaseWrapper) -> list[str]:
    """The names of the triggers that are not there, switched off, or not those of this version."""
    names: list[str] = _VENDORS[connection.vendor].missing(connection)
    return names


def install_guards(connection: BaseDatabaseWrapper) -> None:
    """Create the triggers that are missing; where none is, not even a lock is taken.

    Tables that do not exist (migrated back to before there were any) have none.
    """
    if missing_guards(connection):
        with transaction.atomic(using=connection.alias):
            lift_guards(connection)
            _VENDORS[connection.vendor].create(connection)


def lift_guards(connection: BaseDatabaseWrapper) -> None:
    """Drop the triggers: everything can be changed until `install_guards`. For `migrate`, and for tests."""
    _VENDORS[connection.vendor].drop(connection)
