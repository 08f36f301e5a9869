"""The consumption expected next month."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.estimates import estimate_consumption

consumptions = st.lists(st.integers(0, 10**12), max_size=24)


@pytest.mark.parametrize(
    ("newest_first", "months", "estimate_cents"),
    [
        ([68689, 100], 1, 68689),  # the last month alone
        ([100, 200, 600], 3, 300),  # 900 / 3
        ([100, 200, 600], 2, 150),  # 300 / 2, the oldest month does not count
        ([100, 200], 12, 150),  # only two months exist
        ([0, 300], 2, 150),  # a month without consumption counts as zero
        ([0, 0], 2, 0),
        ([1, 0], 2, 1),  # 0.5 cent, half away from zero
        ([1, 0, 0], 3, 0),  # 0.33 cent
        ([1, 1, 0], 3, 1),  # 0.67 cent
        ([100, 200], 0, 0),  # no provision at all
        ([], 3, 0),  # no provision before any consumption
        ([], 0, 0),
    ],
)
def test_examples(newest_first: list[int], months: int, estimate_cents: int) -> None:
    assert estimate_consumption(newest_first, months) == estimate_cents


def test_a_negative_number_of_months_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be negative: -1"):
        estimate_consumption([100], -1)


@given(consumptions, st.integers(1, 24))
def test_it_lies_between_the_lowest_and_the_highest_month(newest_first: list[int], months: int) -> None:
    estimate = estimate_consumption(newest_first, months)
    counted = newest_first[:months] or [0]
    assert min(counted) <= estimate <= max(counted)


@given(consumptions, st.integers(1, 24))
def test_it_is_the_mean_to_within_half_a_cent(newest_first: list[int], months: int) -> None:
    counted = newest_first[:months] or [0]
    error = 2 * (estimate_consumption(newest_first, months) * len(counted) - sum(counted))
    assert -len(counted) < error <= len(counted)


@given(consumptions, st.integers(0, 24), st.lists(st.integers(0, 10**12), max_size=5))
def test_older_months_do_not_count(newest_first: list[int], months: int, older: list[int]) -> None:
    if len(newest_first) >= months:
        assert estimate_consumption(newest_first + older, months) == estimate_consumption(newest_first, months)
