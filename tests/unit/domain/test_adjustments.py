"""What staff change about a month: a layer over the computed lines that never makes an invoice negative."""

from collections.abc import Sequence
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from billing.domain.adjustments import Conflict
from billing.domain.assembly import Blocked, Draft, Nil
from billing.domain.facts import Adjustment, Facts, Reason
from tests.builders.facts import (
    SEPTEMBER,
    added_line,
    assemble_with,
    discount,
    draft_with,
    make_add_on,
    make_charge,
    make_facts,
    make_grant,
    make_usage,
    other_refill,
    skipped,
    units,
)

MIGRATION = "one_shot:7"


def lines_of(draft: Draft) -> list[tuple[str, int]]:
    return [(line.kind, line.net_cents) for line in draft.lines]


def october(*adjustments: Adjustment, **others: object) -> Draft:
    """100.00 of usage without credits (h = 100.00), support of 49.00 for November, a migration of 800.00."""
    return draft_with(october_facts(adjustments, **others))


def october_facts(adjustments: Sequence[Adjustment], **others: object) -> Facts:
    support = make_add_on(started_on=date(2026, 9, 1), billed_until=date(2026, 11, 1))
    facts = make_facts(
        usage=make_usage(units(100)), add_ons=[support], charges=[make_charge()], adjustments=adjustments
    )
    return structs.replace(facts, **others)


PLAIN = [("provision", 100_00), ("regularization", 100_00), ("add_on", 49_00), ("one_shot", 800_00)]


# --- Examples ---------------------------------------------------------------------------------------------------------


def test_an_added_line_counts_in_d_and_bears_vat() -> None:
    draft = october(added_line(1, 12_50, quantity=3))

    # 3 x 12.50 = 37.50; D = 49.00 + 800.00 + 37.50; VAT 20 % of 100.00 + 100.00 + 886.50
    assert lines_of(draft) == [*PLAIN, ("adjustment", 37_50)]
    assert (draft.direct_cents, draft.subtotal_cents, draft.vat_cents) == (886_50, 1086_50, 217_30)
    line = draft.lines[-1]
    assert (line.source_id, line.name, str(line.period_start), str(line.period_end)) == (
        *(1, "Setup"),
        *("2026-10-01", "2026-11-01"),
    )


def test_a_percentage_on_one_line() -> None:
    draft = october(discount(1, percent=15, on=MIGRATION, of=800_00))

    # 15 % of 800.00; an item price is never negative, the quantity is
    assert lines_of(draft) == [*PLAIN, ("discount", -120_00)]
    assert (draft.lines[-1].quantity_micro, draft.lines[-1].unit_price_micro) == (-1_000_000, 120_000_000)
    assert draft.conflicts == ()


def test_the_whole_is_every_line_but_the_provision_after_line_discounts() -> None:
    draft = october(discount(1, percent=10), discount(2, cents=300_00, on=MIGRATION, of=800_00))

    # 10 % of 100.00 + 49.00 + (800.00 - 300.00) = 64.90; the provision of 100.00 is not discounted
    assert lines_of(draft) == [*PLAIN, ("discount", -300_00), ("discount", -64_90)]


def test_all_lines_of_an_add_on_are_one_target() -> None:
    both_months = make_add_on(started_on=date(2026, 10, 1))
    draft = october(discount(1, percent=50, on="add_on:5", of=98_00), add_ons=[both_months])

    # half of 49.00 for October and 49.00 for November
    assert lines_of(draft)[-1] == ("discount", -49_00)


def test_an_added_line_can_be_discounted() -> None:
    assert lines_of(october(added_line(1, 80_00), discount(2, percent=25, on="line:1", of=80_00)))[-2:] == [
        ("adjustment", 80_00),
        ("discount", -20_00),
    ]


def test_percentages_on_one_line_are_all_of_its_undiscounted_amount() -> None:
    draft = october(*[discount(id_, ppm=333_333, on=MIGRATION, of=800_00) for id_ in (1, 2, 3)])

    # 33.3333 % of 800.00 = 266.6664 -> 266.67, twice; the third only gets what is left of 800.00
    assert [cents for kind, cents in lines_of(draft) if kind == "discount"] == [-266_67, -266_67, -266_66]
    assert draft.conflicts == ()


def test_another_refill_replaces_h() -> None:
    draft = october(other_refill(1, 250_00, of=100_00))

    assert lines_of(draft)[0] == ("provision", 250_00)
    assert draft.statement.refill_cents == draft.statement.closing_cents == 250_00
    assert draft.direct_cents == 849_00


