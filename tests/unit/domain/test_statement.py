"""The credit statement: its identities, the published examples, and whole lives of accounts."""

import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import TypedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.credits import NO_CREDITS, CreditUse, Grant, use_credits
from billing.domain.money import vat_cents
from billing.domain.statement import CreditStatement, make_statement

REPOSITORY = Path(__file__).resolve().parents[3]
EXAMPLES = REPOSITORY.parent / "shared" / "examples" / "credit_statements.json"

FIRST_DAY = date(2026, 10, 1)
LAST_DAY = date(2026, 10, 31)


def statement(
    use: CreditUse = NO_CREDITS,
    *,
    estimate_cents: int = 0,
    pending_cents: int = 0,
    negotiated_refill_cents: int | None = None,
) -> CreditStatement:
    return make_statement(
        use,
        estimate_cents=estimate_cents,
        pending_cents=pending_cents,
        negotiated_refill_cents=negotiated_refill_cents,
    )


def october(
    *, consumption_cents: int, free_cents: int = 0, expiring_cents: int = 0, prepaid_cents: int = 0
) -> CreditUse:
    """A month with at most one free grant that stays, one that expires with the month, and one prepaid grant."""
    return use_credits(
        [
            Grant(1, "free", expiring_cents, None, LAST_DAY),
            Grant(2, "free", free_cents),
            Grant(3, "prepaid", prepaid_cents),
        ],
        consumption_cents=consumption_cents,
        first_day=FIRST_DAY,
        last_day=LAST_DAY,
    )


@dataclass(frozen=True)
class Closed:
    """A closed month: U, D, the statement, and whether the refill was negotiated."""

    consumption_cents: int
    other_cents: int
    statement: CreditStatement
    negotiated: bool


amounts = st.integers(0, 300) | st.integers(0, 10**11)


@st.composite
def closed_months(draw: st.DrawFn) -> Closed:
    consumption_cents = draw(amounts)
    use = october(
        consumption_cents=consumption_cents,
        free_cents=draw(amounts),
        expiring_cents=draw(amounts),
        prepaid_cents=draw(amounts),
    )
    negotiated = draw(st.none() | amounts)
    made = statement(
        use,
        estimate_cents=draw(amounts),
        pending_cents=draw(amounts),
        negotiated_refill_cents=negotiated,
    )
    return Closed(consumption_cents, draw(amounts), made, negotiated is not None)


class TestWhatMustAlwaysHold:
    """Domain page, section 5, line by line."""

    @given(closed_months())
    def test_signs(self, month: Closed) -> None:
        made = month.statement
        assert made.opening_cents == made.free_balance_cents + made.prepaid_balance_cents
        assert made.used_free_cents <= 0
        assert made.expired_cents <= 0
        assert made.used_prepaid_cents <= 0
        assert made.estimate_cents <= 0
        assert made.pending_cents >= 0
        assert made.refill_cents >= 0
        assert made.closing_cents >= 0
        assert made.regularization_cents(month.consumption_cents) >= 0
        assert made.subtotal_cents(month.consumption_cents, month.other_cents) >= 0
        assert made.free_balance_cents + made.used_free_cents + made.expired_cents >= 0
        assert made.prepaid_balance_cents + made.used_prepaid_cents >= 0

    @given(closed_months())
    def test_regularization_means_that_every_usable_credit_was_consumed(self, month: Closed) -> None:
        made = month.statement
        if made.regularization_cents(month.consumption_cents) > 0:
            assert made.opening_cents + made.used_free_cents + made.used_prepaid_cents == 0
            assert made.expired_cents == 0

    @given(closed_months())
    def test_both_ways_of_reading_the_subtotal_agree(self, month: Closed) -> None:
        made = month.statement
        billed = made.regularization_cents(month.consumption_cents) + made.refill_cents + month.other_cents
        explained = month.consumption_cents + month.other_cents + made.net_use_cents
        assert billed == explained == made.subtotal_cents(month.consumption_cents, month.other_cents)

    @given(closed_months())
    def test_the_automatic_refill_tops_the_account_up_to_the_estimate(self, month: Closed) -> None:
        made = month.statement
        if month.negotiated:
            return
        available = made.closing_cents + made.pending_cents
        assert available >= -made.estimate_cents
        if made.refill_cents > 0:
            assert available == -made.estimate_cents

    @given(closed_months())
    def test_the_automatic_refill_follows_the_published_formula(self, month: Closed) -> None:
        made = month.statement.as_letters()
        needed = -(made["A"] + made["c"] + made["d"] + made["e"] + made["f"] + made["g"])
        if not month.negotiated:
            assert made["h"] == max(0, needed)

    @given(closed_months())
    def test_letters(self, month: Closed) -> None:
        letters = month.statement.as_letters()
        assert list(letters) == ["a", "b", "A", "c", "d", "e", "f", "g", "h", "B", "i", "net_use"]
        assert letters["B"] == letters["A"] + letters["c"] + letters["d"] + letters["e"] + letters["h"]
        assert letters["i"] == letters["B"] - letters["A"]
        assert letters["net_use"] == letters["i"] - letters["d"]

    @given(amounts, amounts, amounts, amounts)
    def test_a_negotiated_refill_is_sold_whatever_the_account_holds(
        self, refill: int, prepaid: int, estimate: int, pending: int
    ) -> None:
        made = statement(
            october(consumption_cents=0, prepaid_cents=prepaid),
            estimate_cents=estimate,
            pending_cents=pending,
            negotiated_refill_cents=refill,
        )
        assert made.refill_cents == refill

    @given(amounts, amounts, amounts)
    def test_no_estimate_means_no_provision(self, free: int, prepaid: int, consumption: int) -> None:
        use = october(consumption_cents=consumption, free_cents=free, prepaid_cents=prepaid)
        assert statement(use, estimate_cents=0).refill_cents == 0


