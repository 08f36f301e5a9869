"""Take in a batch of usage as a program sends it: bytes to stored records."""

from datetime import datetime

from billing.usecases._collector import collector_paused
from billing.usecases._imports.batches import MAX_RECORDS, TooManyRecords, UnreadableBatch, read_batch
from billing.usecases._references import References
from billing.usecases._usage_checks import Rejection
from billing.usecases.record_usage import RecordedUsage, record_usage

__all__ = ["MAX_RECORDS", "RecordedUsage", "Rejection", "TooManyRecords", "UnreadableBatch", "report_usage"]


@collector_paused()
def report_usage(*, batch: bytes, is_lines: bool, organization_id: int | None, at: datetime) -> RecordedUsage:
    """Store the usage records of a JSON list, or of lines of JSON, that arrived at an instant.

    Rejections carry the index of the record, counted from 0; blank lines do not count. The others are stored. With
    `organization_id`, records of other organizations are rejected as if these did not exist. Raises UnreadableBatch
    (broken JSON where a list was expected) and TooManyRecords, with nothing stored.
    """
    records, places, refused = read_batch(batch, is_lines=is_lines)
    recorded = record_usage(records=records, at=at, references=References(organization_id=organization_id))
    rejected = [Rejection(places[each.index], each.code, each.detail) for each in recorded.rejected]
    return RecordedUsage(recorded.accepted, recorded.unchanged, sorted([*refused, *rejected]))