def test_a_refill_of_nothing_sells_no_credits() -> None:
    assert lines_of(october(other_refill(1, 0, of=100_00))) == PLAIN[1:]


def test_a_refill_where_nothing_was_computed() -> None:
    draft = october(other_refill(1, 30_00, of=0), grants=[make_grant(1, 500_00)])

    # 500.00 of credits pay 100.00 and are enough for November
    assert lines_of(draft)[0] == ("provision", 30_00)
    assert draft.conflicts == ()


def test_the_last_refill_wins() -> None:
    assert lines_of(october(other_refill(1, 30_00), other_refill(2, 20_00)))[0] == ("provision", 20_00)


def test_an_account_that_closes_sells_nothing_whatever_the_refill() -> None:
    facts = make_facts(
        usage=make_usage(units(100)), closed_on=date(2026, 10, 31), adjustments=[other_refill(1, 50_00, of=100_00)]
    )
    draft = draft_with(facts)

    assert lines_of(draft) == [("regularization", 100_00)]
    assert draft.conflicts == (Conflict(1, "line_gone", 100_00, 0),)


def test_what_is_skipped_waits() -> None:
    draft = october(skipped(1, MIGRATION, of=800_00), skipped(2, "add_on:5", of=49_00))

    assert lines_of(draft) == PLAIN[:2]
    assert (draft.charge_ids, draft.add_ons_billed_until) == ((), ())
    assert october().charge_ids == (7,)
    assert october().add_ons_billed_until == ((5, date(2026, 12, 1)),)


def test_only_what_is_skipped_waits() -> None:
    draft = october(skipped(1, MIGRATION, of=800_00), charges=[make_charge(), make_charge(id_=8, cents=5_00)])

    assert draft.charge_ids == (8,)
    assert draft.add_ons_billed_until == ((5, date(2026, 12, 1)),)


def test_without_anything_left_there_is_no_invoice() -> None:
    facts = make_facts(charges=[make_charge()], adjustments=[skipped(1, MIGRATION, of=800_00)])

    assert assemble_with(facts) == Nil(Reason("skipped_by_hand"))


def test_what_is_given_away_is_still_an_invoice() -> None:
    draft = draft_with(make_facts(charges=[make_charge()], adjustments=[discount(1, percent=100)]))

    assert lines_of(draft) == [("one_shot", 800_00), ("discount", -800_00)]
    assert (draft.subtotal_cents, draft.total_cents) == (0, 0)


def test_an_added_line_makes_an_organization_billable() -> None:
    draft = draft_with(make_facts(adjustments=[added_line(1, 9_99)]))

    assert lines_of(draft) == [("adjustment", 9_99)]
    assert isinstance(assemble_with(make_facts()), Nil)
    nobody = make_facts(adjustments=[added_line(1, 9_99)], unbillable=Reason("unknown_vat_rate"))
    assert assemble_with(nobody) == Blocked(Reason("unknown_vat_rate"))


def test_a_wish_alone_bills_nothing() -> None:
    assert isinstance(assemble_with(make_facts(adjustments=[Adjustment(1, "note", text="Thank you")])), Nil)


def test_the_last_wish_wins() -> None:
    draft = october(
        Adjustment(1, "note", text="Hello"),
        Adjustment(2, "due_date", day=date(2026, 12, 24)),
        Adjustment(3, "note", text="Thank you"),
        Adjustment(4, "purchase_order", text="PO-7"),
    )

    assert (draft.note, draft.due_date, draft.purchase_order) == ("Thank you", date(2026, 12, 24), "PO-7")
    assert lines_of(draft) == PLAIN
    assert (october().note, october().due_date, october().purchase_order) == (None, None, None)


# --- Conflicts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("adjustment", "conflict"),
    [
        (discount(1, percent=10, on="regularization:2026-10", of=90_00), Conflict(1, "line_changed", 90_00, 100_00)),
        (discount(1, percent=10, on="regularization:2026-09", of=90_00), Conflict(1, "line_gone", 90_00, 0)),
        (discount(1, cents=1, on="one_shot:8", of=90_00), Conflict(1, "line_gone", 90_00, 0)),
        (discount(1, cents=800_01, on=MIGRATION, of=800_00), Conflict(1, "exceeds", 800_01, 800_00)),
        (discount(1, cents=949_01), Conflict(1, "exceeds", 949_01, 949_00)),
        (other_refill(1, 5_00, of=99_99), Conflict(1, "line_changed", 99_99, 100_00)),
        (skipped(1, MIGRATION, of=700_00), Conflict(1, "line_changed", 700_00, 800_00)),
        (skipped(1, "add_on:6", of=700_00), Conflict(1, "line_gone", 700_00, 0)),
    ],
)
def test_what_does_not_fit_any_more_is_a_conflict(adjustment: Adjustment, conflict: Conflict) -> None:
    assert october(adjustment).conflicts == (conflict,)


