"""What a reviewer is told: each finding by example, and what holds for whatever a month looks like.

A unit of usage costs 1.00, so 100 units are a consumption of 100.00.
"""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.facts import Billed
from billing.domain.money import mean_cents
from billing.domain.quantities import MICRO
from billing.domain.review import SEVERITIES, Finding, Thresholds, count_open, review, stored_findings
from billing.domain.taxation import MISSING_VAT_NUMBER, TaxTreatment
from tests.builders.facts import (
    AUGUST,
    SEPTEMBER,
    draft_with,
    line_key,
    make_add_on,
    make_facts,
    make_price,
    make_usage,
    october,
    units,
)

EVERYTHING = Thresholds(jump_percent=0, drop_percent=0, least_change_cents=0, provision_percent=0, most_lines=0)


def findings_of(
    quantity: int,
    recent_cents: list[int],
    thresholds: Thresholds = Thresholds(),  # noqa: B008  # frozen
    **terms: object,
) -> list[Finding]:
    """The findings of a month with so many units, after months of so many cents (newest first)."""
    facts = make_facts(
        usage=make_usage(units(quantity)),
        recent_consumption_cents=recent_cents,
        add_ons=[make_add_on()],
        **terms,  # type: ignore[arg-type]  # as they come
    )
    return list(review(facts, draft_with(facts), thresholds))


# --- Jumps and drops --------------------------------------------------------------------------------------------------


def test_twice_the_mean_of_the_last_months_is_a_jump() -> None:
    (jump,) = findings_of(400, [250_00, 200_00, 150_00])

    # (250.00 + 200.00 + 150.00) / 3 = 200.00, and 400.00 is 100 % more
    assert jump == Finding("jump", "warning", {"own_cents": 400_00, "mean_cents": 200_00, "months": 3, "percent": 100})


def test_a_cent_below_the_percentage_is_none() -> None:
    assert findings_of(400, [200_01]) == []


def test_what_is_little_money_is_no_change() -> None:
    assert findings_of(199, [100_00]) == []  # + 99.00 of at least 100.00
    assert [finding.code for finding in findings_of(200, [100_00])] == ["jump"]


@pytest.mark.parametrize(
    ("quantity", "mean_cents", "severity"),
    [
        (60_000, 6_000_00, "blocking"),  # + 54,000.00, + 900 %
        (60_000, 6_000_01, "warning"),  # not + 900 %
        (55_555, 5_555_50, "warning"),  # + 900 %, but less than 50,000.00
    ],
)
def test_a_jump_blocks_when_it_is_far_and_much_money(quantity: int, mean_cents: int, severity: str) -> None:
    (jump,) = findings_of(quantity, [mean_cents], thresholds=Thresholds(block_jump_percent=900))
    assert (jump.code, jump.severity) == ("jump", severity)


def test_nothing_blocks_until_a_controller_says_so() -> None:
    (jump,) = findings_of(60_000, [1_00])
    assert (jump.code, jump.severity) == ("jump", "warning")


def test_usage_after_none_is_a_jump_without_a_percentage() -> None:
    (jump,) = findings_of(100, [0, 0])
    assert jump == Finding("jump", "warning", {"own_cents": 100_00, "mean_cents": 0, "months": 2})


def test_less_than_two_fifths_is_a_drop() -> None:
    (drop,) = findings_of(400, [1_000_00])
    assert drop == Finding("drop", "warning", {"own_cents": 400_00, "mean_cents": 1_000_00, "months": 1, "percent": 60})
    assert findings_of(401, [1_000_00]) == []


def test_nothing_after_something_is_no_drop_but_a_finding_of_its_own() -> None:
    assert findings_of(0, [5, 100_00]) == [Finding("zero_after_usage", "warning", {"previous_cents": 5})]
    assert findings_of(0, [0, 100_00]) == []  # said a month ago


def test_without_a_month_before_there_is_nothing_to_compare() -> None:
    assert findings_of(1_000_000, []) == []


def test_percentages_of_none_never_trigger() -> None:
    never = Thresholds(jump_percent=None, drop_percent=None, block_jump_percent=None, provision_percent=None)
    assert findings_of(1_000_000, [1_00], never) == []
    assert findings_of(200, [1_000_000_00], never) == []
    assert findings_of(0, [0], never, negotiated_refill_cents=1_000_00) == []


