"""Where the bars of a chart of stacked columns stand: whole units of its drawing, the same figures in, the same out."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from billing.domain.money import divide_half_away

WIDTH, HEIGHT = 760, 300
LEFT, RIGHT, TOP, BOTTOM = 66, 8, 22, 28
"""Room around the plot: for the scale, and for the names of the columns."""
MOST_STEPS = 5


@dataclass(frozen=True)
class Bar:
    """One part of a column: its series, counted from 0, and its amount in cents."""

    series: int
    cents: int
    y: int
    height: int


@dataclass(frozen=True)
class Column:
    """A stack of bars; the first series stands at the bottom. `middle` is where its name goes, `y` its upper edge."""

    x: int
    width: int
    middle: int
    y: int
    total_cents: int
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Tick:
    """A line of the scale."""

    y: int
    cents: int


@dataclass(frozen=True)
class Plot:
    """All there is to draw, in a box of WIDTH x HEIGHT."""

    columns: tuple[Column, ...]
    ticks: tuple[Tick, ...]


def stacked_columns(series: Sequence[Sequence[int]]) -> Plot:
    """Place series of amounts in cents, all >= 0 and equally long, one above the other.

    Bars of a column touch: each edge is a running total, rounded once. What has no height is left out.
    """
    totals = [sum(amounts) for amounts in zip(*series, strict=True)]
    step_cents = scale_step(max(totals, default=0))
    steps = max(1, -(-max(totals, default=0) // step_cents))
    top_cents = steps * step_cents
    return Plot(
        tuple(
            _column(position, len(totals), [amounts[position] for amounts in series], top_cents)
            for position in range(len(totals))
        ),
        tuple(Tick(_y(number * step_cents, top_cents), number * step_cents) for number in range(steps + 1)),
    )


def scale_step(most_cents: int) -> int:
    """A round amount (1, 2 or 5 with zeros, at least 1.00) of which at most five make the highest column."""
    unit = 100
    while True:
        for factor in (1, 2, 5):
            if factor * unit * MOST_STEPS >= most_cents:
                return factor * unit
        unit *= 10


def _column(position: int, count: int, amounts: Sequence[int], top_cents: int) -> Column:
    room = WIDTH - LEFT - RIGHT
    left, right = (LEFT + room * edge // count for edge in (position, position + 1))
    gap = min(12, (right - left) // 5)
    edges = [_y(total, top_cents) for total in accumulate(amounts, initial=0)]
    bars = [
        Bar(series, cents, upper, lower - upper)
        for series, (cents, (lower, upper)) in enumerate(zip(amounts, pairwise(edges), strict=True))
        if lower > upper
    ]
    width = min(right - left - gap, 64)
    middle = (left + right) // 2
    return Column(middle - width // 2, width, middle, edges[-1], sum(amounts), tuple(bars))


def _y(cents: int, top_cents: int) -> int:
    return HEIGHT - BOTTOM - divide_half_away(cents * (HEIGHT - TOP - BOTTOM), top_cents)
