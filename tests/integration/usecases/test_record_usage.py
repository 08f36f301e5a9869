"""Usage is stored once per event, split at months, and flagged for the close."""

import importlib
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import UsageMonth, UsageRecord
from billing.queries.months import billing_zone
from billing.usecases._references import References
from billing.usecases._usage_checks import Rejection, UsageChecker
from billing.usecases.record_usage import NewUsage, RecordedUsage, record_usage
from organizations.models import Organization
from tests.builders.organizations import make_organization
from tests.builders.usage import make_meter, make_resource

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
OCTOBER = date(2026, 10, 1)


@pytest.fixture(autouse=True)
def atlas() -> Organization:
    atlas = make_organization(external_id="orga_atlas")
    make_resource(organization=atlas, external_id="app_api")
    make_meter(code="apps.S")
    return atlas


def usage(event_id: str = "e1", /, **fields: Any) -> NewUsage:
    """An hour of an application on the first of October."""
    values = {
        "source": "scaler",
        "organization": "orga_atlas",
        "resource": "app_api",
        "meter": "apps.S",
        "zone": "par",
        "start": datetime(2026, 10, 1, 10, tzinfo=UTC),
        "end": datetime(2026, 10, 1, 11, tzinfo=UTC),
        "quantity": "3600",
        **fields,
    }
    return NewUsage(**{"event_id": event_id, **values})


def record(*records: NewUsage, at: datetime = AT) -> RecordedUsage:
    return record_usage(records=records, at=at)


def refusal(**fields: Any) -> tuple[str, str]:
    """Code and sentence for a record with these fields; nothing may be stored."""
    result = record(usage(**fields))
    assert (result.accepted, result.unchanged) == (0, 0)
    assert not UsageRecord.objects.exists()
    assert not UsageMonth.objects.exists()
    [rejection] = result.rejected
    return rejection.code, rejection.detail


def parts() -> list[tuple[date, int, datetime, datetime, int]]:
    rows = UsageRecord.objects.order_by("event_id", "month")
    return list(rows.values_list("month", "part", "started_at", "ended_at", "quantity_micro"))


def test_a_record_is_stored_with_all_that_it_says(atlas: Organization) -> None:
    assert record(usage(zone="PAR", quantity="0.000001")) == RecordedUsage(1, 0, [])

    row = UsageRecord.objects.get()
    assert (row.month, row.source, row.event_id, row.part) == (OCTOBER, "scaler", "e1", 0)
    assert (row.organization, row.resource.external_id, row.meter.code) == (atlas, "app_api", "apps.S")
    assert (row.zone, row.quantity_micro, row.received_at) == ("par", 1, AT)
    assert (row.started_at, row.ended_at) == (usage().start, usage().end)
    assert len(bytes(row.content_hash)) == 16
    assert list(UsageMonth.objects.values_list("organization", "month", "unbilled")) == [(atlas.pk, OCTOBER, True)]


def test_nothing_to_record() -> None:
    assert record() == RecordedUsage(0, 0, [])