class Inputs(TypedDict):
    free_credits: int
    free_credits_expiring_this_month: int
    prepaid_credits: int
    consumption: int
    other_lines: int
    estimate: int
    pending_credits: int
    negotiated_refill: int | None
    vat_rate_basis_points: int


class Example(TypedDict):
    case: str
    inputs: Inputs
    expected: dict[str, int]


def published_examples() -> list[Example]:
    if not EXAMPLES.exists():
        return []
    cases: list[Example] = json.loads(EXAMPLES.read_text(encoding="utf-8"))["cases"]
    return cases


@pytest.mark.skipif(not EXAMPLES.exists(), reason="the shared examples are not beside this checkout")
@pytest.mark.parametrize("example", published_examples(), ids=lambda example: example["case"])
def test_published_example(example: Example) -> None:
    inputs = example["inputs"]
    made = statement(
        october(
            consumption_cents=inputs["consumption"],
            free_cents=inputs["free_credits"] - inputs["free_credits_expiring_this_month"],
            expiring_cents=inputs["free_credits_expiring_this_month"],
            prepaid_cents=inputs["prepaid_credits"],
        ),
        estimate_cents=inputs["estimate"],
        pending_cents=inputs["pending_credits"],
        negotiated_refill_cents=inputs["negotiated_refill"],
    )
    subtotal = made.subtotal_cents(inputs["consumption"], inputs["other_lines"])
    vat = vat_cents(subtotal, inputs["vat_rate_basis_points"])
    assert {
        **made.as_letters(),
        "regularization": made.regularization_cents(inputs["consumption"]),
        "subtotal": subtotal,
        "vat": vat,
        "total": subtotal + vat,
    } == example["expected"]


