"""Which grants pay, in which order, and what expires."""

from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.credits import NO_CREDITS, CreditUse, Grant, GrantKind, use_credits

FIRST_DAY = date(2026, 10, 1)
LAST_DAY = date(2026, 10, 31)


def free(
    grant_id: int,
    cents: int,
    *,
    starts_on: date | None = None,
    expires_on: date | None = None,
    priority: int = 0,
) -> Grant:
    return Grant(grant_id, "free", cents, starts_on, expires_on, priority)


def prepaid(grant_id: int, cents: int, *, starts_on: date | None = None) -> Grant:
    return Grant(grant_id, "prepaid", cents, starts_on)


def use(*grants: Grant, consumption_cents: int, lose_free: bool = False) -> CreditUse:
    return use_credits(
        grants,
        consumption_cents=consumption_cents,
        first_day=FIRST_DAY,
        last_day=LAST_DAY,
        lose_free=lose_free,
    )


kinds: st.SearchStrategy[GrantKind] = st.sampled_from(["free", "prepaid"])
days = st.none() | st.dates(FIRST_DAY - timedelta(days=40), LAST_DAY + timedelta(days=40))
cents_amounts = st.integers(0, 500) | st.integers(0, 10**11)


@st.composite
def grant_lists(draw: st.DrawFn) -> list[Grant]:
    ids = draw(st.lists(st.integers(1, 99), unique=True, max_size=8))
    return [
        Grant(grant_id, draw(kinds), draw(cents_amounts), draw(days), draw(days), draw(st.integers(-1, 1)))
        for grant_id in ids
    ]


class TestWhatMustAlwaysHold:
    @given(grant_lists(), cents_amounts, st.booleans())
    def test_balances_cover_what_is_used_and_expired(self, grants: list[Grant], due: int, lose_free: bool) -> None:
        result = use(*grants, consumption_cents=due, lose_free=lose_free)
        assert result.free_balance_cents - result.used_free_cents - result.expired_cents >= 0
        assert result.prepaid_balance_cents - result.used_prepaid_cents >= 0
        assert result.regularization_cents(due) >= 0

    @given(grant_lists(), cents_amounts, st.booleans())
    def test_the_amounts_are_those_of_the_rule(self, grants: list[Grant], due: int, lose_free: bool) -> None:
        result = use(*grants, consumption_cents=due, lose_free=lose_free)
        assert result.used_free_cents == min(due, result.free_balance_cents)
        assert result.used_prepaid_cents == min(due - result.used_free_cents, result.prepaid_balance_cents)
        assert result.used_cents == result.used_free_cents + result.used_prepaid_cents

    @given(grant_lists(), cents_amounts)
    def test_something_is_left_to_bill_only_when_every_usable_credit_is_consumed(
        self, grants: list[Grant], due: int
    ) -> None:
        result = use(*grants, consumption_cents=due)
        if result.regularization_cents(due) > 0:
            assert result.used_free_cents == result.free_balance_cents
            assert result.used_prepaid_cents == result.prepaid_balance_cents
            assert result.expired == ()

    @given(grant_lists(), cents_amounts, st.booleans())
    def test_no_grant_gives_more_than_it_has(self, grants: list[Grant], due: int, lose_free: bool) -> None:
        result = use(*grants, consumption_cents=due, lose_free=lose_free)
        remaining = {grant.id: grant.remaining_cents for grant in grants}
        for grant_id, cents in (*result.used, *result.expired, *result.lapsed):
            assert cents > 0
            remaining[grant_id] -= cents
        assert all(cents >= 0 for cents in remaining.values())
        assert not {grant_id for grant_id, _ in result.lapsed} & {grant_id for grant_id, _ in result.used}

    @given(grant_lists(), cents_amounts)
    def test_used_free_and_prepaid_are_those_of_the_grants(self, grants: list[Grant], due: int) -> None:
        result = use(*grants, consumption_cents=due)
        kind_of = {grant.id: grant.kind for grant in grants}
        assert result.used_free_cents == sum(cents for grant_id, cents in result.used if kind_of[grant_id] == "free")
        assert all(kind_of[grant_id] == "free" for grant_id, _ in (*result.expired, *result.lapsed))

    @given(grant_lists(), cents_amounts)
    def test_after_the_month_no_free_credit_that_expired_is_left(self, grants: list[Grant], due: int) -> None:
        result = use(*grants, consumption_cents=due)
        taken = {grant.id: 0 for grant in grants}
        for grant_id, cents in (*result.used, *result.expired, *result.lapsed):
            taken[grant_id] += cents
        for grant in grants:
            started = grant.starts_on is None or grant.starts_on <= LAST_DAY
            if grant.kind == "free" and started and grant.expires_on and grant.expires_on <= LAST_DAY:
                assert taken[grant.id] == grant.remaining_cents

    @given(grant_lists(), cents_amounts)
    def test_a_closing_account_keeps_no_free_credit(self, grants: list[Grant], due: int) -> None:
        result = use(*grants, consumption_cents=due, lose_free=True)
        granted = sum(grant.remaining_cents for grant in grants if grant.kind == "free")
        gone = result.used_free_cents + result.expired_cents + sum(cents for _, cents in result.lapsed)
        assert gone == granted

    @given(grant_lists(), cents_amounts, st.randoms(use_true_random=False))
    def test_the_order_in_which_grants_are_given_does_not_matter(
        self, grants: list[Grant], due: int, random: Random
    ) -> None:
        shuffled = list(grants)
        random.shuffle(shuffled)
        one, other = use(*grants, consumption_cents=due), use(*shuffled, consumption_cents=due)
        assert (one.used, one.free_balance_cents, one.prepaid_balance_cents) == (
            other.used,
            other.free_balance_cents,
            other.prepaid_balance_cents,
        )
        assert (set(one.expired), set(one.lapsed)) == (set(other.expired), set(other.lapsed))

    @given(grant_lists(), cents_amounts, cents_amounts)
    def test_a_higher_consumption_never_uses_less(self, grants: list[Grant], due: int, more: int) -> None:
        lower, higher = use(*grants, consumption_cents=due), use(*grants, consumption_cents=due + more)
        assert higher.used_free_cents >= lower.used_free_cents
        assert higher.used_prepaid_cents >= lower.used_prepaid_cents
        assert higher.expired_cents <= lower.expired_cents


