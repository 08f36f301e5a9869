"""Whole months of one organization: what is used, what credits pay, what is billed."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.assembly import Blocked, Draft, Nil
from billing.domain.facts import Billed, Facts, LineKey, Reason
from billing.domain.quantities import MICRO
from billing.domain.taxation import TaxSubtotal, TaxTreatment
from tests.builders.facts import (
    CHILD,
    METER,
    PAYER,
    SEPTEMBER,
    assemble_with,
    draft_with,
    line_key,
    make_add_on,
    make_charge,
    make_facts,
    make_grant,
    make_price,
    make_usage,
    october,
    units,
)


def _lines(draft: Draft) -> list[tuple[str, int]]:
    return [(line.kind, line.net_cents) for line in draft.lines]


def test_first_invoice_regularizes_the_month_and_provisions_the_next() -> None:
    draft = draft_with(make_facts(usage=make_usage(units(100))))

    # U = 100 x 1.00; no credits yet, so all of it is regularized; h = f = 100.00; VAT 20 % of 200.00
    assert _lines(draft) == [("provision", 100_00), ("regularization", 100_00)]
    assert [str(line.period_start) for line in draft.lines] == ["2026-11-01", "2026-10-01"]
    assert (draft.subtotal_cents, draft.vat_cents, draft.total_cents) == (200_00, 40_00, 240_00)


def test_prepaid_credits_cover_the_month_and_are_refilled() -> None:
    draft = draft_with(make_facts(usage=make_usage(units(80)), grants=[make_grant(1, 100_00)]))

    # e = -80.00 leaves 20.00; f = -80.00, so h = 80.00 - 20.00
    assert _lines(draft) == [("provision", 60_00)]
    assert draft.used == ((1, 80_00),)
    assert draft.statement.closing_cents == 80_00


def test_the_discount_comes_before_the_credits() -> None:
    facts = make_facts(usage=make_usage(units(100)), grants=[make_grant(1, 95_00)], discount_ppm=100_000)
    draft = draft_with(facts)

    # U = 100.00 - 10 % = 90.00, all paid by credits; h = 90.00 - (95.00 - 90.00)
    assert (draft.fees_cents, draft.discount_cents, draft.own_consumption_cents) == (90_00, 10_00, 90_00)
    assert _lines(draft) == [("provision", 85_00)]


def test_late_usage_has_a_regularization_of_its_own_and_is_paid_first() -> None:
    facts = make_facts(
        usage=make_usage(units(100)),
        late_usage=[make_usage(units(15), month=SEPTEMBER)],
        grants=[make_grant(1, 40_00)],
    )
    draft = draft_with(facts)

    # U = 115.00; the 40.00 of credits pay September's 15.00 first, then 25.00 of October; f = 100.00 without late usage
    assert _lines(draft) == [("provision", 100_00), ("regularization", 75_00)]
    assert draft.lines[1].period_start == date(2026, 10, 1)
    assert draft.fees_cents == 115_00
    assert draft.own_consumption_cents == 100_00


def test_uncovered_late_months_come_oldest_first() -> None:
    august = make_usage(units(5), month=SEPTEMBER.previous)
    september = make_usage(units(7), month=SEPTEMBER)
    facts = make_facts(usage=make_usage(units(1)), late_usage=[september, august], negotiated_refill_cents=0)

    assert [(str(line.period_start), line.net_cents) for line in draft_with(facts).lines] == [
        ("2026-08-01", 5_00),
        ("2026-09-01", 7_00),
        ("2026-10-01", 1_00),
    ]


def test_late_usage_continues_the_tiers_of_its_month() -> None:
    free_to_100 = make_price(tiers=[(100, "0"), (None, "1.00")])
    billed = {line_key(): Billed(90 * MICRO, 0)}
    facts = make_facts(late_usage=[make_usage(units(120), month=SEPTEMBER, billed=billed)], negotiated_refill_cents=0)
    draft = draft_with(facts, free_to_100)

    # 120 in all, 100 of them free: 20.00 more than the 0.00 of the 90 that were billed
    assert [(line.quantity_micro, line.amount_cents) for line in draft.usage] == [(30 * MICRO, 20_00)]


def test_late_usage_within_the_same_package_is_shown_and_costs_nothing() -> None:
    by_hundreds = make_price(unit_price="1.00", package=100)
    billed = {line_key(): Billed(10 * MICRO, 100_00)}
    late = make_usage(units(60), month=SEPTEMBER, billed=billed)
    draft = draft_with(make_facts(usage=make_usage(units(1)), late_usage=[late]), by_hundreds)

    assert (draft.usage[0].quantity_micro, draft.usage[0].amount_cents) == (50 * MICRO, 0)


def test_late_usage_that_makes_its_month_cheaper_is_no_negative_line() -> None:
    volume = make_price(mode="volume", tiers=[(100, "1.00"), (None, "0.50")])
    billed = {line_key(): Billed(100 * MICRO, 100_00)}
    late = make_usage(units(110), month=SEPTEMBER, billed=billed)
    draft = draft_with(make_facts(usage=make_usage(units(10)), late_usage=[late]), volume)

    # 110 x 0.50 = 55.00, 45.00 less than billed: kept aside
    assert [line.amount_cents for line in draft.usage] == [10_00]
    assert [(line.month, line.amount_cents) for line in draft.lowered] == [(date(2026, 9, 1), -45_00)]


def test_the_discount_of_several_months_is_rounded_once_and_shared() -> None:
    facts = make_facts(
        usage=make_usage(units(33)),
        late_usage=[make_usage(units(33), month=SEPTEMBER)],
        discount_ppm=50_500,
        negotiated_refill_cents=0,
    )
    draft = draft_with(facts)

    # 5.05 % of 66.00 = 3.333 -> 3.33; September's share 1.6665 -> 1.67, October the rest 1.66
    assert draft.discount_cents == 3_33
    assert [line.net_cents for line in draft.lines] == [33_00 - 1_67, 33_00 - 1_66]
    assert draft.own_consumption_cents == 33_00 - 1_67  # its own discount, whatever else is on the invoice


def test_a_price_change_within_the_month_gives_two_lines_with_tiers_of_their_own() -> None:
    change = october(15)
    before = make_price(id_=30, tiers=[(10, "0"), (None, "1.00")], valid_to=change)
    after = make_price(id_=31, tiers=[(10, "0"), (None, "2.00")], valid_from=change)
    usage = make_usage(units(30, segment=0), units(5, segment=1), units(7, segment=1), cuts=[change])
    draft = draft_with(make_facts(usage=usage), before, after)

    # (30 - 10) x 1.00, then (12 - 10) x 2.00
    assert [(line.price_id, line.amount_cents) for line in draft.usage] == [(30, 20_00), (31, 4_00)]


def test_a_price_that_changes_for_others_does_not_split_the_line() -> None:
    change = october(15)
    elsewhere = make_price(id_=31, meter_id=METER + 1, valid_from=change)
    usage = make_usage(units(30, segment=0), units(5, segment=1), cuts=[change])

    assert [line.amount_cents for line in draft_with(make_facts(usage=usage), make_price(), elsewhere).usage] == [35_00]


def test_a_negotiated_price_of_the_parent_serves_its_children() -> None:
    negotiated = make_price(id_=31, unit_price="0.10", organization_id=PAYER)
    usage = make_usage(units(10), units(10, organization_id=CHILD))
    facts = make_facts(usage=usage, organizations={PAYER: (PAYER,), CHILD: (PAYER,)})

    assert [line.amount_cents for line in draft_with(facts, make_price(), negotiated).usage] == [1_00, 1_00]


def test_add_ons_and_charges_are_never_paid_by_credits() -> None:
    facts = make_facts(
        add_ons=[make_add_on(started_on=date(2026, 10, 13))],
        charges=[make_charge(id_=8, kind="custom_service", day=31, cents=10_00), make_charge(id_=7, day=20)],
        grants=[make_grant(1, 5_000_00)],
    )
    draft = draft_with(facts)

    # 49.00 x 19/31 = 30.032 -> 30.03 for October 13th to 31st, 49.00 for November; the charges by date
    assert _lines(draft) == [
        ("add_on", 30_03),
        ("add_on", 49_00),
        ("one_shot", 800_00),
        ("custom_service", 10_00),
    ]
    assert draft.used == ()
    assert draft.direct_cents == 30_03 + 49_00 + 800_00 + 10_00
    assert draft.add_ons_billed_until == ((5, date(2026, 12, 1)),)
    assert sorted(draft.charge_ids) == [7, 8]


def test_lines_of_nothing_are_not_printed_but_their_charge_is_taken() -> None:
    draft = draft_with(make_facts(usage=make_usage(units(1)), charges=[make_charge(cents=0)]))

    assert [line.kind for line in draft.lines] == ["provision", "regularization"]
    assert draft.charge_ids == (7,)


def test_credits_that_cover_everything_still_give_an_invoice() -> None:
    facts = make_facts(usage=make_usage(units(10)), grants=[make_grant(1, 100_00)])
    draft = draft_with(facts)

    assert draft.lines == ()
    assert draft.total_cents == 0
    assert draft.tax_subtotals == (TaxSubtotal("S", 2000, 0, 0),)


def test_nothing_to_bill_is_nil_and_says_why() -> None:
    free = make_price(unit_price="0")

    assert assemble_with(make_facts()) == Nil(Reason("no_activity"))
    nil = assemble_with(make_facts(usage=make_usage(units(3))), free)
    assert isinstance(nil, Nil)
    assert nil.reason.code == "free_usage_only"
    assert [line.amount_cents for line in nil.usage] == [0]
    discounted = assemble_with(make_facts(usage=make_usage(units(3)), discount_ppm=1_000_000))
    assert isinstance(discounted, Nil)
    assert discounted.reason.code == "nothing_due"


def test_a_nil_month_still_lets_credits_expire() -> None:
    gone = make_grant(1, 7_49, kind="free", expires_on=date(2026, 10, 31))
    before = make_grant(2, 1_00, kind="free", expires_on=date(2026, 9, 30))
    nil = assemble_with(make_facts(grants=[gone, before]))

    assert isinstance(nil, Nil)
    assert nil.expired == ((1, 7_49), (2, 1_00))


def test_a_negotiated_refill_is_sold_in_quiet_months_too() -> None:
    assert _lines(draft_with(make_facts(negotiated_refill_cents=250_00))) == [("provision", 250_00)]


def test_the_estimate_is_the_mean_of_the_months_that_exist() -> None:
    facts = make_facts(usage=make_usage(units(10)), past_consumption_cents=[11_01], forecast_months=3)

    # (10.00 + 11.01) / 2 = 10.505 -> 10.51
    assert draft_with(facts).statement.estimate_cents == -10_51


def test_without_forecast_there_is_no_provision() -> None:
    assert _lines(draft_with(make_facts(usage=make_usage(units(10)), forecast_months=0))) == [("regularization", 10_00)]


def test_the_last_month_sells_nothing_and_loses_free_credits() -> None:
    facts = make_facts(
        usage=make_usage(units(10)),
        grants=[make_grant(1, 12_00, kind="free"), make_grant(2, 30_00)],
        negotiated_refill_cents=99_00,
        closed_on=date(2026, 10, 15),
    )
    statement = draft_with(facts).statement

    assert (statement.estimate_cents, statement.refill_cents, statement.expired_cents) == (0, 0, -2_00)
    assert statement.closing_cents == 30_00


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (make_facts(usage=make_usage(units(1, meter_id=99))), "no_price"),
        (
            make_facts(usage=make_usage(units(1)), unbillable=Reason("incomplete_billing_profile")),
            "incomplete_billing_profile",
        ),
        (make_facts(blocked=Reason("previous_month_draft")), "previous_month_draft"),
        (make_facts(add_ons=[make_add_on(prices=[])]), "no_plan_price"),
        (make_facts(usage=make_usage(units(10**17))), "amount_too_large"),
        (make_facts(usage=make_usage(units(10**13)), tax=TaxTreatment("S", 2000)), "amount_too_large"),
    ],
)
def test_what_cannot_be_billed_is_blocked_with_a_reason(facts: Facts, code: str) -> None:
    blocked = assemble_with(facts)

    assert isinstance(blocked, Blocked)
    assert blocked.reason.code == code


def test_nobody_is_blocked_who_has_nothing_to_bill() -> None:
    facts = make_facts(usage=make_usage(units(0, meter_id=99)), unbillable=Reason("unknown_vat_rate"))

    assert isinstance(assemble_with(facts), Nil)


@given(
    own=st.integers(0, 10_000),
    late=st.integers(0, 3_000),
    free=st.integers(0, 500_000),
    prepaid=st.integers(0, 500_000),
    pending=st.integers(0, 200_000),
    discount_ppm=st.integers(0, 1_000_000),
    add_on_cents=st.integers(0, 90_000),
    negotiated=st.none() | st.integers(0, 400_000),
)
def test_both_readings_of_the_subtotal_agree(
    own: int,
    late: int,
    free: int,
    prepaid: int,
    pending: int,
    discount_ppm: int,
    add_on_cents: int,
    negotiated: int | None,
) -> None:
    grants = [make_grant(1, free, kind="free"), make_grant(2, prepaid)]
    assembled = assemble_with(
        make_facts(
            usage=make_usage(units(own)),
            late_usage=[make_usage(units(late), month=SEPTEMBER)],
            grants=grants,
            pending_cents=pending,
            discount_ppm=discount_ppm,
            add_ons=[make_add_on(monthly_cents=add_on_cents)],
            negotiated_refill_cents=negotiated,
        ),
        make_price(unit_price="0.333333333333333"),
    )
    if isinstance(assembled, Nil):
        return
    assert isinstance(assembled, Draft)
    net_use = assembled.statement.net_use_cents
    kinds = {
        kind: sum(cents for line_kind, cents in _lines(assembled) if line_kind == kind) for kind, _ in _lines(assembled)
    }

    assert assembled.subtotal_cents == assembled.fees_cents + assembled.direct_cents + net_use
    assert kinds.get("regularization", 0) == assembled.regularization_cents
    assert kinds.get("provision", 0) == assembled.statement.refill_cents
    assert sum(line.amount_cents for line in assembled.usage) - assembled.discount_cents == assembled.fees_cents
    assert sum(cents for _, cents in assembled.used) == assembled.fees_cents - assembled.regularization_cents
    assert sum(tax.base_cents for tax in assembled.tax_subtotals) == assembled.subtotal_cents


@given(quantities=st.lists(st.integers(0, 400), min_size=1, max_size=6))
def test_a_month_costs_the_same_however_late_its_usage_arrives(quantities: list[int]) -> None:
    tiers = make_price(tiers=[(100, "0.013"), (300, "0.007"), (None, "0.0031")], package=7)
    in_time = assemble_with(make_facts(usage=make_usage(units(sum(quantities)))), tiers)
    expected = sum(line.amount_cents for line in in_time.usage) if isinstance(in_time, Draft | Nil) else None

    billed: dict[LineKey, Billed] = {}
    total_cents = total_micro = 0
    for count in range(1, len(quantities) + 1):
        late = make_usage(units(sum(quantities[:count])), month=SEPTEMBER, billed=dict(billed))
        assembled = assemble_with(make_facts(late_usage=[late]), tiers)
        assert isinstance(assembled, Draft | Nil)
        for line in assembled.usage:
            total_cents += line.amount_cents
            total_micro += line.quantity_micro
        billed = {line_key(): Billed(total_micro, total_cents)}

    assert total_cents == expected