class TestOncePerEvent:
    def test_again_is_unchanged(self) -> None:
        assert record(usage()) == RecordedUsage(1, 0, [])
        assert record(usage()) == RecordedUsage(0, 1, [])
        assert UsageRecord.objects.count() == 1

    @pytest.mark.parametrize(
        "fields",
        [
            {"quantity": "3600.000"},
            {"zone": "PAR"},
            {"meter": "APPS.s"},
            {"start": datetime(2026, 10, 1, 12, tzinfo=datetime.fromisoformat("2026-10-01T12:00:00+02:00").tzinfo)},
        ],
    )
    def test_again_in_another_notation_is_unchanged(self, fields: dict[str, Any]) -> None:
        record(usage())

        assert record(usage(**fields)) == RecordedUsage(0, 1, [])

    @pytest.mark.parametrize(
        "fields",
        [
            {"quantity": "3600.000001"},
            {"zone": "rbx"},
            {"zone": None},
            {"meter": "apps.M"},
            {"resource": "app_web"},
            {"start": datetime(2026, 10, 1, 10, 0, 0, 1, tzinfo=UTC)},
            {"end": datetime(2026, 10, 1, 10, 59, tzinfo=UTC)},
        ],
    )
    def test_with_other_content_it_is_refused(self, atlas: Organization, fields: dict[str, Any]) -> None:
        make_meter(code="apps.M")
        make_resource(organization=atlas, external_id="app_web")
        record(usage())
        before = list(UsageRecord.objects.values())

        result = record(usage(**fields))

        assert (result.accepted, result.unchanged) == (0, 0)
        assert [(each.index, each.code) for each in result.rejected] == [(0, "different_content")]
        assert list(UsageRecord.objects.values()) == before

    def test_twice_in_one_call(self) -> None:
        result = record(usage(), usage("e2"), usage(), usage(quantity="1"))

        assert (result.accepted, result.unchanged) == (2, 1)
        assert [(each.index, each.code) for each in result.rejected] == [(3, "different_content")]
        assert UsageRecord.objects.get(event_id="e1").quantity_micro == 3_600_000_000

    def test_the_first_of_a_call_wins(self) -> None:
        record(usage(quantity="2"), usage(quantity="1"))

        assert UsageRecord.objects.get().quantity_micro == 2_000_000

    def test_other_sources_and_other_months_are_other_events(self) -> None:
        september = {"start": datetime(2026, 9, 1, 10, tzinfo=UTC), "end": datetime(2026, 9, 1, 11, tzinfo=UTC)}

        assert record(usage(), usage(source="billing"), usage(**september)) == RecordedUsage(3, 0, [])

    def test_the_month_is_that_of_the_start_where_the_legal_entity_is(self) -> None:
        # 23:30 in Paris on September 30; half past midnight on October 1.
        late = {"start": datetime(2026, 9, 30, 21, 30, tzinfo=UTC), "end": datetime(2026, 9, 30, 21, 45, tzinfo=UTC)}
        early = {"start": datetime(2026, 9, 30, 22, 30, tzinfo=UTC), "end": datetime(2026, 9, 30, 22, 45, tzinfo=UTC)}

        assert record(usage(**late), usage(**early)) == RecordedUsage(2, 0, [])
        assert set(UsageRecord.objects.values_list("month", flat=True)) == {date(2026, 9, 1), OCTOBER}


class TestMonths:
    START = datetime(2026, 9, 30, 20, tzinfo=UTC)
    BOUNDARY = datetime(2026, 9, 30, 22, tzinfo=UTC)  # midnight in Paris

    def test_a_record_over_midnight_is_split_in_proportion_to_time(self, atlas: Organization) -> None:
        end = datetime(2026, 10, 1, 2, tzinfo=UTC)
        record(usage(start=self.START, end=end, quantity="100"))

        # 2 h of 6 h: 100 x 2/6 = 33.333333, the rest by subtraction.
        assert parts() == [
            (date(2026, 9, 1), 0, self.START, self.BOUNDARY, 33_333_333),
            (OCTOBER, 1, self.BOUNDARY, end, 66_666_667),
        ]
        assert UsageMonth.objects.filter(organization=atlas, unbilled=True).count() == 2

    def test_over_several_months(self) -> None:
        record(usage(start=datetime(2026, 6, 15, tzinfo=UTC), end=datetime(2026, 10, 15, tzinfo=UTC), quantity="1000"))

        assert [(month, part) for month, part, *_ in parts()] == [
            (date(2026, 6, 1), 0),
            (date(2026, 7, 1), 1),
            (date(2026, 8, 1), 2),
            (date(2026, 9, 1), 3),
            (OCTOBER, 4),
        ]
        assert sum(quantity for *_, quantity in parts()) == 1_000_000_000

    def test_again_and_with_other_content(self) -> None:
        spanning = {"start": self.START, "end": datetime(2026, 10, 1, 2, tzinfo=UTC)}
        record(usage(**spanning))

        assert record(usage(**spanning)) == RecordedUsage(0, 1, [])
        # Longer: its further part must not be stored either.
        result = record(usage(start=self.START, end=datetime(2026, 11, 2, tzinfo=UTC)))
        assert [each.code for each in result.rejected] == ["different_content"]
        assert len(parts()) == 2
        assert not UsageMonth.objects.filter(month=date(2026, 11, 1)).exists()

    def test_up_to_the_boundary_and_from_the_boundary(self) -> None:
        record(
            usage("e1", start=self.START, end=self.BOUNDARY),
            usage("e2", start=self.BOUNDARY, end=self.BOUNDARY + timedelta(hours=1)),
        )

        assert [(month, part) for month, part, *_ in parts()] == [(date(2026, 9, 1), 0), (OCTOBER, 0)]

    def test_an_instant_may_be_a_record(self) -> None:
        record(usage(start=self.BOUNDARY, end=self.BOUNDARY, quantity="7"))

        assert parts() == [(OCTOBER, 0, self.BOUNDARY, self.BOUNDARY, 7_000_000)]

    def test_the_hour_that_comes_twice(self) -> None:
        # 2:30 in Paris on October 25, in summer time and again in winter time.
        first = {"start": datetime.fromisoformat("2026-10-25T02:30:00+02:00")}
        second = {"start": datetime.fromisoformat("2026-10-25T02:30:00+01:00")}
        end = datetime(2026, 10, 25, 3, tzinfo=UTC)

        assert record(usage("e1", end=end, **first), usage("e2", end=end, **second)) == RecordedUsage(2, 0, [])
        assert [start.hour for _, _, start, *_ in parts()] == [0, 1]

    def test_settled_months_are_flagged_again_but_only_by_new_usage(self, atlas: Organization) -> None:
        record(usage())
        UsageMonth.objects.update(unbilled=False)

        record(usage(), usage(quantity="1"))
        assert not UsageMonth.objects.get().unbilled
        record(usage("e2"))
        assert UsageMonth.objects.get().unbilled