class TestOrderOfUse:
    def test_free_credits_go_before_prepaid_ones(self) -> None:
        result = use(prepaid(1, 1000), free(2, 300), consumption_cents=500)
        assert result.used == ((2, 300), (1, 200))  # 500 - 300 = 200
        assert (result.used_free_cents, result.used_prepaid_cents) == (300, 200)

    def test_a_lower_priority_goes_first_whatever_expires_sooner(self) -> None:
        result = use(
            free(1, 100, priority=2, expires_on=LAST_DAY),
            free(2, 100, priority=1, expires_on=date(2027, 1, 31)),
            consumption_cents=100,
        )
        assert result.used == ((2, 100),)
        assert result.expired == ((1, 100),)

    def test_the_soonest_expiry_goes_first_and_none_last(self) -> None:
        result = use(
            free(1, 100),
            free(2, 100, expires_on=date(2026, 12, 31)),
            free(3, 100, expires_on=date(2026, 11, 30)),
            consumption_cents=250,
        )
        assert result.used == ((3, 100), (2, 100), (1, 50))

    def test_then_the_oldest_goes_first(self) -> None:
        result = use(
            free(1, 100, starts_on=date(2026, 9, 1)),
            free(2, 100, starts_on=date(2026, 8, 1)),
            free(4, 100),
            free(3, 100),
            consumption_cents=350,
        )
        assert result.used == ((3, 100), (4, 100), (2, 100), (1, 50))

    def test_prepaid_goes_oldest_first_and_ignores_priority_and_expiry(self) -> None:
        result = use(
            Grant(1, "prepaid", 100, date(2026, 9, 1), date(2026, 10, 31), -5),
            prepaid(2, 100, starts_on=date(2026, 8, 1)),
            prepaid(3, 100),
            consumption_cents=250,
        )
        assert result.used == ((3, 100), (2, 100), (1, 50))
        assert result.expired == ()


class TestWhatIsUsable:
    @pytest.mark.parametrize(
        ("starts_on", "balance_cents"),
        [(None, 100), (FIRST_DAY, 100), (LAST_DAY, 100), (LAST_DAY + timedelta(days=1), 0)],
    )
    @pytest.mark.parametrize("kind", ["free", "prepaid"])
    def test_a_grant_counts_from_the_month_in_which_it_starts(
        self, kind: GrantKind, starts_on: date | None, balance_cents: int
    ) -> None:
        result = use(Grant(1, kind, 100, starts_on), consumption_cents=0)
        assert result.free_balance_cents + result.prepaid_balance_cents == balance_cents
        assert (result.used, result.expired, result.lapsed) == ((), (), ())

    def test_a_grant_that_starts_on_the_last_day_pays_for_the_whole_month(self) -> None:
        assert use(free(1, 100, starts_on=LAST_DAY), consumption_cents=100).used == ((1, 100),)

    def test_a_grant_that_expires_on_the_first_day_pays_for_the_whole_month(self) -> None:
        result = use(free(1, 100, expires_on=FIRST_DAY), consumption_cents=60)
        assert result.used == ((1, 60),)
        assert result.expired == ((1, 40),)  # 100 - 60

    def test_what_expired_before_the_month_lapses_and_is_in_no_line(self) -> None:
        result = use(free(1, 100, expires_on=FIRST_DAY - timedelta(days=1)), consumption_cents=60)
        assert result == CreditUse(0, 0, lapsed=((1, 100),))
        assert result.expired_cents == 0

    def test_what_expires_next_month_stays(self) -> None:
        result = use(free(1, 100, expires_on=LAST_DAY + timedelta(days=1)), consumption_cents=60)
        assert (result.used, result.expired) == (((1, 60),), ())

    def test_an_empty_grant_leaves_no_trace(self) -> None:
        assert use(free(1, 0, expires_on=LAST_DAY), prepaid(2, 0), consumption_cents=60) == NO_CREDITS


class TestClosingAnAccount:
    def test_every_free_credit_is_lost_and_prepaid_ones_stay_to_be_refunded(self) -> None:
        result = use(free(1, 100), prepaid(2, 500), consumption_cents=30, lose_free=True)
        assert (result.used, result.expired) == (((1, 30),), ((1, 70),))  # 100 - 30 = 70
        assert (result.prepaid_balance_cents, result.used_prepaid_cents) == (500, 0)

    def test_a_free_grant_that_would_have_started_later_lapses(self) -> None:
        later = free(1, 100, starts_on=LAST_DAY + timedelta(days=1))
        assert use(later, consumption_cents=30, lose_free=True) == CreditUse(0, 0, lapsed=((1, 100),))


class TestRefusals:
    def test_negative_consumption(self) -> None:
        with pytest.raises(ValueError, match="Consumption cannot be negative: -1 cents"):
            use(consumption_cents=-1)

    def test_an_overdrawn_grant(self) -> None:
        with pytest.raises(ValueError, match="Grant 7 is overdrawn: -1 cents remain"):
            use(free(7, -1), consumption_cents=1)


def test_without_grants_nothing_is_used() -> None:
    assert use(consumption_cents=100) is NO_CREDITS
    assert NO_CREDITS.regularization_cents(100) == 100
