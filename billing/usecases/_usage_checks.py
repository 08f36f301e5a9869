"""What makes a usage record acceptable, looked at one by one and without writing anything."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from itertools import compress
from typing import Annotated, Literal, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from billing.domain.periods import Month, months_between, split_quantity
from billing.domain.quantities import parse_micro
from billing.usecases._references import OwnedResource, Owner, References

LONGEST_ZONE = 50
TOLERATED_CLOCK_DIFFERENCE = timedelta(minutes=5)
EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)
LONGEST = timedelta(days=1_100)
"""Three years: a record becomes a row for each month that it spans, and a batch of endless ones millions of rows."""
_encode = msgspec.msgpack.Encoder().encode

type RejectionCode = Literal[
    "malformed_json",
    "invalid_object",
    "unknown_organization",
    "unknown_resource",
    "unknown_meter",
    "other_organization",
    "invalid_quantity",
    "invalid_time",
    "in_the_future",
    "invalid_text",
    "different_content",
]


class NewUsage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """A usage record as its source reports it. A door decodes it with msgspec, which checks types and lengths."""

    source: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    event_id: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    organization: str
    resource: str
    meter: str
    start: Annotated[datetime, msgspec.Meta(tz=True)]
    end: Annotated[datetime, msgspec.Meta(tz=True)]
    quantity: str
    zone: Annotated[str, msgspec.Meta(max_length=LONGEST_ZONE)] | None = None


class Rejection(msgspec.Struct, frozen=True, order=True):
    """Why the record at `index` was refused: a code for programs, a sentence for people."""

    index: int
    code: RejectionCode
    detail: str


class MonthPart(msgspec.Struct, frozen=True, gc=False):
    """The part of a record that lies within one month, given by its first day."""

    month: date
    start: datetime
    end: datetime
    quantity_micro: int


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """An acceptable record: keys instead of identifiers, one part for each month that it spans."""

    index: int
    source: str
    event_id: str
    organization_id: int
    resource_id: int
    meter_id: int
    zone: str
    parts: tuple[MonthPart, ...]
    content_hash: bytes


class Refused(ValueError):  # a verdict on a record, not an error of ours
    """One record is not acceptable."""

    def __init__(self, code: RejectionCode, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


class _Known(NamedTuple):
    """What the records of one check name, as far as it exists.

    A resource says whose it is, so that organizations are only looked for where that is another one.
    """

    organizations: Mapping[str, Owner]
    resources: Mapping[str, OwnedResource]
    meters: Mapping[str, int]

    def keys_of(self, record: NewUsage) -> tuple[int, int, int]:
        """The keys of a record's organization, resource and meter. Raises Refused."""
        resource = self.resources.get(record.resource)
        if resource is None or resource.organization != record.organization:
            raise self._not_its_own(record, resource)
        meter_id = self.meters.get(record.meter.upper())
        if meter_id is None:
            raise Refused("unknown_meter", f"Unknown meter: {record.meter!r:.120}.")
        return resource.organization_id, resource.id, meter_id

    def _not_its_own(self, record: NewUsage, resource: OwnedResource | None) -> Refused:
        if record.organization not in self.organizations:
            return Refused("unknown_organization", f"Unknown organization: {record.organization!r:.120}.")
        if resource is None:
            return Refused("unknown_resource", f"Unknown resource: {record.resource!r:.120}.")
        return Refused(
            "other_organization",
            f"Resource {record.resource!r:.120} belongs to another organization than {record.organization!r:.120}.",
        )


