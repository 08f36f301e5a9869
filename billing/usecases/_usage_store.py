"""Storing usage that was checked: once per event, whoever else stores the same one at the same time.

Records come in the order of their identity (month, source, event), so that nobody deadlocks. Most batches bring new
events only, of a month that has a partition, so their first parts go straight into the table, the first of them while
the last are still being checked. When the unique key (month, source, event, part) refuses that, the transaction is
lost. In the next one they go through a temporary table: the key decides who was first; who comes second compares.

    arrivals ── COPY ──> temporary table ── INSERT … ON CONFLICT DO NOTHING ──> usage records
                                └── what was not inserted: is the stored content the same?
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connection

from billing.models import UsageRecord
from billing.usecases._bulk import Row, allocate_ids, bulk_write
from billing.usecases._usage_checks import Arrival, MonthPart
from billing.usecases._usage_months import flag_unbilled

COLUMNS = (
    "id",
    "month",
    "source",
    "event_id",
    "part",
    "organization_id",
    "resource_id",
    "meter_id",
    "zone",
    "started_at",
    "ended_at",
    "quantity_micro",
    "content_hash",
    "received_at",
)
_TABLE = UsageRecord._meta.db_table
_STAGING = "usage_arrivals"
_CREATE = {
    "postgresql": f"""
        CREATE TEMPORARY TABLE IF NOT EXISTS {_STAGING} (
            position integer, id bigint, month date, source text, event_id text, part smallint, organization_id bigint,
            resource_id bigint, meter_id bigint, zone text, started_at timestamptz, ended_at timestamptz,
            quantity_micro bigint, content_hash bytea, received_at timestamptz
        ) ON COMMIT DROP
    """,
    "sqlite": f"CREATE TEMPORARY TABLE IF NOT EXISTS {_STAGING} (position, {', '.join(COLUMNS)})",
}
_INSERT = f"""
    INSERT INTO {_TABLE} ({", ".join(COLUMNS)})
    SELECT {", ".join(COLUMNS)} FROM {_STAGING} WHERE true ORDER BY position
    ON CONFLICT (month, source, event_id, part) DO NOTHING
"""  # noqa: S608
# Scalar subqueries: each record is looked up in the unique index, whatever the planner believes of a new table.
_STORED = f"""
    (SELECT stored.{{column}} FROM {_TABLE} AS stored
     WHERE stored.month = arrived.month AND stored.source = arrived.source
     AND stored.event_id = arrived.event_id AND stored.part = arrived.part)
"""  # noqa: S608
_COMPARE = f"""
    SELECT position, is_same FROM (
        SELECT position, {_STORED.format(column="id")} = id AS is_mine,
            {_STORED.format(column="content_hash")} = content_hash AS is_same
        FROM {_STAGING} AS arrived
    ) AS compared WHERE is_mine IS NOT TRUE
"""  # noqa: S608


class Stored(NamedTuple):
    """How many records were new and how many there already, and which (by index) were there with other content."""

    accepted: int
    unchanged: int
    different: list[int]


def store_new(arrivals: Iterable[Arrival], *, received_at: datetime) -> Stored:
    """Store records that are probably new, each as it comes, within the transaction of the caller.

    Raises IntegrityError when one was there before, comes twice, or has no partition yet.
    """
    taken: list[Arrival] = []

    def rows() -> Iterator[Row]:
        for arrival in arrivals:
            taken.append(arrival)
            yield _row(0, arrival, 0, arrival.parts[0], received_at)[1:]  # the database gives ids: nobody needs them

    bulk_write(connection, _TABLE, COLUMNS[1:], rows())
    _complete(taken, received_at)
    return Stored(len(taken), 0, [])


def store_arrivals(arrivals: Sequence[Arrival], *, received_at: datetime) -> Stored:
    """Store records within the transaction of the caller, in a number of queries that does not depend on theirs.

    They come in the order of their identity; of two with the same one, the first wins. The partitions of their months
    must exist.
    """
    if not arrivals:
        return Stored(0, 0, [])
    verdicts: dict[int, bool] = {}
    if _insert_new(arrivals, received_at) < len(arrivals):
        verdicts = dict(_compare())
    accepted = [arrival for position, arrival in enumerate(arrivals) if position not in verdicts]
    _complete(accepted, received_at)
    different = sorted(arrivals[position].index for position, is_same in verdicts.items() if not is_same)
    return Stored(len(accepted), len(verdicts) - len(different), different)


def _complete(accepted: Sequence[Arrival], received_at: datetime) -> None:
    # Later parts belong to whoever stored the first one, so nothing can be in their way.
    later = [(arrival, number, part) for arrival in accepted for number, part in enumerate(arrival.parts) if number > 0]
    if later:
        ids = allocate_ids(UsageRecord, len(later))
        parts = (_row(id_, *each, received_at) for id_, each in zip(ids, later, strict=True))
        bulk_write(connection, _TABLE, COLUMNS, parts)
    flag_unbilled({(arrival.organization_id, part.month) for arrival in accepted for part in arrival.parts})


def _insert_new(ordered: Sequence[Arrival], received_at: datetime) -> int:
    """Insert the first parts of events that are new; return how many these were."""
    ids = allocate_ids(UsageRecord, len(ordered))
    rows = (
        (position, *_row(id_, arrival, 0, arrival.parts[0], received_at))
        for position, (id_, arrival) in enumerate(zip(ids, ordered, strict=True))
    )
    with connection.cursor() as cursor:
        cursor.execute(_CREATE[connection.vendor])
        cursor.execute(f"DELETE FROM {_STAGING}")  # noqa: S608
        bulk_write(connection, _STAGING, ("position", *COLUMNS), rows)
        cursor.execute(_INSERT)
        return int(cursor.rowcount)


def _compare() -> list[tuple[int, bool]]:
    with connection.cursor() as cursor:
        cursor.execute(_COMPARE)
        return [(position, bool(is_same)) for position, is_same in cursor.fetchall()]


def _row(id_: int, arrival: Arrival, number: int, part: MonthPart, received_at: datetime) -> Row:
    return (
        id_,
        part.month,
        arrival.source,
        arrival.event_id,
        number,
        arrival.organization_id,
        arrival.resource_id,
        arrival.meter_id,
        arrival.zone,
        part.start,
        part.end,
        part.quantity_micro,
        arrival.content_hash,
        received_at,
    )
