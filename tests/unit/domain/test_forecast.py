"""The next invoice before its month is over: only quantities are guessed."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from billing.domain.assembly import Nil
from billing.domain.facts import MonthUsage, Reason
from billing.domain.forecast import LONGEST_DELAY, WINDOW, UsageOf, Window, carried_on, extrapolate, window_at
from tests.builders.facts import (
    METER,
    OCTOBER,
    PAYER,
    RESOURCE,
    SEPTEMBER,
    draft_with,
    make_add_on,
    make_facts,
    make_grant,
    make_usage,
    units,
)

KEY: UsageOf = (PAYER, RESOURCE, METER, "par")
INSTANTS = st.datetimes(OCTOBER.start.replace(tzinfo=None), OCTOBER.end.replace(tzinfo=None)).map(
    lambda instant: instant.replace(tzinfo=UTC)
)


def total_micro(usage: MonthUsage) -> int:
    return sum(row[5] for row in usage.sums)


def usage_of(quantity: int, cuts: tuple[datetime, ...] = ()) -> MonthUsage:
    return MonthUsage(OCTOBER, [OCTOBER.start, *cuts], [units(quantity)], {})


@given(quantity=st.integers(0, 10**9), measured=st.integers(0, 10**15), at=INSTANTS, cut=INSTANTS)
def test_quantities_are_whole_and_only_grow(quantity: int, measured: int, at: datetime, cut: datetime) -> None:
    usage = usage_of(quantity, (cut,) if OCTOBER.start < cut < OCTOBER.end else ())
    window = window_at(OCTOBER, at, at)

    forecast = extrapolate(usage, {KEY: measured}, window, OCTOBER.end)

    assert all(isinstance(row[5], int) and row[5] >= 0 for row in forecast.sums)
    assert total_micro(forecast) >= total_micro(usage)
    assert all(0 <= row[4] < len(usage.segment_starts) for row in forecast.sums)


@given(quantity=st.integers(0, 10**9), measured=st.integers(0, 10**15), late=st.integers(0, 10**6))
def test_at_the_end_of_the_month_the_forecast_is_what_was_measured(quantity: int, measured: int, late: int) -> None:
    usage = usage_of(quantity)
    window = window_at(OCTOBER, OCTOBER.end + timedelta(seconds=late), None)

    assert extrapolate(usage, {KEY: measured}, window, OCTOBER.end) == usage


@given(per_second=st.integers(0, 10**6), at=INSTANTS)
def test_what_always_ran_at_one_rate_comes_to_the_rate_of_the_whole_month(per_second: int, at: datetime) -> None:
    at = at.replace(microsecond=0)
    so_far = (at - OCTOBER.start) // timedelta(seconds=1)
    usage = MonthUsage(OCTOBER, [OCTOBER.start], [(*KEY, 0, per_second * so_far)], {})
    measured = per_second * (WINDOW // timedelta(seconds=1))

    forecast = extrapolate(usage, {KEY: measured}, window_at(OCTOBER, at, at), OCTOBER.end)

    assert total_micro(forecast) == per_second * OCTOBER.seconds


def test_the_rest_of_the_month_falls_on_the_prices_in_force_then() -> None:
    """A new price from the 25th on: 4 of the last 10 days cost the old one, 6 days and an hour the new one."""
    cut = OCTOBER.start + timedelta(days=25)
    window = Window(OCTOBER.start + timedelta(days=14), OCTOBER.start + timedelta(days=21))

    forecast = extrapolate(usage_of(0, (cut,)), {KEY: 7 * 24 * 1_000_000}, window, OCTOBER.end)

    assert [(row[4], row[5] // 1_000_000) for row in forecast.sums[1:]] == [(0, 96), (1, 145)]


def test_usage_that_has_not_arrived_is_no_standstill_for_a_day() -> None:
    at = OCTOBER.start + timedelta(days=10)

    assert window_at(OCTOBER, at, at - timedelta(hours=5)).end == at - timedelta(hours=5)
    assert window_at(OCTOBER, at, at - timedelta(days=5)).end == at - LONGEST_DELAY
    assert window_at(OCTOBER, at, at + timedelta(minutes=4)).end == at
    assert window_at(OCTOBER, at, None).end == at


def test_on_the_first_day_the_window_reaches_back() -> None:
    window = window_at(OCTOBER, OCTOBER.start + timedelta(hours=1), None)

    assert window.start < OCTOBER.start
    forecast = extrapolate(usage_of(0), {KEY: 7 * 24 * 1_000_000}, window, OCTOBER.end)
    assert total_micro(forecast) == 744 * 1_000_000  # the 745 hours of October less the one that is over


def test_an_account_that_closes_uses_nothing_afterwards() -> None:
    window = Window(OCTOBER.start, OCTOBER.start + timedelta(days=7))

    forecast = extrapolate(usage_of(0), {KEY: 7_000_000}, window, OCTOBER.start + timedelta(days=9))

    assert total_micro(forecast) == 2_000_000


def test_a_month_that_is_not_issued_yet_is_settled_first() -> None:
    """100.00 prepaid; September consumes 60.00 and provisions 20.00; October starts with 40.00 and 20.00 pending."""
    september = make_usage(units(60), month=SEPTEMBER)
    grants = [make_grant(1, 100_00)]
    before = draft_with(structs.replace(make_facts(usage=september, grants=grants), month=SEPTEMBER))
    october = make_facts(usage=make_usage(units(10)), late_usage=[september], grants=grants)

    carried = carried_on(october, before, is_known=False)
    invoice = draft_with(carried)

    assert carried.late_usage == ()
    assert (invoice.statement.prepaid_balance_cents, invoice.statement.pending_cents) == (40_00, 20_00)
    assert invoice.fees_cents == 10_00


def test_what_the_month_before_bills_is_not_billed_twice() -> None:
    add_on = make_add_on()
    before = draft_with(structs.replace(make_facts(add_ons=[add_on]), month=SEPTEMBER))

    carried = carried_on(make_facts(add_ons=[add_on]), before, is_known=False)

    assert [each.billed_until for each in carried.add_ons] == [dict(before.add_ons_billed_until)[add_on.id]]


def test_a_month_without_invoice_lets_credits_expire() -> None:
    before = Nil(Reason("no_activity"), expired=((1, 30_00),))

    carried = carried_on(
        make_facts(grants=[make_grant(1, 100_00)], past_consumption_cents=[5_00, 7_00]), before, is_known=True
    )

    assert [grant.remaining_cents for grant in carried.grants] == [70_00]
    assert carried.past_consumption_cents == [0, 7_00]
