"""Flags that say which organization has unbilled usage in which month, and the lock that goes with them."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db import connection

_FIND_AND_LOCK = """
SELECT found.id, found.unbilled
FROM unnest(%s::bigint[], %s::date[]) WITH ORDINALITY AS wanted (organization_id, month, place)
CROSS JOIN LATERAL (
    SELECT id, unbilled FROM billing_usagemonth
    WHERE organization_id = wanted.organization_id AND month = wanted.month
    OFFSET 0 FOR KEY SHARE
) AS found
"""
_INSERT_MISSING = """
INSERT INTO billing_usagemonth (organization_id, month, unbilled)
SELECT organization_id, month, true
FROM unnest(%s::bigint[], %s::date[]) WITH ORDINALITY AS wanted (organization_id, month, place)
ORDER BY place
ON CONFLICT (organization_id, month) DO NOTHING
"""
_FLAG_AGAIN = "UPDATE billing_usagemonth SET unbilled = true WHERE id = ANY(%s)"
_UPSERT = """
INSERT INTO billing_usagemonth (organization_id, month, unbilled) VALUES (%s, %s, 1)
ON CONFLICT (organization_id, month) DO UPDATE SET unbilled = 1 WHERE unbilled = 0
"""


def flag_unbilled(pairs: Iterable[tuple[int, date]]) -> None:
    """Mark (organization, first day of month) as having unbilled usage, and keep it so until the transaction ends.

    Settling a month locks its row FOR UPDATE. Here FOR KEY SHARE is enough to wait for that, or to make it wait; it
    lets others who store usage pass, and unlike FOR SHARE it lets them set the flag without waiting for each other.
    Always in the order of the pairs, so that nobody deadlocks.
    """
    wanted = sorted(set(pairs))
    if not wanted:
        return
    if connection.vendor == "postgresql":
        _flag_on_postgresql(wanted)
    else:
        # There is one writer at a time, and this is it.
        with connection.cursor() as cursor:
            cursor.executemany(_UPSERT, [(organization_id, month.isoformat()) for organization_id, month in wanted])


def _flag_on_postgresql(wanted: list[tuple[int, date]]) -> None:
    # Arrays as text: psycopg takes many times as long to write a list.
    columns = [f"{{{','.join(str(pair[place]) for pair in wanted)}}}" for place in (0, 1)]
    with connection.cursor() as cursor:
        cursor.execute(_FIND_AND_LOCK, columns)
        rows = cursor.fetchall()
        if len(rows) < len(wanted):
            cursor.execute(_INSERT_MISSING, columns)
            # What somebody else inserted meanwhile is not ours to keep yet.
            cursor.execute(_FIND_AND_LOCK, columns)
            rows = cursor.fetchall()
        # psycopg takes lists for arrays, which the stubs of Django do not know.
        settled: list[Any] = [sorted(id_ for id_, unbilled in rows if not unbilled)]
        if settled[0]:
            cursor.execute(_FLAG_AGAIN, settled)
