"""Months in a time zone, and quantities split over time."""

from datetime import UTC, date, datetime, timedelta, timezone
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from billing.domain.periods import Month, Part, months_between, split_quantity

PARIS = ZoneInfo("Europe/Paris")
HOUR = 3_600

# Clocks that change at midnight of a 1st, by half an hour, or where days went missing: the awkward ones on purpose.
AWKWARD = ["Europe/Paris", "UTC", "America/Asuncion", "America/Havana", "America/St_Johns", "Australia/Lord_Howe"]
AWKWARD += [
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "Africa/Casablanca",
    "Asia/Amman",
    "America/Sao_Paulo",
]
zones = st.sampled_from([ZoneInfo(name) for name in AWKWARD])
months = st.builds(Month, st.integers(1971, 2100), st.integers(1, 12), zones)
instants = st.integers(1, 2**32).map(lambda seconds: datetime(1971, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))
spans = st.tuples(instants, st.timedeltas(timedelta(0), timedelta(days=120))).map(
    lambda span: (span[0], span[0] + span[1])
)
quantities = st.integers(0, 10**18)


def paris(year: int, number: int) -> Month:
    return Month(year, number, PARIS)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


def test_a_month_starts_and_ends_at_local_midnight() -> None:
    october = paris(2026, 10)
    assert october.start == utc(2026, 9, 30, 22)  # +02:00
    assert october.end == utc(2026, 10, 31, 23)  # +01:00
    assert october.start.tzinfo is UTC
    assert october.first_day == date(2026, 10, 1)
    assert october.last_day == date(2026, 10, 31)
    assert october.days == 31


@pytest.mark.parametrize(
    ("year", "number", "hours"),
    [
        (2026, 3, 743),  # 31 * 24 - 1: summer time begins
        (2026, 10, 745),  # 31 * 24 + 1: and ends
        (2026, 2, 672),  # 28 * 24
        (2028, 2, 696),  # 29 * 24
        (2026, 11, 720),
        (2026, 12, 744),
    ],
)
def test_the_hours_of_months_in_paris(year: int, number: int, hours: int) -> None:
    assert paris(year, number).seconds == hours * HOUR


def test_a_month_may_have_half_an_hour() -> None:
    lord_howe = ZoneInfo("Australia/Lord_Howe")
    assert Month(2026, 10, lord_howe).seconds == 744 * HOUR - HOUR // 2  # clocks go forward by 30 minutes


def test_a_month_may_start_where_midnight_is_skipped_or_comes_twice() -> None:
    # 2023-10-01 in Asuncion: 00:00 -04:00 became 01:00 -03:00.
    october = Month(2023, 10, ZoneInfo("America/Asuncion"))
    assert october.start == utc(2023, 10, 1, 4)
    assert not october.contains(utc(2023, 10, 1, 3, 59))
    # 2026-11-01 in Havana: 01:00 -04:00 became 00:00 -05:00, the first midnight counts.
    assert Month(2026, 11, ZoneInfo("America/Havana")).start == utc(2026, 11, 1, 4)
    # 2009-11-01 in St. John's: 00:01 -02:30 became 23:01 of October -03:30; November had begun.
    saint_johns = ZoneInfo("America/St_Johns")
    assert Month.containing(utc(2009, 11, 1, 3, 0), saint_johns) == Month(2009, 11, saint_johns)


def test_the_end_of_a_month_belongs_to_the_next() -> None:
    october = paris(2026, 10)
    last = october.end - timedelta(microseconds=1)
    assert october.contains(october.start)
    assert october.contains(last)
    assert not october.contains(october.end)
    assert not october.has_ended(last)
    assert october.has_ended(october.end)
    assert Month.containing(october.end, PARIS) == paris(2026, 11)
    assert Month.containing(last, PARIS) == october


def test_the_month_of_an_instant_is_that_of_the_local_clock() -> None:
    late_evening = utc(2026, 9, 30, 22, 30)  # 00:30 in Paris
    assert Month.containing(late_evening, PARIS) == paris(2026, 10)
    assert Month.containing(late_evening, ZoneInfo("UTC")).number == 9
    assert Month.containing(datetime(2026, 10, 1, 0, 30, tzinfo=timezone(timedelta(hours=2))), PARIS) == paris(2026, 10)
    assert Month.of_day(date(2026, 10, 31), PARIS) == paris(2026, 10)


@given(instants, zones)
def test_every_instant_lies_in_exactly_one_month(instant: datetime, zone: ZoneInfo) -> None:
    month = Month.containing(instant, zone)
    assert month.contains(instant)
    assert not month.previous.contains(instant)
    assert not month.next.contains(instant)


