"""Balances month by month: what opens and moves is what closes."""

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from billing.domain.credit_history import Movement, by_month

MOVEMENTS = st.lists(
    st.builds(
        Movement,
        day=st.integers(0, 900).map(lambda days: date(2024, 1, 1) + timedelta(days)),
        cents=st.integers(-(10**12), 10**12),
        kind=st.just("use"),
        month=st.none(),
        cause=st.none(),
    ),
    max_size=40,
)


@given(opening_cents=st.integers(0, 10**12), movements=MOVEMENTS)
def test_each_month_opens_where_the_one_before_closed(opening_cents: int, movements: list[Movement[None]]) -> None:
    months = by_month(opening_cents, movements)

    assert all(before.closing_cents == after.opening_cents for before, after in pairwise(months))
    assert all(month.opening_cents + month.change_cents == month.closing_cents for month in months)
    if months:
        assert months[0].opening_cents == opening_cents
        assert months[-1].closing_cents == opening_cents + sum(movement.cents for movement in movements)


@given(opening_cents=st.integers(0, 10**12), movements=MOVEMENTS)
def test_every_movement_is_in_its_month_once(opening_cents: int, movements: list[Movement[None]]) -> None:
    months = by_month(opening_cents, movements)

    assert [month.month for month in months] == sorted({movement.day.replace(day=1) for movement in movements})
    assert sorted(repr(each) for month in months for each in month.movements) == sorted(map(repr, movements))
    assert all(each.day.replace(day=1) == month.month for month in months for each in month.movements)


def test_nothing_moved() -> None:
    assert by_month(691_35, []) == []
