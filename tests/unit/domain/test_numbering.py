"""Document numbers from templates."""

from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from billing.domain.numbering import InvalidTemplate, check_template, render_number

FIRST_OF_NOVEMBER = date(2026, 11, 1)

good_templates = [
    "F{date:%Y%m%d}-{counter:06d}",
    "{counter}",
    "{counter:d}",
    "{counter:06}",
    "{counter:012d}",
    "{counter}{date:%y}",
    "{counter}-{date:%d}{counter}",
    "AV/{date:%Y}/{date:%m}/{counter:01d}",
    "{date:%Y-%m-%d}.{counter:04d}",
    "{date}_{counter}",
    "INV{date:%G-W%V}.{counter:05d}",
    "INV{date:%j}0{counter}",
]


@pytest.mark.parametrize(
    ("template", "counter", "number"),
    [
        ("F{date:%Y%m%d}-{counter:06d}", 42, "F20261101-000042"),
        ("F{date:%Y%m%d}-{counter:06d}", 1, "F20261101-000001"),
        ("F{date:%Y%m%d}-{counter:06d}", 1234567, "F20261101-1234567"),  # wider than its field: in full
        ("A{date:%y}/{counter}", 7, "A26/7"),
        ("{date}_{counter:03}", 7, "2026-11-01_007"),
        ("{counter}", 999999, "999999"),
    ],
)
def test_examples(template: str, counter: int, number: str) -> None:
    assert render_number(template, date=FIRST_OF_NOVEMBER, counter=counter) == number


@pytest.mark.parametrize("template", good_templates)
def test_good_templates(template: str) -> None:
    check_template(template)


@pytest.mark.parametrize(
    ("template", "complaint"),
    [
        ("", "must contain {counter}"),
        ("F-{date:%Y}", "must contain {counter}"),
        ("F{", "not well formed"),
        ("F}{counter}", "not well formed"),
        ("{counter", "not well formed"),
        ("{}", "only fields are date and counter"),
        ("{0}{counter}", "only fields are date and counter"),
        ("{series}-{counter}", "only fields are date and counter, not 'series'"),
        ("{Counter}", "only fields are date and counter"),
        ("{counter.__class__}", "only fields are date and counter"),
        ("{date.__class__.__mro__[1]}{counter}", "only fields are date and counter"),
        ("{date.year}-{counter}", "only fields are date and counter"),
        ("{counter[0]}", "only fields are date and counter"),
        ("{counter!r}", "Conversions"),
        ("{date!s}{counter}", "Conversions"),
        ("{counter:6d}", "not a counter format"),  # would pad with spaces
        ("{counter:013d}", "not a counter format"),
        ("{counter:99999999d}", "not a counter format"),
        ("{counter:x}", "not a counter format"),
        ("{counter:.2f}", "not a counter format"),
        ("{counter:,}", "not a counter format"),
        ("{counter:c}", "not a counter format"),
        ("{counter:06d\n}", "not a counter format"),
        ("{counter:{date}}", "not a counter format"),
        ("{date:{counter}}{counter}", "not a date format"),
        ("{date:%H%M}{counter}", "not a date format"),
        ("{date:%B}{counter}", "not a date format"),  # depends on the locale
        ("{date:%}{counter}", "not a date format"),
        ("F {counter}", "Only letters"),
        ("F{counter}\n", "Only letters"),
        ("<b>{counter}", "Only letters"),
        ("é{counter}", "Only letters"),
        ("{{{counter}}}", "Only letters"),
    ],
)
def test_bad_templates(template: str, complaint: str) -> None:
    with pytest.raises(InvalidTemplate, match=complaint):
        check_template(template)
    with pytest.raises(InvalidTemplate, match=complaint):
        render_number(template, date=FIRST_OF_NOVEMBER, counter=1)


@pytest.mark.parametrize("counter", [0, -1])
def test_counters_begin_at_one(counter: int) -> None:
    with pytest.raises(ValueError, match="counted from 1"):
        render_number("{counter}", date=FIRST_OF_NOVEMBER, counter=counter)


days = st.dates(date(2000, 1, 1), date(2099, 12, 31))
counters = st.integers(1, 200) | st.integers(1, 10**13)


@given(st.sampled_from(good_templates), days, days, counters, counters)
def test_two_counters_never_share_a_number(template: str, one_day: date, other_day: date, one: int, other: int) -> None:
    assume(one != other)
    assert render_number(template, date=one_day, counter=one) != render_number(template, date=other_day, counter=other)


@given(days, counters, counters)
def test_numbers_of_one_series_sort_by_date_then_counter(day: date, one: int, other: int) -> None:
    assume(one < other < 10**6)
    template = "F{date:%Y%m%d}-{counter:06d}"
    assert render_number(template, date=day, counter=one) < render_number(template, date=day, counter=other)


@given(st.text(max_size=20) | st.text("{}:%Ydcounterdate06!.[]", max_size=24))
def test_any_text_is_refused_or_renders(template: str) -> None:
    try:
        check_template(template)
    except InvalidTemplate:
        return
    assert "1" in render_number(template, date=FIRST_OF_NOVEMBER, counter=1)
