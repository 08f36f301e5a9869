"""Changing what the database guards: to break it on purpose, or to empty it after a test."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from billing.models import guards


@contextmanager
def guards_lifted() -> Iterator[None]:
    """Let issued documents, credit entries and events be changed for a while."""
    _check_deferred_constraints()
    guards.lift_guards(connection)
    try:
        yield
    finally:
        if not connection.needs_rollback:
            _check_deferred_constraints()
            guards.install_guards(connection)


def _check_deferred_constraints() -> None:
    # PostgreSQL alters no table with rows that a deferred constraint is still to look at.
    if connection.vendor == "postgresql" and connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
