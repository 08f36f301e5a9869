"""Bars stand on each other, within their box, as high as their amounts."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.portal._charts import BOTTOM, HEIGHT, LEFT, MOST_STEPS, RIGHT, TOP, WIDTH, scale_step, stacked_columns

FLOOR = HEIGHT - BOTTOM
AMOUNTS = st.integers(1, 13).flatmap(
    lambda months: st.lists(st.lists(st.integers(0, 10**13), min_size=months, max_size=months), min_size=1, max_size=9)
)


@given(AMOUNTS)
def test_bars_stack_without_gap_or_overlap(series: list[list[int]]) -> None:
    for column in stacked_columns(series).columns:
        lower = FLOOR
        for bar in column.bars:
            assert bar.y + bar.height == lower
            assert bar.height > 0
            lower = bar.y
        assert lower == column.y or not column.bars


@given(AMOUNTS)
def test_everything_lies_within_the_box_and_beside_each_other(series: list[list[int]]) -> None:
    plot = stacked_columns(series)

    assert all(TOP <= column.y <= FLOOR for column in plot.columns)
    assert all(column.x >= LEFT and column.x + column.width <= WIDTH - RIGHT for column in plot.columns)
    assert all(before.x + before.width <= after.x for before, after in pairwise(plot.columns))
    assert [column.total_cents for column in plot.columns] == [sum(amounts) for amounts in zip(*series, strict=True)]


@given(AMOUNTS)
def test_the_scale_reaches_the_highest_column(series: list[list[int]]) -> None:
    plot = stacked_columns(series)

    assert plot.ticks[0] == type(plot.ticks[0])(FLOOR, 0)
    assert plot.ticks[-1].cents >= max(column.total_cents for column in plot.columns)
    assert 2 <= len(plot.ticks) <= MOST_STEPS + 1


@pytest.mark.parametrize(
    ("most_cents", "step_cents"),
    [
        (0, 1_00),
        (5_00, 1_00),
        (5_01, 2_00),
        (10_01, 5_00),
        (686_89, 200_00),
        (25_000_00, 5_000_00),
        (10**12, 2 * 10**11),
    ],
)
def test_steps_are_round(most_cents: int, step_cents: int) -> None:
    assert scale_step(most_cents) == step_cents


def test_nothing_to_draw() -> None:
    assert [column.bars for column in stacked_columns([[0, 0]]).columns] == [(), ()]
    assert stacked_columns([]).columns == ()
