"""Conditions on thousands of ids or texts, sent as one parameter.

With `__in`, Django and the driver spend more time on a parameter per id than the database on the answer.
"""

from collections.abc import Collection
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Lookup, Q
from django.db.models.sql.compiler import SQLCompiler
from msgspec import json


def among(column: str, ids: Collection[int]) -> Q:
    """The condition that a column names one of these ids."""
    return Q(_Among(F(column), ",".join(map(str, ids))))


def among_texts(column: str, texts: Collection[str]) -> Q:
    """The condition that a column names one of these texts, which hold no NUL."""
    return Q(_AmongTexts(F(column), list(texts)))


class _Among(Lookup[Any]):
    """`column IN (ids)`; the ids are an array on PostgreSQL, and JSON on SQLite."""

    prepare_rhs = False

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[str | int, ...]]:
        """Compile the condition."""
        if not self.rhs:
            raise EmptyResultSet
        column, parameters = self.process_lhs(compiler, connection)
        condition, values = self.condition(is_postgresql=connection.vendor == "postgresql")
        return f"{column} {condition}", (*parameters, values)

    def condition(self, *, is_postgresql: bool) -> tuple[str, str]:
        """What follows the column, and its parameter."""
        if is_postgresql:
            return "= ANY(%s::bigint[])", f"{{{self.rhs}}}"
        return "IN (SELECT value FROM json_each(%s))", f"[{self.rhs}]"


class _AmongTexts(_Among):
    """`column IN (texts)`; the texts are an array on PostgreSQL, and JSON on SQLite."""

    def condition(self, *, is_postgresql: bool) -> tuple[str, str]:
        """What follows the column, and its parameter."""
        if not is_postgresql:
            return "IN (SELECT value FROM json_each(%s))", json.encode(self.rhs).decode()
        # A literal and not a subquery: only of that the server makes a hash table when it reads the whole table.
        quoted = (text.replace("\\", "\\\\").replace('"', '\\"') for text in self.rhs)
        return "= ANY(%s::text[])", "{" + ",".join(f'"{text}"' for text in quoted) + "}"