class TestWorkedExamples:
    def test_the_published_picture(self) -> None:
        made = statement(october(consumption_cents=68689, prepaid_cents=69135), estimate_cents=68689)
        assert made.refill_cents == 68243  # 686.89 - (691.35 - 686.89)
        assert made.closing_cents == 68689  # 691.35 - 686.89 + 682.43
        assert made.net_use_cents == -446  # 686.89 - 691.35
        assert made.subtotal_cents(68689, 0) == 68243  # 686.89 - 4.46

    def test_a_first_invoice_regularizes_and_provisions_the_same_amount(self) -> None:
        made = statement(october(consumption_cents=5000, expiring_cents=2000), estimate_cents=5000)
        assert made.regularization_cents(5000) == 3000  # 50.00 - 20.00
        assert made.refill_cents == 5000
        assert made.subtotal_cents(5000, 0) == 8000  # 30.00 + 50.00

    def test_an_expiry_shows_but_costs_nothing(self) -> None:
        made = statement(october(consumption_cents=0, expiring_cents=2000))
        assert (made.expired_cents, made.change_cents, made.net_use_cents) == (-2000, -2000, 0)
        assert made.subtotal_cents(0, 0) == 0

    def test_too_much_on_the_account_stays_there(self) -> None:
        made = statement(october(consumption_cents=4000, prepaid_cents=10000), estimate_cents=4000)
        assert made.refill_cents == 0  # 40.00 - (100.00 - 40.00) < 0
        assert made.closing_cents == 6000

    def test_credits_sold_but_not_paid_lower_the_refill(self) -> None:
        made = statement(october(consumption_cents=10000), estimate_cents=10000, pending_cents=4000)
        assert made.refill_cents == 6000  # 100.00 - 40.00
        assert made.closing_cents == 6000  # the pending 40.00 are not on the account yet

    def test_a_negotiated_refill_of_zero_is_not_an_automatic_one(self) -> None:
        assert statement(estimate_cents=100, negotiated_refill_cents=0).refill_cents == 0

    def test_an_account_that_closes_sells_nothing(self) -> None:
        use = use_credits(
            [Grant(1, "free", 500), Grant(2, "prepaid", 1000)],
            consumption_cents=700,
            first_day=FIRST_DAY,
            last_day=LAST_DAY,
            lose_free=True,
        )
        made = statement(use)
        assert (made.estimate_cents, made.refill_cents) == (0, 0)
        assert made.closing_cents == 800  # 10.00 - (7.00 - 5.00), to be refunded


@pytest.mark.parametrize(
    ("estimate", "pending", "refill"),
    [(-1, 0, None), (0, -1, None), (0, 0, -1)],
)
def test_negative_amounts_are_refused(estimate: int, pending: int, refill: int | None) -> None:
    with pytest.raises(ValueError, match="cannot be negative"):
        statement(estimate_cents=estimate, pending_cents=pending, negotiated_refill_cents=refill)


@dataclass(frozen=True)
class MonthEvents:
    """What happens in one month of an organization's life, before its close."""

    consumption_cents: int
    other_cents: int
    free_cents: int
    free_starts_next_month: bool
    free_lasts_months: int | None
    pays: bool
    cancels: bool
    negotiated_cents: int | None


@dataclass
class Account:
    """The simplest possible ledger: per grant what was granted and what happened to it."""

    kinds: dict[int, str] = field(default_factory=dict)
    granted: dict[int, int] = field(default_factory=dict)
    used: dict[int, int] = field(default_factory=dict)
    expired: dict[int, int] = field(default_factory=dict)
    validity: dict[int, tuple[date | None, date | None]] = field(default_factory=dict)
    pending: list[int] = field(default_factory=list)
    cancelled_cents: int = 0

    def grant(self, kind: str, cents: int, starts_on: date | None = None, expires_on: date | None = None) -> None:
        grant_id = len(self.granted) + 1
        self.kinds[grant_id], self.granted[grant_id] = kind, cents
        self.used[grant_id] = self.expired[grant_id] = 0
        self.validity[grant_id] = (starts_on, expires_on)

    def remaining(self, grant_id: int) -> int:
        return self.granted[grant_id] - self.used[grant_id] - self.expired[grant_id]

    def balance(self, kind: str, last_day: date) -> int:
        return sum(
            self.remaining(grant_id)
            for grant_id, of_kind in self.kinds.items()
            if of_kind == kind and (self.validity[grant_id][0] or last_day) <= last_day
        )

    def grants(self) -> list[Grant]:
        return [
            Grant(
                grant_id,
                "free" if kind == "free" else "prepaid",
                self.remaining(grant_id),
                *self.validity[grant_id],
            )
            for grant_id, kind in self.kinds.items()
        ]

    def book(self, use: CreditUse) -> None:
        for grant_id, cents in use.used:
            self.used[grant_id] += cents
        for grant_id, cents in (*use.expired, *use.lapsed):
            self.expired[grant_id] += cents


