"""On PostgreSQL usage records live in one partition per month, made when its first record arrives."""

from collections.abc import Iterable
from datetime import date

from django.db import connection, transaction

from billing.queries.months import month_of

TABLE = "billing_usagerecord"
# Any number that nobody else locks; the lock is held until the partition is committed.
_LOCK = 20_261_101

_known: set[tuple[str, date]] = set()


def ensure_partitions(months: Iterable[date]) -> None:
    """Make sure that usage of these months (first days) can be stored; does nothing where there are no partitions.

    The partition is made apart and then attached: unlike CREATE TABLE … PARTITION OF, that lets others go on reading
    and writing.
    """
    if connection.vendor != "postgresql":
        return
    database = connection.settings_dict["NAME"]
    missing = sorted({month for month in months if (database, month) not in _known})
    if not missing:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [TABLE])
        existing = {name for (name,) in cursor.fetchall()}
        for month in missing:
            if _name(month) not in existing:
                cursor.execute(_statements(month))
    # Only what is committed may be remembered.
    transaction.on_commit(lambda: _known.update((database, month) for month in missing))


def forget_partitions() -> None:
    """Look again next time: somebody may have dropped an old month."""
    _known.clear()


def _name(month: date) -> str:
    return f"{TABLE}_{month:%Y_%m}"


def _statements(month: date) -> str:
    until = month_of(month).next.first_day
    return (
        f"CREATE TABLE {_name(month)} (LIKE {TABLE} INCLUDING ALL EXCLUDING IDENTITY);"
        f"ALTER TABLE {TABLE} ATTACH PARTITION {_name(month)} FOR VALUES FROM ('{month}') TO ('{until}')"
    )