class UsageChecker:
    """Checks records against the clock and against what is stored; remembers what several of them name."""

    def __init__(self, *, at: datetime, zone: ZoneInfo, references: References) -> None:
        self._latest_end = at + TOLERATED_CLOCK_DIFFERENCE
        self._calendar = _Calendar(zone)
        self._references = references

    def check(self, records: Sequence[NewUsage], refused: list[Rejection]) -> Iterator[Arrival]:
        """The acceptable ones in the order of their identity, each checked when asked for; the others go to `refused`.

        What the records name is looked up at once, in three queries at most, however many records there are: nothing is
        asked of the database afterwards.
        """
        are_storable = _are_storable(records)
        readable = list(compress(records, are_storable))
        resources = self._references.resources({record.resource for record in readable})
        strangers = {
            record.organization
            for record in readable
            if (resource := resources.get(record.resource)) is None or resource.organization != record.organization
        }
        known = _Known(
            self._references.organizations(strangers),
            resources,
            self._references.meters({record.meter for record in readable}),
        )
        return self._checked(records, are_storable, known, refused)

    def _checked(
        self, records: Sequence[NewUsage], are_storable: Sequence[bool], known: _Known, refused: list[Rejection]
    ) -> Iterator[Arrival]:
        for index in self._ordered(records):
            try:
                if not are_storable[index]:
                    raise Refused("invalid_text", "A text of the record holds a NUL character or half a character.")
                arrival = self._check(index, records[index], known)
            except Refused as verdict:
                refused.append(Rejection(index, verdict.code, verdict.detail))
            else:
                yield arrival

    def _ordered(self, records: Sequence[NewUsage]) -> list[int]:
        """By month, source and event; of two with one identity the first stays the first.

        Records of one month, nearly always, are not asked for theirs.
        """

        def month(start: datetime) -> date:
            return self._calendar.first_day(min(max(start, EARLIEST), self._latest_end).astimezone(UTC))

        order = sorted(range(len(records)), key=lambda index: (records[index].source, records[index].event_id))
        starts = [record.start for record in records]
        if starts and month(min(starts)) != month(max(starts)):
            order.sort(key=lambda index: month(starts[index]))
        return order

    def _check(self, index: int, record: NewUsage, known: _Known) -> Arrival:
        keys = known.keys_of(record)
        quantity_micro = _read_quantity(record.quantity)
        start, end = self._read_times(record)
        zone = record.zone.lower() if record.zone else ""
        if len(zone) > LONGEST_ZONE:  # a few letters are two in lower case
            raise Refused("invalid_text", f"The zone has more than {LONGEST_ZONE} characters.")
        content_hash = blake2b(_encode((keys, start, end, quantity_micro, zone)), digest_size=16).digest()
        parts = self._calendar.split(quantity_micro, start, end)
        return Arrival(index, record.source, record.event_id, *keys, zone, parts, content_hash)

    def _read_times(self, record: NewUsage) -> tuple[datetime, datetime]:
        start, end = record.start, record.end
        if end > self._latest_end:
            raise Refused("in_the_future", f"The record ends in the future: {end.isoformat()}.")
        if start > end:
            raise Refused("invalid_time", f"The record starts after it ends: {start.isoformat()}, {end.isoformat()}.")
        if end - start > LONGEST:
            raise Refused("invalid_time", f"The record spans more than {LONGEST.days} days: send it in parts.")
        if start < EARLIEST:
            raise Refused("invalid_time", f"The record starts before 1970: {start.isoformat()}.")
        # Nearly all come in UTC, and there are millions.
        return start if start.tzinfo is UTC else start.astimezone(UTC), end if end.tzinfo is UTC else end.astimezone(
            UTC
        )


class _Calendar:
    """Months by the instants that lie in them; one that was computed is remembered."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._bounds: dict[int, tuple[datetime, datetime, date]] = {}
        self._last = (EARLIEST, EARLIEST, EARLIEST.date())  # no instant lies in it

    def split(self, quantity_micro: int, start: datetime, end: datetime) -> tuple[MonthPart, ...]:
        """Split a quantity at the months that begin between two UTC instants."""
        month_start, month_end, first_day = self._last  # that of the record before, nearly always
        if not month_start <= start < month_end:
            month_start, month_end, first_day = self._last = self._month_of(start)
        if end <= month_end:
            return (MonthPart(first_day, start, end, quantity_micro),)
        parts = split_quantity(quantity_micro, start, end, months_between(start, end, self._zone))
        return tuple(MonthPart(self._month_of(p.start)[2], p.start, p.end, p.quantity_micro) for p in parts)

    def first_day(self, instant: datetime) -> date:
        """Of the month in which an instant lies."""
        return self._month_of(instant)[2]

    def _month_of(self, instant: datetime) -> tuple[datetime, datetime, date]:
        # The month of the same name as the UTC month, or a neighbour when the instant is near its edge.
        number = instant.year * 12 + instant.month - 1
        for candidate in (number, number + 1, number - 1):
            bounds = self._bounds.get(candidate) or self._compute(candidate)
            if bounds[0] <= instant < bounds[1]:
                return bounds
        raise AssertionError(f"No month holds {instant.isoformat()}.")

    def _compute(self, number: int) -> tuple[datetime, datetime, date]:
        month = Month(number // 12, number % 12 + 1, self._zone)
        bounds = self._bounds[number] = month.start, month.end, month.first_day
        return bounds


def _are_storable(records: Sequence[NewUsage]) -> list[bool]:
    """Tell whether every database can keep the texts of each record: they are Unicode, without NUL."""
    texts = [f"{r.source}{r.event_id}{r.organization}{r.resource}{r.meter}{r.zone}" for r in records]
    everything = "".join(texts)  # one look, unless something is wrong with one of them
    if everything.isascii() and "\0" not in everything:
        return [True] * len(texts)
    return ["\0" not in text and (text.isascii() or _is_unicode(text)) for text in texts]


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _read_quantity(text: str) -> int:
    try:
        return parse_micro(text)
    except ValueError as error:
        raise Refused("invalid_quantity", str(error)) from error