def month_days(number: int) -> tuple[date, date]:
    """First and last day of the month `number` months after January 2026."""
    first = date(2026 + number // 12, number % 12 + 1, 1)
    following = number + 1
    return first, date(2026 + following // 12, following % 12 + 1, 1) - timedelta(days=1)


def happen_before_close(account: Account, events: MonthEvents, number: int) -> None:
    if events.pays:
        for cents in account.pending:
            account.grant("prepaid", cents)
        account.pending.clear()
    if events.cancels and account.pending:
        account.cancelled_cents += account.pending.pop(0)
    if events.free_cents:
        start = number + 1 if events.free_starts_next_month else number
        last_month = None if events.free_lasts_months is None else start + events.free_lasts_months
        account.grant(
            "free",
            events.free_cents,
            month_days(start)[0],
            None if last_month is None else month_days(last_month)[1],
        )


def close(account: Account, events: MonthEvents, number: int) -> CreditStatement:
    first_day, last_day = month_days(number)
    use = use_credits(
        account.grants(), consumption_cents=events.consumption_cents, first_day=first_day, last_day=last_day
    )
    account.book(use)
    made = statement(
        use,
        estimate_cents=events.consumption_cents,
        pending_cents=sum(account.pending),
        negotiated_refill_cents=events.negotiated_cents,
    )
    if made.refill_cents:
        account.pending.append(made.refill_cents)
    return made


some_cents = st.integers(0, 50) | st.integers(0, 20_000)
lives = st.lists(
    st.builds(
        MonthEvents,
        consumption_cents=some_cents,
        other_cents=some_cents,
        free_cents=st.just(0) | some_cents,
        free_starts_next_month=st.booleans(),
        free_lasts_months=st.none() | st.integers(0, 2),
        pays=st.booleans(),
        cancels=st.booleans(),
        negotiated_cents=st.none() | some_cents,
    ),
    min_size=1,
    max_size=10,
)


class TestWholeLives:
    @given(lives)
    def test_next_months_balances_continue_this_months(self, life: list[MonthEvents]) -> None:
        account = Account()
        for number, events in enumerate(life):
            happen_before_close(account, events, number)
            last_day = month_days(number)[1]
            opening = (account.balance("free", last_day), account.balance("prepaid", last_day))
            made = close(account, events, number)
            assert (made.free_balance_cents, made.prepaid_balance_cents) == opening
            assert account.balance("free", last_day) == opening[0] + made.used_free_cents + made.expired_cents
            assert account.balance("prepaid", last_day) == opening[1] + made.used_prepaid_cents

    @given(lives)
    def test_per_grant_what_was_granted_is_used_expired_or_remains(self, life: list[MonthEvents]) -> None:
        account = Account()
        used_cents = expired_cents = 0
        for number, events in enumerate(life):
            happen_before_close(account, events, number)
            made = close(account, events, number)
            used_cents -= made.used_free_cents + made.used_prepaid_cents
            expired_cents -= made.expired_cents
        assert all(account.remaining(grant_id) >= 0 for grant_id in account.granted)
        assert all(account.expired[grant_id] == 0 for grant_id, kind in account.kinds.items() if kind == "prepaid")
        # Nothing lapses in a life that is closed month by month: every movement is on a statement.
        assert sum(account.used.values()) == used_cents
        assert sum(account.expired.values()) == expired_cents

    @given(lives)
    def test_over_a_life_every_cent_billed_is_consumption_other_lines_or_a_credit(
        self, life: list[MonthEvents]
    ) -> None:
        account = Account()
        subtotals = consumption = other = used_free = 0
        for number, events in enumerate(life):
            happen_before_close(account, events, number)
            made = close(account, events, number)
            subtotals += made.subtotal_cents(events.consumption_cents, events.other_cents)
            consumption += events.consumption_cents
            other += events.other_cents
            used_free -= made.used_free_cents
        active = account.balance("prepaid", month_days(len(life))[1])
        still_there = active + sum(account.pending) + account.cancelled_cents
        assert subtotals == consumption - used_free + other + still_there
