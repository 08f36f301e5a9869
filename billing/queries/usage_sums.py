"""Usage of a month, summed by the database per resource, meter, zone and segment between price changes."""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any

from django.db import connection
from msgspec import Struct

from billing.domain.facts import UsageSum
from billing.domain.forecast import UsageOf
from billing.domain.periods import Month, split_quantity
from billing.domain.quantities import MICRO


class SummedUsage(Struct):
    """Sums of a month by organization, and the instants at which its segments begin."""

    month: Month
    segment_starts: list[datetime]
    by_organization: dict[int, list[UsageSum]]


def sum_usage(month: Month, organization_ids: Collection[int], cuts: Sequence[datetime]) -> SummedUsage:
    """Sum what these organizations consumed in a month; `cuts` are the instants at which some price changes.

    Two queries at most. Records that lie within a segment are summed in SQL; the few that cross a cut are split here.
    Each quantity is summed as whole units and millionths, so that no sum overflows.
    """
    sums: dict[int, list[UsageSum]] = {}
    if organization_ids:
        for organization_id, resource_id, meter_id, zone, segment, units, micro in _rows_within(
            month, organization_ids, cuts
        ):
            quantity_micro = units * MICRO + micro
            sums.setdefault(organization_id, []).append(
                (organization_id, resource_id, meter_id, zone, segment, quantity_micro)
            )
        if cuts:
            for usage_sum in _split(_rows_across(month, organization_ids, cuts), cuts):
                sums.setdefault(usage_sum[0], []).append(usage_sum)
    return SummedUsage(month, [month.start, *cuts], sums)


def last_measured(month: Month, organization_ids: Collection[int]) -> datetime | None:
    """Until when there is usage of a month, None when there is none: what happened since may not have arrived yet."""
    [(ended_at,)] = _fetch(
        f"SELECT MAX(ended_at) FROM billing_usagerecord WHERE month = %s AND {_among(organization_ids)}",  # noqa: S608
        [month.first_day],
    )
    # SQLite gives the largest value as the text that it keeps.
    return _instant(datetime.fromisoformat(ended_at) if isinstance(ended_at, str) else ended_at) if ended_at else None


def sum_measured(
    months: Sequence[Month], organization_ids: Collection[int], start: datetime, end: datetime
) -> dict[UsageOf, int]:
    """Sum what was measured over `[start, end)`, in millionths; records that reach beyond it count in proportion.

    Two queries: records within are summed in SQL, the few that cross an edge are split here. What was counted at an
    instant goes on at no rate, and is left out.
    """
    source = (
        f"FROM billing_usagerecord WHERE month IN ({', '.join('%s' for _ in months)}) AND {_among(organization_ids)}"
        " AND ended_at > started_at"
    )
    days = [month.first_day for month in months]
    within = _fetch(
        "SELECT organization_id, resource_id, meter_id, zone,"  # no value is in it
        " CAST(SUM(quantity_micro / 1000000) AS bigint), CAST(SUM(quantity_micro %% 1000000) AS bigint)"
        f" {source} AND started_at >= %s AND ended_at <= %s GROUP BY organization_id, resource_id, meter_id, zone",
        [*days, start, end],
    )
    sums: dict[UsageOf, int] = {tuple(key): units * MICRO + micro for *key, units, micro in within}
    across = _fetch(
        "SELECT organization_id, resource_id, meter_id, zone, quantity_micro, started_at, ended_at"
        f" {source} AND started_at < %s AND ended_at > %s AND (started_at < %s OR ended_at > %s)",
        [*days, end, start, start, end],
    )
    for organization_id, resource_id, meter_id, zone, quantity_micro, started_at, ended_at in across:
        key = (organization_id, resource_id, meter_id, zone)
        for part in split_quantity(quantity_micro, _instant(started_at), _instant(ended_at), [start, end]):
            if start <= part.start < end:
                sums[key] = sums.get(key, 0) + part.quantity_micro
    return sums


def _rows_within(month: Month, organization_ids: Collection[int], cuts: Sequence[datetime]) -> list[tuple[Any, ...]]:
    # A record's segment is the number of cuts at or before its start.
    segment = " + ".join("CASE WHEN started_at >= %s THEN 1 ELSE 0 END" for _ in cuts) or "0"
    within = "".join(" AND NOT (started_at < %s AND ended_at > %s)" for _ in cuts)
    # Grouped by what the index is ordered by, wherever no price changes: SQLite then needs no table of its own for it.
    group = "organization_id, resource_id, meter_id, zone" + (", segment" if cuts else "")
    return _fetch(
        f"SELECT organization_id, resource_id, meter_id, zone, {segment} AS segment,"  # noqa: S608  # no value is in it
        " CAST(SUM(quantity_micro / 1000000) AS bigint), CAST(SUM(quantity_micro %% 1000000) AS bigint)"
        f" FROM billing_usagerecord WHERE month = %s AND {_among(organization_ids)}{within}"
        f" GROUP BY {group}",
        [*cuts, month.first_day, *_twice(cuts)],
    )


def _rows_across(month: Month, organization_ids: Collection[int], cuts: Sequence[datetime]) -> list[tuple[Any, ...]]:
    across = " OR ".join("(started_at < %s AND ended_at > %s)" for _ in cuts)
    return _fetch(
        "SELECT organization_id, resource_id, meter_id, zone, quantity_micro, started_at, ended_at"  # noqa: S608
        f" FROM billing_usagerecord WHERE month = %s AND {_among(organization_ids)} AND ({across})",
        [month.first_day, *_twice(cuts)],
    )


def _twice(cuts: Sequence[datetime]) -> list[datetime]:
    return [cut for cut in cuts for _ in range(2)]


def _split(rows: Iterable[tuple[Any, ...]], cuts: Sequence[datetime]) -> Iterable[UsageSum]:
    for organization_id, resource_id, meter_id, zone, quantity_micro, started_at, ended_at in rows:
        for part in split_quantity(quantity_micro, _instant(started_at), _instant(ended_at), cuts):
            segment = sum(1 for cut in cuts if cut <= part.start)
            yield organization_id, resource_id, meter_id, zone, segment, part.quantity_micro


def _among(ids: Collection[int]) -> str:
    """The condition on the organizations as SQL, with integers of our own.

    A batch is more or less a range of ids: reading it in the order of the index, with what lies in between, takes half
    the time of looking up each one. Nobody asks for the sums of the others.
    """
    first, last = min(ids), max(ids)
    if last - first < 2 * len(ids):
        return f"organization_id BETWEEN {first} AND {last}"
    return f"organization_id IN ({','.join(str(int(id_)) for id_ in ids)})"


def _fetch(sql: str, parameters: Sequence[datetime | date]) -> list[tuple[Any, ...]]:
    adapted = [
        connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value
        for value in parameters
    ]
    with connection.cursor() as cursor:
        cursor.execute(sql, adapted)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _instant(value: datetime) -> datetime:
    """An instant as the column gives it: SQLite leaves out that it is UTC."""
    return value if value.tzinfo else value.replace(tzinfo=UTC)