def test_thresholds_of_an_organization_decide() -> None:
    assert findings_of(110, [100_00]) == []
    assert [f.code for f in findings_of(110, [100_00], Thresholds(jump_percent=10, least_change_cents=10_00))] == [
        "jump"
    ]


# --- Everything else --------------------------------------------------------------------------------------------------


def test_a_first_invoice_is_said_to_be_one() -> None:
    assert findings_of(10, [], is_first_invoice=True) == [Finding("first_invoice", "info")]


def test_a_provision_far_above_what_was_consumed_of_late() -> None:
    (finding,) = findings_of(100, [200_00], negotiated_refill_cents=400_00)
    assert finding == Finding("provision_above_history", "warning", {"refill_cents": 400_00, "highest_cents": 200_00})
    assert findings_of(100, [200_00], negotiated_refill_cents=399_99) == []


def test_a_provision_after_nothing_is_above_history() -> None:
    codes = [finding.code for finding in findings_of(0, [0], negotiated_refill_cents=100_00)]
    assert codes == ["provision_above_history"]


def test_a_tax_finding_is_told() -> None:
    tax = TaxTreatment("S", 2000, MISSING_VAT_NUMBER)
    assert findings_of(1, [], tax=tax) == [Finding("tax_finding", "warning", {"finding": MISSING_VAT_NUMBER})]


@pytest.mark.parametrize(
    ("until", "is_expired"), [(date(2026, 10, 31), True), (date(2026, 11, 1), False), (None, False)]
)
def test_a_negotiated_refill_ends_with_the_last_month_that_begins_by_its_day(
    until: date | None, is_expired: bool
) -> None:
    facts = make_facts(usage=make_usage(units(30)), negotiated_refill_cents=99_00, negotiated_refill_until=until)
    draft = draft_with(facts)

    # provisions November: the 30.00 of October, once the 99.00 are over
    assert draft.statement.refill_cents == (30_00 if is_expired else 99_00)
    expected = [Finding("refill_expired", "warning", {"until": "2026-10-31", "refill_cents": 99_00})]
    assert list(review(facts, draft, Thresholds())) == (expected if is_expired else [])


def test_an_account_that_closes_has_no_refill_to_speak_of() -> None:
    ended, closes = date(2026, 1, 31), date(2026, 10, 20)
    assert findings_of(30, [], negotiated_refill_cents=99_00, negotiated_refill_until=ended, closed_on=closes) == []


def test_unusually_many_lines() -> None:
    usage = make_usage(*[units(1, meter_id=meter_id) for meter_id in range(1, 4)])
    facts = make_facts(usage=usage)
    draft = draft_with(facts, *[make_price(id_=meter_id, meter_id=meter_id) for meter_id in range(1, 4)])

    assert review(facts, draft, Thresholds(most_lines=3)) == ()
    assert review(facts, draft, Thresholds(most_lines=2)) == (
        Finding("many_lines", "warning", {"lines": 3, "most": 2}),
    )


def test_late_usage_names_its_months_and_what_it_adds() -> None:
    late = [make_usage(units(5), month=SEPTEMBER), make_usage(units(7), month=AUGUST)]
    facts = make_facts(usage=make_usage(units(1)), late_usage=late)
    assert review(facts, draft_with(facts), Thresholds()) == (
        Finding("late_usage", "info", {"months": "2026-08, 2026-09", "amount_cents": 12_00}),
    )


def test_late_usage_that_lowers_an_earlier_month_is_told_alone() -> None:
    billed = {line_key(): Billed(90 * MICRO, 90_00)}
    late = make_usage(units(80), month=SEPTEMBER, billed=billed)
    facts = make_facts(usage=make_usage(units(1)), late_usage=[late])
    (finding,) = review(facts, draft_with(facts), Thresholds())
    assert (finding.code, finding.severity) == ("late_usage_lowers_amount", "warning")
    assert finding.values == {"month": "2026-09", "meter_id": 20, "difference_cents": -10_00}


def test_a_price_that_changed_within_the_month() -> None:
    cut = october(16)
    prices = [make_price(id_=1, valid_to=cut), make_price(id_=2, valid_from=cut)]
    both = make_facts(usage=make_usage(units(3), units(4, segment=1), cuts=[cut]))
    one = make_facts(usage=make_usage(units(4, segment=1), cuts=[cut]))

    assert review(both, draft_with(both, *prices), Thresholds()) == (
        Finding("price_changed", "info", {"meter_id": 20, "lines": 1}),
    )
    assert review(one, draft_with(one, *prices), Thresholds()) == ()