class TestRefusals:
    def test_unknown_names(self) -> None:
        assert refusal(organization="orga_x") == ("unknown_organization", "Unknown organization: 'orga_x'.")
        assert refusal(resource="app_x") == ("unknown_resource", "Unknown resource: 'app_x'.")
        assert refusal(meter="apps.X") == ("unknown_meter", "Unknown meter: 'apps.X'.")

    def test_a_long_name_is_not_repeated_in_full(self) -> None:
        code, detail = refusal(organization="x" * 100_000)

        assert code == "unknown_organization"
        assert len(detail) < 200

    def test_a_resource_of_somebody_else(self) -> None:
        make_resource(organization=make_organization(external_id="orga_other"), external_id="app_other")

        assert refusal(resource="app_other") == (
            "other_organization",
            "Resource 'app_other' belongs to another organization than 'orga_atlas'.",
        )

    @pytest.mark.parametrize(
        "quantity",
        [
            "-1",
            "NaN",
            "nan",
            "Infinity",
            "inf",
            "1000000000000.000001",
            "9" * 5000,
            "１２",
            "1_000",
            "1e5",
            "true",
            "",
            "1.1234567",
            " 1",
            "1 ",
            "+1",
            "0x10",
            ".5",
            "5.",
            "1,5",
            "٣",
            "None",
        ],
    )
    def test_quantities_that_are_none(self, quantity: str) -> None:
        code, detail = refusal(quantity=quantity)

        assert code == "invalid_quantity"
        assert "quantity" in detail
        assert len(detail) < 200

    @pytest.mark.parametrize("quantity", ["0", "0.0", "1000000000000", "1000000000000.000000", "0.000001", "007"])
    def test_quantities_at_the_edge(self, quantity: str) -> None:
        assert record(usage(quantity=quantity)) == RecordedUsage(1, 0, [])

    def test_a_start_after_its_end(self) -> None:
        code, detail = refusal(start=usage().end + timedelta(microseconds=1))

        assert code == "invalid_time"
        assert detail.startswith("The record starts after it ends: ")

    def test_the_future_begins_in_five_minutes(self) -> None:
        latest = AT + timedelta(minutes=5)

        code, detail = refusal(end=latest + timedelta(microseconds=1))
        assert (code, detail) == ("in_the_future", "The record ends in the future: 2026-11-22T09:05:00.000001+00:00.")
        assert record(usage(end=latest)) == RecordedUsage(1, 0, [])

    @pytest.mark.parametrize("start", ["0001-01-01T00:00:00+14:00", "1969-12-31T23:59:59+00:00"])
    def test_before_the_calendar(self, start: str) -> None:
        assert refusal(start=datetime.fromisoformat(start))[0] == "invalid_time"

    def test_beyond_the_calendar(self) -> None:
        end = datetime.fromisoformat("9999-12-31T23:59:59-14:00")

        assert refusal(end=end)[0] == "in_the_future"

    @pytest.mark.parametrize("field", ["source", "organization", "resource", "meter", "zone", "event_id"])
    @pytest.mark.parametrize("text", ["a\0b", "a\ud800"])
    def test_text_that_no_database_keeps(self, field: str, text: str) -> None:
        result = record(msgspec.structs.replace(usage(), **{field: text}), usage("good"))

        assert result.accepted == 1
        assert [(each.index, each.code) for each in result.rejected] == [(0, "invalid_text")]

    def test_a_zone_that_is_longer_in_lower_case(self) -> None:
        result = record(usage(zone="İ" * 26), usage("good", zone="İ" * 25))  # each is two characters then

        assert result.accepted == 1
        assert [(each.index, each.code) for each in result.rejected] == [(0, "invalid_text")]

    def test_a_refused_record_stops_no_other(self) -> None:
        result = record(usage("e1"), usage("e2", quantity="x"), usage("e3"), usage("e4", meter="x"), usage("e5"))

        assert (result.accepted, result.unchanged) == (3, 0)
        assert [each.index for each in result.rejected] == [1, 3]