@given(months)
def test_months_leave_no_gap(month: Month) -> None:
    assert month.end == month.next.start
    assert month.previous.end == month.start
    assert month.last_day + timedelta(days=1) == month.next.first_day
    assert month.seconds == (month.end - month.start).total_seconds() > 0
    assert abs(month.seconds - month.days * 24 * HOUR) <= 25 * HOUR  # a whole day went missing in Samoa


@given(months)
def test_a_month_contains_its_start_and_its_days(month: Month) -> None:
    assert Month.containing(month.start, month.zone) == month
    assert Month.of_day(month.first_day, month.zone) == month
    assert Month.of_day(month.last_day, month.zone) == month


@given(months, st.integers(-600, 600), st.integers(-600, 600))
def test_shifts_add_up(month: Month, one: int, other: int) -> None:
    month = month.shift(12 * 200)  # so that no shift leads before 1970
    assert month.shift(one).shift(other) == month.shift(one + other)
    assert month.shift(0) == month
    assert (month.shift(one) > month) == (one > 0)
    assert (month.shift(one) <= month) == (one <= 0)


def test_neighbours_over_the_turn_of_the_year() -> None:
    assert paris(2026, 12).next == paris(2027, 1)
    assert paris(2026, 1).previous == paris(2025, 12)
    assert paris(2026, 1).shift(-13) == paris(2024, 12)
    assert paris(2026, 11).shift(14) == paris(2028, 1)


def test_going_back_ends_at_the_first_month_there_is() -> None:
    assert paris(2026, 1).back(0) == paris(2026, 1)
    assert paris(2026, 1).back(13) == paris(2024, 12)
    assert paris(1970, 3).back(2) == paris(1970, 1)
    assert paris(1970, 3).back(32_767) == paris(1970, 1)


def test_months_are_values() -> None:
    assert sorted([paris(2027, 1), paris(2026, 12), paris(2026, 2)]) == [
        paris(2026, 2),
        paris(2026, 12),
        paris(2027, 1),
    ]
    assert len({paris(2026, 10), paris(2026, 10)}) == 1
    assert paris(2026, 10) != Month(2026, 10, ZoneInfo("UTC"))
    with pytest.raises(AttributeError):
        paris(2026, 10).year = 2027  # type: ignore[misc]  # on purpose


@given(months)
def test_months_are_read_as_they_are_written(month: Month) -> None:
    assert Month.parse(str(month), month.zone) == month


def test_a_month_is_written_in_seven_characters() -> None:
    assert str(paris(2026, 3)) == "2026-03"
    assert f"{paris(2026, 10)}" == "2026-10"


NOT_MONTHS = ["２０２６-10", "0000-01", "9998-12", "9999-12", "10-2026", "october"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026",
        "2026-00",
        "2026-13",
        "2026-1",
        "26-10",
        "2026/10",
        "2026-10-01",
        " 2026-10",
        "2026-10\n",
        *NOT_MONTHS,
    ],
)
def test_what_is_not_a_month_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a month: write YYYY-MM, such as 2026-10\.$"):
        Month.parse(text, PARIS)


@pytest.mark.parametrize(("year", "number"), [(2026, 0), (2026, 13), (1969, 12), (9999, 1)])
def test_there_are_no_other_months(year: int, number: int) -> None:
    with pytest.raises(ValueError, match="There is no month"):
        paris(year, number)


def test_an_instant_needs_a_time_zone() -> None:
    naive = datetime(2026, 10, 1)  # noqa: DTZ001 - the mistake under test
    with pytest.raises(ValueError, match="no time zone"):
        Month.containing(naive, PARIS)
    with pytest.raises(ValueError, match="no time zone"):
        split_quantity(1, naive, naive, [])


def test_a_quantity_is_split_in_proportion_to_time() -> None:
    # 10 units from 18:00 to 04:00 in Paris: 6 h in October, 4 h in November.
    november = paris(2026, 11).start
    start, end = november - timedelta(hours=6), november + timedelta(hours=4)
    assert split_quantity(10_000_000, start, end, [november]) == [
        Part(start, november, 6_000_000),
        Part(november, end, 4_000_000),
    ]


def test_a_quantity_is_split_by_real_time_when_the_clocks_change() -> None:
    # 2026-10-25 00:00 to 12:00 in Paris lasts 13 h; the first 6 h of the clock last 7 h.
    start, cut, end = (datetime(2026, 10, 25, hour, tzinfo=PARIS) for hour in (0, 6, 12))
    assert [part.quantity_micro for part in split_quantity(13_000_000, start, end, [cut])] == [7_000_000, 6_000_000]


