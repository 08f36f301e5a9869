"""Usage as programs send it: a whole batch, as a list or as lines, to records and refusals by index."""

from typing import NamedTuple

import msgspec

from billing.usecases._imports.decoding import PLAIN_QUOTES, UnreadableLine, count_kinds, decode_object, explain_syntax
from billing.usecases._imports.lines import UsageLine
from billing.usecases._usage_checks import Rejection

MAX_RECORDS = 50_000
# A batch that is not made of records must not become that many objects; a record has eight commas, or a few more.
MAX_COMMAS = 30 * MAX_RECORDS
MAX_LINE_BREAKS = 2 * MAX_RECORDS

_record = msgspec.json.Decoder(UsageLine)
_records = msgspec.json.Decoder(list[UsageLine])
_raw_records = msgspec.json.Decoder(list[msgspec.Raw])


class UnreadableBatch(ValueError):
    """Nothing of a batch can be read; the message is a sentence."""

    code = "malformed_json"


class TooManyRecords(UnreadableBatch):
    """The batch has to be split."""

    code = "too_many_records"


class Batch(NamedTuple):
    """The readable records with their places in the batch, and the refusals of the others."""

    records: list[UsageLine]
    places: list[int] | range
    refused: list[Rejection]


def read_batch(raw: bytes, *, is_lines: bool) -> Batch:
    """Read a batch: all at once when every record of it is plain, else one by one. Raises UnreadableBatch."""
    if raw.count(b",") > MAX_COMMAS or (is_lines and raw.count(b"\n") > MAX_LINE_BREAKS):
        raise TooManyRecords(f"A batch holds at most {MAX_RECORDS:,} records.")
    records = _read_plain(raw, is_lines=is_lines)
    if records is None:
        return _read_one_by_one(_split_lines(raw) if is_lines else _split_list(raw))
    _check_size(len(records))
    return Batch(records, range(len(records)), [])


def _read_plain(raw: bytes, *, is_lines: bool) -> list[UsageLine] | None:
    """Records all of which are valid, have a zone, and have as few quotes as such a record can have; None otherwise.

    No such record has fewer, so when their sum is right, none has more: nothing is written twice.
    """
    try:
        records = _record.decode_lines(raw) if is_lines else _records.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    plain = len(records) * PLAIN_QUOTES + 4 * count_kinds(raw)
    if raw.count(b'"') != plain or any(record.zone is None for record in records):
        return None
    return records


def _read_one_by_one(raws: list[bytes] | list[msgspec.Raw]) -> Batch:
    _check_size(len(raws))
    records: list[UsageLine] = []
    places: list[int] = []
    refused: list[Rejection] = []
    for index, raw in enumerate(raws):
        try:
            records.append(decode_object(bytes(raw), _record))
            places.append(index)
        except UnreadableLine as error:
            refused.append(Rejection(index, error.code, str(error)))
    return Batch(records, places, refused)


def _split_lines(raw: bytes) -> list[bytes]:
    return [line for line in raw.split(b"\n") if line and not line.isspace()]


def _split_list(raw: bytes) -> list[msgspec.Raw]:
    try:
        return _raw_records.decode(raw)
    except msgspec.ValidationError as error:
        raise UnreadableBatch("The body is no list of usage records.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableBatch(explain_syntax(raw, str(error))) from error
    except RecursionError as error:
        raise UnreadableBatch("The body is nested too deeply.") from error


def _check_size(count: int) -> None:
    if count > MAX_RECORDS:
        raise TooManyRecords(f"A batch holds at most {MAX_RECORDS:,} records, not {count:,}: split it.")