def test_a_discount_on_what_is_skipped_is_a_conflict() -> None:
    draft = october(discount(1, percent=10, on=MIGRATION, of=800_00), skipped(2, MIGRATION, of=800_00))

    assert draft.conflicts == (Conflict(1, "line_gone", 800_00, 0),)
    assert lines_of(draft) == PLAIN[:3]


def test_percentages_above_the_whole_are_a_conflict_of_the_later_one() -> None:
    draft = october(*[discount(id_, percent=60, on=MIGRATION, of=800_00) for id_ in (1, 2)])

    # 480.00, then only 320.00 of 480.00
    assert draft.conflicts == (Conflict(2, "exceeds", 480_00, 320_00),)
    assert lines_of(draft)[-2:] == [("discount", -480_00), ("discount", -320_00)]


# --- What always holds ------------------------------------------------------------------------------------------------

TARGETS = ["", MIGRATION, "custom_service:8", "add_on:5", "regularization:2026-10", "regularization:2026-09", "line:1"]
CENTS = st.integers(0, 2_000_00)


@st.composite
def adjustment_lists(draw: st.DrawFn) -> list[Adjustment]:
    found: list[Adjustment] = []
    for id_ in range(1, draw(st.integers(0, 7)) + 1):
        target = draw(st.sampled_from(TARGETS))
        pinned = draw(st.none() | CENTS)
        found.append(
            draw(
                st.one_of(
                    st.builds(added_line, st.just(id_), CENTS, quantity=st.integers(0, 3)),
                    st.builds(
                        discount, st.just(id_), ppm=st.integers(0, 1_000_000), on=st.just(target), of=st.just(pinned)
                    ),
                    st.builds(discount, st.just(id_), cents=CENTS, on=st.just(target), of=st.just(pinned)),
                    st.builds(other_refill, st.just(id_), CENTS, of=st.just(pinned)),
                    st.builds(skipped, st.just(id_), st.sampled_from(TARGETS[1:4]), of=st.just(pinned)),
                )
            )
        )
    return found


@st.composite
def months(draw: st.DrawFn) -> Facts:
    return make_facts(
        usage=make_usage(units(draw(st.integers(0, 2_000)))),
        late_usage=[make_usage(units(draw(st.integers(0, 300))), month=SEPTEMBER)],
        grants=[make_grant(1, draw(CENTS), kind="free"), make_grant(2, draw(CENTS))],
        pending_cents=draw(CENTS),
        add_ons=[make_add_on(monthly_cents=draw(CENTS))],
        charges=[make_charge(cents=draw(CENTS)), make_charge(id_=8, kind="custom_service", cents=draw(CENTS))],
        discount_ppm=draw(st.integers(0, 1_000_000)),
        closed_on=draw(st.sampled_from([None, None, None, date(2026, 10, 20)])),
    )


def cents_of(draft: Draft, *kinds: str) -> int:
    return sum(cents for kind, cents in lines_of(draft) if kind in kinds)


@given(facts=months(), adjustments=adjustment_lists())
def test_the_subtotal_is_regularization_and_h_and_d_and_never_negative(
    facts: Facts, adjustments: list[Adjustment]
) -> None:
    draft = assemble_with(structs.replace(facts, adjustments=adjustments))
    if isinstance(draft, Nil):
        return
    assert isinstance(draft, Draft)

    assert draft.subtotal_cents == draft.regularization_cents + draft.statement.refill_cents + draft.direct_cents
    assert draft.subtotal_cents == draft.fees_cents + draft.statement.net_use_cents + draft.direct_cents
    assert draft.subtotal_cents == sum(cents for _, cents in lines_of(draft))
    # What discounts leave is the provision at least.
    assert draft.subtotal_cents >= draft.statement.refill_cents == cents_of(draft, "provision") >= 0
    assert draft.direct_cents >= -draft.regularization_cents
    assert cents_of(draft, "regularization") == draft.regularization_cents
    assert min(draft.vat_cents, draft.total_cents) >= 0
    assert all(line.net_cents < 0 if line.kind == "discount" else line.net_cents > 0 for line in draft.lines)