class TestScale:
    def test_the_number_of_queries_does_not_depend_on_the_number_of_records(self, atlas: Organization) -> None:
        for number in range(20):
            make_resource(organization=make_organization(external_id=f"o{number}"), external_id=f"r{number}")

        def queries(count: int, tag: str) -> int:
            records = [
                usage(f"{tag}{number}", organization=f"o{number % 20}", resource=f"r{number % 20}")
                for number in range(count)
            ]
            with CaptureQueriesContext(
                connection,
            ) as captured:
                assert record(*records).accepted == count
            return len(captured)

        queries(20, "warm")
        assert queries(400, "many") == queries(20, "few")

    def test_more_records_than_one_transaction_takes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        module = importlib.import_module("billing.usecases.record_usage")
        monkeypatch.setattr(module, "RECORDS_PER_TRANSACTION", 10)
        records = [usage(f"e{number}", quantity="x" if number % 7 == 3 else "1") for number in range(25)]

        result = record(*records, records[0], usage("e1", quantity="2"))

        assert (result.accepted, result.unchanged) == (21, 1)
        assert [each.index for each in result.rejected] == [3, 10, 17, 24, 26]

    def test_names_that_no_longer_fit_the_memory_are_looked_up_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(importlib.import_module("billing.usecases._references"), "REMEMBERED", 2)
        references = References()
        for number in range(5):
            make_resource(organization=make_organization(external_id=f"o{number}"), external_id=f"r{number}")

        for call, first in enumerate((0, 2, 0)):
            numbers = range(first, first + 3)
            records = [usage(f"{call}-{n}", organization=f"o{n}", resource=f"r{n}") for n in numbers]
            assert record_usage(records=records, at=AT, references=references) == RecordedUsage(3, 0, [])


def test_a_record_spans_three_years_at_most() -> None:
    code, detail = refusal(start=datetime(2023, 1, 1, tzinfo=UTC))
    assert (code, "1100 days" in detail) == ("invalid_time", True)
    assert record(usage(start=AT - timedelta(days=1_100), end=AT)).accepted == 1


def test_records_are_stored_month_by_month() -> None:
    # Whoever stores the same ones at the same time takes them in the same order, whatever the order of their batch.
    checker = UsageChecker(at=AT, zone=billing_zone(), references=References())
    october, september = usage().start, usage().start - timedelta(days=20)
    records = [usage(name, start=start, end=start) for name in "ba" for start in (october, september)]
    records.append(usage("c", start=datetime.max.replace(tzinfo=UTC)))
    refused: list[Rejection] = []
    arrivals = list(checker.check(records, refused))
    assert [(each.parts[0].month.month, each.event_id) for each in arrivals] == [
        (9, "a"),
        (9, "b"),
        (10, "a"),
        (10, "b"),
    ]
    assert [each.code for each in refused] == ["invalid_time"]
