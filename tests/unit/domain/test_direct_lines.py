"""Add-ons: what is billed of them, and until when."""

from datetime import date

import pytest

from billing.domain.direct_lines import add_on_lines
from billing.domain.facts import AddOn, PlanPrice
from tests.builders.facts import make_add_on, make_facts


def _billed(
    add_on: AddOn, *, closed_on: date | None = None
) -> tuple[list[tuple[str, str, int]], list[tuple[int, date]]]:
    lines, until = add_on_lines(make_facts(add_ons=[add_on], closed_on=closed_on))
    return [(str(line.period_start), str(line.period_end), line.net_cents) for line in lines], until


def test_a_running_add_on_is_billed_for_the_provision_month() -> None:
    lines, until = _billed(make_add_on(started_on=date(2026, 3, 1), billed_until=date(2026, 11, 1)))

    assert lines == [("2026-11-01", "2026-12-01", 49_00)]
    assert until == [(5, date(2026, 12, 1))]


def test_one_that_ran_before_the_first_close_starts_with_the_provision_month() -> None:
    lines, _ = _billed(make_add_on(started_on=date(2026, 9, 30), first_month=date(2026, 10, 1)))

    assert lines == [("2026-11-01", "2026-12-01", 49_00)]


def test_one_that_started_in_the_first_closed_month_is_billed_from_its_start() -> None:
    lines, _ = _billed(make_add_on(started_on=date(2026, 10, 31), first_month=date(2026, 10, 1)))

    # 49.00 x 1/31 = 1.5806 -> 1.58
    assert lines == [("2026-10-31", "2026-11-01", 1_58), ("2026-11-01", "2026-12-01", 49_00)]


def test_one_that_was_reported_late_is_caught_up_month_by_month() -> None:
    lines, _ = _billed(make_add_on(started_on=date(2026, 8, 16)))

    # 49.00 x 16/31 = 25.290 -> 25.29
    assert [cents for *_, cents in lines] == [25_29, 49_00, 49_00, 49_00]


def test_a_known_end_within_the_provision_month_is_respected() -> None:
    lines, until = _billed(make_add_on(billed_until=date(2026, 11, 1), ended_on=date(2026, 11, 11), quantity=3))

    # 49.00 x 10/30 x 3 = 49.00
    assert lines == [("2026-11-01", "2026-11-11", 49_00)]
    assert until == [(5, date(2026, 11, 11))]


def test_an_early_end_is_not_refunded() -> None:
    assert _billed(make_add_on(billed_until=date(2026, 12, 1), ended_on=date(2026, 11, 3))) == ([], [])


def test_it_ends_with_the_account() -> None:
    lines, _ = _billed(make_add_on(billed_until=date(2026, 11, 1)), closed_on=date(2026, 10, 15))

    assert lines == []


def test_the_price_is_the_one_of_the_first_day_of_the_line() -> None:
    prices = [PlanPrice(None, 49_00), PlanPrice(date(2026, 11, 2), 60_00)]
    lines, _ = _billed(make_add_on(prices=prices))

    assert [cents for *_, cents in lines] == [49_00, 49_00]


@pytest.mark.parametrize(("quantity", "unit"), [(1, 49_00), (4, 49_00)])
def test_whole_months_show_quantity_and_monthly_price(quantity: int, unit: int) -> None:
    lines, _ = add_on_lines(make_facts(add_ons=[make_add_on(billed_until=date(2026, 11, 1), quantity=quantity)]))

    assert (lines[0].quantity_micro, lines[0].unit_price_micro) == (quantity * 10**6, unit * 10**4)
    assert lines[0].net_cents == quantity * unit


def test_parts_of_months_show_one_piece_at_what_it_costs() -> None:
    lines, _ = add_on_lines(make_facts(add_ons=[make_add_on(started_on=date(2026, 10, 31), quantity=2)]))

    # 49.00 x 1/31 x 2 = 3.161 -> 3.16
    assert (lines[0].quantity_micro, lines[0].unit_price_micro, lines[0].net_cents) == (10**6, 3_16 * 10**4, 3_16)


def test_add_ons_print_by_name() -> None:
    add_ons = [make_add_on(id_=1, name="Zebra"), make_add_on(id_=2, name="Alpaca")]
    lines, _ = add_on_lines(make_facts(add_ons=add_ons))

    assert [line.name for line in lines] == ["Alpaca", "Alpaca", "Zebra", "Zebra"]


def test_one_that_was_reported_after_the_first_close_still_starts_with_that_provision_month() -> None:
    # First closed in August: July and August were billed elsewhere, September on is billed here.
    lines, _ = _billed(make_add_on(started_on=date(2026, 7, 10), first_month=date(2026, 8, 1)))

    assert [start for start, *_ in lines] == ["2026-09-01", "2026-10-01", "2026-11-01"]