@pytest.mark.parametrize(
    ("quantity", "minutes", "expected"),
    [
        (1, [1], [1, 0]),  # 1 * 1/2 = 0.5 -> 1, the rest is 0
        (100, [1, 2], [33, 34, 33]),  # running: 33.33 -> 33, 66.67 -> 67, 100
        (1, [1, 2, 3], [0, 1, 0, 0]),  # 0.25 -> 0, 0.5 -> 1: rounding each would give 0, 0, 0 or go negative
        (3, [1, 2, 3, 4, 5], [1, 0, 1, 0, 1, 0]),  # 0.5 -> 1, 1, 1.5 -> 2, 2, 2.5 -> 3, 3
        (0, [1], [0, 0]),
    ],
)
def test_parts_come_from_rounded_running_totals(quantity: int, minutes: list[int], expected: list[int]) -> None:
    start = utc(2026, 10, 1)
    end = start + timedelta(minutes=len(expected))
    cuts = [start + timedelta(minutes=minute) for minute in minutes]
    assert [part.quantity_micro for part in split_quantity(quantity, start, end, cuts)] == expected


def test_cuts_outside_and_at_the_edges_change_nothing() -> None:
    start, end = utc(2026, 10, 1), utc(2026, 10, 2)
    cuts = [start - timedelta(days=1), start, end, end + timedelta(days=1)]
    assert split_quantity(7, start, end, cuts) == [Part(start, end, 7)]


def test_cuts_may_come_in_any_order_and_twice() -> None:
    start, end = utc(2026, 10, 1), utc(2026, 10, 5)
    second, third = utc(2026, 10, 2), utc(2026, 10, 3)
    expected = split_quantity(1_000, start, end, [second, third])
    assert split_quantity(1_000, start, end, [third, second, third]) == expected
    assert [part.quantity_micro for part in expected] == [250, 250, 500]


def test_a_record_of_no_duration_stays_whole() -> None:
    instant = paris(2026, 11).start
    assert split_quantity(5, instant, instant, [instant]) == [Part(instant, instant, 5)]


def test_time_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="ends before it starts"):
        split_quantity(1, utc(2026, 10, 2), utc(2026, 10, 1), [])


@given(quantities, spans, st.lists(instants, max_size=3), st.lists(st.floats(0, 1), max_size=6))
def test_parts_sum_exactly_touch_and_are_never_negative(
    quantity: int, span: tuple[datetime, datetime], outside: list[datetime], fractions: list[float]
) -> None:
    start, end = span
    cuts = [*outside, *(start + (end - start) * fraction for fraction in fractions)]
    parts = split_quantity(quantity, start, end, cuts)
    assert sum(part.quantity_micro for part in parts) == quantity
    assert all(part.quantity_micro >= 0 for part in parts)
    assert (parts[0].start, parts[-1].end) == (start, end)
    assert all(left.end == right.start for left, right in pairwise(parts))
    assert {part.start for part in parts[1:]} == {cut for cut in cuts if start < cut < end}


@given(quantities, spans, st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_a_part_is_off_by_less_than_a_millionth(
    quantity: int, span: tuple[datetime, datetime], fractions: list[float]
) -> None:
    start, end = span
    assume(start < end)
    microsecond = timedelta(microseconds=1)
    for part in split_quantity(quantity, start, end, [start + (end - start) * fraction for fraction in fractions]):
        exact = Fraction(quantity * ((part.end - part.start) // microsecond), (end - start) // microsecond)
        assert abs(part.quantity_micro - exact) < 1


@given(quantities, spans, st.floats(0, 1), st.lists(st.floats(0, 1), max_size=5))
def test_one_more_cut_moves_nothing_across_the_others(
    quantity: int, span: tuple[datetime, datetime], at: float, more: list[float]
) -> None:
    start, end = span
    cut = start + (end - start) * at
    others = [start + (end - start) * fraction for fraction in more]
    few = split_quantity(quantity, start, end, [cut])
    many = split_quantity(quantity, start, end, [cut, *others])
    assert sum(part.quantity_micro for part in many if part.end <= few[0].end) == few[0].quantity_micro


def test_the_starts_of_months_within_a_record() -> None:
    start, end = utc(2026, 9, 15), utc(2026, 12, 15)
    assert months_between(start, end, PARIS) == [paris(2026, number).start for number in (10, 11, 12)]
    assert months_between(start, start, PARIS) == []


def test_a_month_that_starts_at_the_edge_is_not_within() -> None:
    october = paris(2026, 10)
    assert months_between(october.start, october.end, PARIS) == []
    assert months_between(october.start - timedelta(microseconds=1), october.end, PARIS) == [october.start]
    assert months_between(october.start, october.end + timedelta(microseconds=1), PARIS) == [october.end]


@given(quantities, spans, zones)
def test_split_at_months_every_part_lies_in_one_month(
    quantity: int, span: tuple[datetime, datetime], zone: ZoneInfo
) -> None:
    start, end = span
    parts = split_quantity(quantity, start, end, months_between(start, end, zone))
    homes = [Month.containing(part.start, zone) for part in parts]
    assert homes == sorted(set(homes))
    assert all(part.end <= home.end for part, home in zip(parts, homes, strict=True))
