"""What a month that became cheaper gives back, and to whom."""

from hypothesis import given
from hypothesis import strategies as st

from billing.domain.lowering import GiveBack, MonthOnInvoice, last_used, net_by_month, reduction_cents, share_reduction
from billing.domain.money import percentage_cents

cents = st.integers(0, 10**9)


def test_net_of_the_discount_that_was_billed() -> None:
    # 10 % of 100.05 is 10.01, of the first month's 33.35 it is 3.34
    assert net_by_month([3_335, 6_670], 1_001, 100_000) == [3_001, 6_003]
    # another discount is agreed now: what was billed is shared by weight
    assert net_by_month([3_335, 6_670], 1_001, 0) == [3_001, 6_003]


@given(gross=cents, lowered=cents, ppm=st.integers(0, 1_000_000))
def test_a_month_costs_what_it_would_have_cost_in_time(gross: int, lowered: int, ppm: int) -> None:
    gross, lowered = gross + lowered, lowered
    net = gross - percentage_cents(gross, ppm)

    back = reduction_cents(gross_cents=gross, net_cents=net, lowered_cents=lowered, ppm=ppm) if gross else 0

    assert net - back == (gross - lowered) - percentage_cents(gross - lowered, ppm)


@given(gross=st.integers(1, 10**9), net=cents, lowered=cents)
def test_never_more_than_was_billed(gross: int, net: int, lowered: int) -> None:
    net, lowered = min(net, gross), min(lowered, gross)
    back = reduction_cents(gross_cents=gross, net_cents=net, lowered_cents=lowered, ppm=0)
    assert 0 <= back <= net
    assert lowered < gross or back == net


def test_what_was_billed_goes_first_the_newest_invoice_before_older_ones() -> None:
    invoices = [MonthOnInvoice(2, 1_000, 500), MonthOnInvoice(1, 300, 4_000)]

    assert share_reduction(700, invoices) == ([GiveBack(2, 700, 0)], 0)
    assert share_reduction(1_200, invoices) == ([GiveBack(2, 1_000, 0), GiveBack(1, 200, 0)], 0)
    assert share_reduction(1_900, invoices) == ([GiveBack(2, 1_000, 500), GiveBack(1, 300, 100)], 0)
    assert share_reduction(5_900, invoices) == ([GiveBack(2, 1_000, 500), GiveBack(1, 300, 4_000)], 100)


def test_the_last_used_credits_go_back_first() -> None:
    uses = [(7, 100), (8, 50), (9, 200)]  # the month is [120, 300): 30 of grant 8 and 150 of grant 9

    assert last_used(uses, start_cents=120, end_cents=300, cents=150) == [(9, 150)]
    assert last_used(uses, start_cents=120, end_cents=300, cents=160) == [(9, 150), (8, 10)]
    assert last_used(uses, start_cents=120, end_cents=300, cents=500) == [(9, 150), (8, 30)]
    assert last_used(uses, start_cents=120, end_cents=300, cents=0) == []
