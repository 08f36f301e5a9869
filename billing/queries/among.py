"""Conditions on thousands of ids, sent as one parameter.

With `__in`, Django and the driver spend more time on a parameter per id than the database on the answer.
"""

from collections.abc import Collection
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Lookup, Q
from django.db.models.sql.compiler import SQLCompiler


def among(column: str, ids: Collection[int]) -> Q:
    """The condition that a column names one of these ids."""
    return Q(_Among(F(column), ",".join(map(str, ids))))


class _Among(Lookup[Any]):
    """`column IN (ids)`; the ids are an array on PostgreSQL, and JSON on SQLite."""

    prepare_rhs = False

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[str | int, ...]]:
        """Compile the condition."""
        if not self.rhs:
            raise EmptyResultSet
        column, parameters = self.process_lhs(compiler, connection)
        if connection.vendor == "postgresql":
            return f"{column} = ANY(%s::bigint[])", (*parameters, f"{{{self.rhs}}}")
        return f"{column} IN (SELECT value FROM json_each(%s))", (*parameters, f"[{self.rhs}]")  # noqa: S608
