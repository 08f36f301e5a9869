"""Take in what the platform measured."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec
from django.db import IntegrityError, OperationalError, transaction

from billing.queries.months import billing_zone
from billing.usecases._references import References
from billing.usecases._transactions import run_in_transaction
from billing.usecases._usage_checks import NewUsage, Rejection, UsageChecker
from billing.usecases._usage_partitions import ensure_partitions, forget_partitions
from billing.usecases._usage_store import Stored, store_arrivals, store_new

__all__ = ["NewUsage", "RecordedUsage", "Rejection", "record_usage"]

RECORDS_PER_TRANSACTION = 5_000


class RecordedUsage(NamedTuple):
    """How many records were stored, how many were there before, and which were refused, by index."""

    accepted: int
    unchanged: int
    rejected: list[Rejection]


def record_usage(*, records: Sequence[NewUsage], at: datetime, references: References | None = None) -> RecordedUsage:
    """Store usage records received at an instant; a record that is refused never stops the others.

    An event (source, event id) counts once within the month in which its record starts: again with the same content it
    is unchanged, with other content refused. A record that spans months is split at their boundaries in proportion to
    time. References to what exists may be shared by several calls of one import.
    """
    checker = UsageChecker(at=at, zone=billing_zone(), references=references or References())
    accepted = unchanged = 0
    rejected: list[Rejection] = []
    for first in range(0, len(records), RECORDS_PER_TRANSACTION):
        stored, refused = _store(checker, records[first : first + RECORDS_PER_TRANSACTION], at)
        refused += [Rejection(index, "different_content", _DIFFERENT) for index in stored.different]
        accepted += stored.accepted
        unchanged += stored.unchanged
        rejected += [msgspec.structs.replace(each, index=first + each.index) for each in sorted(refused)]
    return RecordedUsage(accepted, unchanged, rejected)


_DIFFERENT = "This event was recorded before with other content; an event is never changed."


def _store(checker: UsageChecker, records: Sequence[NewUsage], at: datetime) -> tuple[Stored, list[Rejection]]:
    refused: list[Rejection] = []
    checked = checker.check(records, refused)
    try:
        with transaction.atomic():
            return store_new(checked, received_at=at), refused
    except (IntegrityError, OperationalError):  # some were there before, are of a new month, or somebody was in the way
        forget_partitions()
    refused = []
    arrivals = list(checker.check(records, refused))

    def work() -> Stored:
        ensure_partitions({part.month for arrival in arrivals for part in arrival.parts})
        return store_arrivals(arrivals, received_at=at)

    return run_in_transaction(work, before_retry=forget_partitions), refused