@given(facts=months(), adjustments=adjustment_lists())
def test_credits_and_usage_are_not_adjusted(facts: Facts, adjustments: list[Adjustment]) -> None:
    plain, adjusted = assemble_with(facts), assemble_with(structs.replace(facts, adjustments=adjustments))
    if not (isinstance(plain, Draft) and isinstance(adjusted, Draft)):
        return

    unchanged = ("used", "expired", "usage", "fees_cents", "own_consumption_cents", "lowered", "tax")
    assert [getattr(adjusted, name) for name in unchanged] == [getattr(plain, name) for name in unchanged]
    assert structs.replace(adjusted.statement, refill_cents=0) == structs.replace(plain.statement, refill_cents=0)


@given(facts=months(), adjustments=adjustment_lists())
def test_nothing_is_taken_that_is_not_billed(facts: Facts, adjustments: list[Adjustment]) -> None:
    draft = assemble_with(structs.replace(facts, adjustments=adjustments))
    if not isinstance(draft, Draft):
        return
    skips = {adjustment.target for adjustment in adjustments if adjustment.kind == "skip"}
    printed = {f"{line.kind}:{line.source_id}" for line in draft.lines}

    assert {f"{charge.kind}:{charge.id}" for charge in facts.charges if charge.id in draft.charge_ids} == {
        f"{charge.kind}:{charge.id}" for charge in facts.charges
    } - skips
    assert ("add_on:5" in skips) == (draft.add_ons_billed_until == ())
    assert printed.isdisjoint(skips)


@given(facts=months(), adjustments=adjustment_lists())
def test_undoing_everything_gives_back_exactly_the_unadjusted_draft(
    facts: Facts, adjustments: list[Adjustment]
) -> None:
    assemble_with(structs.replace(facts, adjustments=adjustments))

    assert assemble_with(structs.replace(facts, adjustments=[])) == assemble_with(facts)


@given(facts=months(), adjustments=adjustment_lists(), chance=st.randoms(use_true_random=False))
def test_the_order_of_lines_discounts_and_skips_does_not_change_the_sum(
    facts: Facts, adjustments: list[Adjustment], chance: object
) -> None:
    once = [adjustment for adjustment in adjustments if adjustment.kind != "refill"]
    shuffled = list(once)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # a random.Random
    orders = [assemble_with(structs.replace(facts, adjustments=order)) for order in (once, shuffled)]

    sums = [each.subtotal_cents if isinstance(each, Draft) else None for each in orders]
    assert sums[0] == sums[1]


@given(base=st.integers(1, 5_000_00), ppms=st.lists(st.integers(0, 1_000_000), min_size=1, max_size=5))
def test_percentages_are_rounded_once_each_and_take_at_most_the_line(base: int, ppms: list[int]) -> None:
    discounts = [discount(id_, ppm=ppm, on=MIGRATION, of=base) for id_, ppm in enumerate(ppms, start=1)]
    draft = draft_with(make_facts(charges=[make_charge(cents=base)], adjustments=discounts))

    # (base x ppm + half) / 1,000,000, half away from zero
    exact = [(2 * base * ppm + 1_000_000) // 2_000_000 for ppm in ppms]
    assert -cents_of(draft, "discount") == min(base, sum(exact))
    assert bool(draft.conflicts) == (sum(ppms) > 1_000_000)


@given(facts=months())
def test_an_adjustment_that_fits_what_it_saw_is_no_conflict(facts: Facts) -> None:
    plain = assemble_with(facts)
    if not isinstance(plain, Draft):
        return
    nets: dict[str, int] = {"one_shot:7": 0}
    for line in plain.lines:
        key = f"{line.kind}:{line.source_id}"
        nets[key] = nets.get(key, 0) + line.net_cents
    pinned = [discount(1, percent=30, on="one_shot:7", of=nets["one_shot:7"]), skipped(2, "custom_service:8")]
    if not facts.is_last_month:
        pinned.append(other_refill(3, 1_00, of=plain.statement.refill_cents))

    draft = assemble_with(structs.replace(facts, adjustments=pinned))

    assert isinstance(draft, Nil) or (isinstance(draft, Draft) and draft.conflicts == ())