def test_the_gravest_comes_first() -> None:
    tax = TaxTreatment("S", 2000, MISSING_VAT_NUMBER)
    thresholds = Thresholds(block_jump_percent=900)
    found = findings_of(60_000, [1_00], thresholds=thresholds, tax=tax, is_first_invoice=True)
    assert [(finding.code, finding.severity) for finding in found] == [
        ("jump", "blocking"),
        ("tax_finding", "warning"),
        ("first_invoice", "info"),
    ]


# --- Acknowledging ----------------------------------------------------------------------------------------------------


def test_only_blocking_findings_that_nobody_acknowledged_are_open() -> None:
    grave, other = Finding("jump", "blocking", {"own_cents": 1}), Finding("jump", "blocking", {"own_cents": 2})
    findings = [grave, other, Finding("drop", "warning")]
    assert count_open(findings, ()) == 2
    assert count_open(findings, {grave.digest}) == 1


def test_the_digest_is_that_of_code_and_values_whatever_their_order() -> None:
    one = Finding("jump", "blocking", {"own_cents": 1, "mean_cents": 2})
    assert one.digest == Finding("jump", "warning", {"mean_cents": 2, "own_cents": 1}).digest
    assert one.digest != Finding("jump", "blocking", {"own_cents": 1, "mean_cents": 3}).digest
    assert one.digest != Finding("drop", "blocking", {"own_cents": 1, "mean_cents": 2}).digest


def test_findings_are_read_as_they_were_stored() -> None:
    note = {"code": "jump", "severity": "blocking", "values": {"own_cents": 1}}
    assert stored_findings([note, {"code": "old", "values": {}}]) == [
        Finding("jump", "blocking", {"own_cents": 1}),
        Finding("old", "warning"),
    ]


# --- Whatever the month -----------------------------------------------------------------------------------------------

quantities = st.integers(0, 100_000)
recents = st.lists(st.integers(0, 10_000_000), max_size=3)
percents = st.none() | st.integers(0, 2_000)
some_thresholds = st.builds(
    Thresholds,
    jump_percent=percents,
    drop_percent=percents,
    least_change_cents=st.integers(0, 1_000_000),
    block_jump_percent=percents,
    block_change_cents=st.integers(0, 10_000_000),
    provision_percent=percents,
    most_lines=st.integers(0, 3),
)


@given(quantities, recents, some_thresholds)
def test_a_change_is_told_once_and_in_its_direction(quantity: int, recent: list[int], thresholds: Thresholds) -> None:
    found = findings_of(quantity, recent, thresholds)
    changes = [finding for finding in found if finding.code in ("jump", "drop", "zero_after_usage")]
    assert len(changes) <= 1
    for change in changes:
        assert recent
        difference = quantity * 100 - mean_cents(recent)
        assert change.code != "jump" or difference >= thresholds.least_change_cents
        assert change.code != "drop" or -difference >= thresholds.least_change_cents
        assert change.severity != "blocking" or difference >= thresholds.block_change_cents


@given(quantities, recents, some_thresholds)
def test_the_same_month_has_the_same_findings_in_order_of_severity(
    quantity: int, recent: list[int], thresholds: Thresholds
) -> None:
    found = findings_of(quantity, recent, thresholds)
    assert found == findings_of(quantity, recent, thresholds)
    ranks = [SEVERITIES.index(finding.severity) for finding in found]
    assert ranks == sorted(ranks)


@given(quantities, recents, st.integers(0, 1_000_000))
def test_a_higher_threshold_never_finds_more(quantity: int, recent: list[int], cents: int) -> None:
    strict = {finding.code for finding in findings_of(quantity, recent, EVERYTHING)}
    lenient = Thresholds(jump_percent=0, drop_percent=0, least_change_cents=cents, provision_percent=0, most_lines=0)
    assert {finding.code for finding in findings_of(quantity, recent, lenient)} <= strict


@given(quantities, recents, st.lists(st.integers(0, 10_000_000), max_size=5))
def test_what_the_review_looks_at_changes_no_invoice(quantity: int, recent: list[int], past: list[int]) -> None:
    usage = make_usage(units(quantity))
    plain = make_facts(usage=usage, add_ons=[make_add_on()], past_consumption_cents=past)
    reviewed = make_facts(
        usage=usage, add_ons=[make_add_on()], past_consumption_cents=past, recent_consumption_cents=recent
    )
    assert draft_with(plain) == draft_with(reviewed)
