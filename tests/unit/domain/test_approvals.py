"""When a second person is asked."""

from hypothesis import given
from hypothesis import strategies as st

from billing.domain.approvals import (
    Policy,
    why_bulk_issue_needs_approval,
    why_credit_note_needs_approval,
    why_invoice_needs_approval,
)

amounts = st.integers(0, 10**9)
lines = st.lists(
    st.tuples(st.sampled_from(["provision", "adjustment"]), amounts)
    | st.tuples(st.just("discount"), amounts.map(lambda cents: -cents))
)


def rules(policy: Policy, total_cents: int = 0, *lines: tuple[str, int]) -> list[object]:
    return [
        reason.values["rule"] for reason in why_invoice_needs_approval(policy, total_cents=total_cents, lines=lines)
    ]


@given(amounts, lines)
def test_without_limits_nobody_is_asked(total_cents: int, some: list[tuple[str, int]]) -> None:
    assert why_invoice_needs_approval(Policy(), total_cents=total_cents, lines=some) == ()
    assert why_credit_note_needs_approval(Policy(), total_cents=total_cents) is None
    assert why_bulk_issue_needs_approval(Policy(), count=total_cents) is None


def test_a_total_from_the_limit_on() -> None:
    policy = Policy(invoice_total_cents=1_000_00)
    assert rules(policy, 999_99) == []
    (reason,) = why_invoice_needs_approval(policy, total_cents=1_000_00, lines=())
    assert reason.code == "needs_approval"
    assert reason.values == {"rule": "invoice_total", "cents": 1_000_00, "from_cents": 1_000_00}


def test_lines_by_hand_count_together() -> None:
    policy = Policy(manual_line_cents=100_00)
    assert rules(policy, 0, ("adjustment", 60_00), ("provision", 900_00)) == []
    assert rules(policy, 0, ("adjustment", 60_00), ("adjustment", 40_00)) == ["manual_line"]


def test_discounts_count_together_as_what_they_take() -> None:
    policy = Policy(discount_cents=100_00)
    assert rules(policy, 0, ("discount", -99_99)) == []
    assert rules(policy, 0, ("discount", -60_00), ("discount", -40_00)) == ["discount"]


def test_a_limit_of_nothing_asks_for_every_line_but_not_for_none() -> None:
    policy = Policy(manual_line_cents=0, discount_cents=0)
    assert rules(policy, 5_00, ("provision", 5_00)) == []
    assert rules(policy, 5_00, ("adjustment", 0), ("discount", 0)) == ["manual_line", "discount"]


@given(amounts, lines, amounts)
def test_a_higher_limit_never_asks_more_often(limit: int, some: list[tuple[str, int]], more: int) -> None:
    low = Policy(invoice_total_cents=limit, manual_line_cents=limit, discount_cents=limit)
    high = Policy(invoice_total_cents=limit + more, manual_line_cents=limit + more, discount_cents=limit + more)
    assert set(rules(high, more, *some)) <= set(rules(low, more, *some))


def test_a_credit_note_and_issuing_many_at_once() -> None:
    assert why_credit_note_needs_approval(Policy(credit_note_cents=500_00), total_cents=499_99) is None
    assert why_credit_note_needs_approval(Policy(credit_note_cents=500_00), total_cents=500_00) is not None
    assert why_bulk_issue_needs_approval(Policy(bulk_count=300), count=299) is None
    reason = why_bulk_issue_needs_approval(Policy(bulk_count=300), count=300)
    assert reason is not None
    assert reason.values == {"rule": "bulk_count", "count": 300, "from_count": 300}
