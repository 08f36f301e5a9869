"""What credits never pay: add-ons by days and months, one-shot operations and custom services.

Usage costs 0.01 a second, so that 100 seconds are 1.00.
"""

from datetime import date

import pytest

from billing.models import Price
from organizations.models import Organization
from tests.builders.closing import (
    bill_of,
    close,
    close_and_issue,
    consume,
    letters_of,
    lines_of,
    make_add_on,
    make_charge,
    make_metered_price,
    make_plan,
    outcome_of,
)
from tests.builders.credits import make_grant
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db


@pytest.fixture
def price() -> Price:
    return make_metered_price()


@pytest.fixture
def atlas(price: Price) -> Organization:
    return make_organization(external_id="orga_atlas", name="Atlas", opened_on=date(2026, 8, 1))


def test_an_add_on_that_starts_within_the_month_is_billed_for_its_days(atlas: Organization) -> None:
    close_and_issue("2026-09")
    make_add_on(organization=atlas, plan=make_plan(), started_on=date(2026, 10, 12), quantity=3)

    close("2026-10")

    # 49.00 x 20/31 x 3 = 94.838... -> 94.84 (31.61 x 3 = 94.83 would round twice); November 49.00 x 3
    assert lines_of(bill_of(atlas, "2026-10")) == ["add_on 2026-10-12..2026-11-01 94.84", "add_on 2026-11 147.00"]


def test_an_add_on_ends_when_it_is_known_to(atlas: Organization) -> None:
    close_and_issue("2026-09")
    make_add_on(organization=atlas, plan=make_plan(), started_on=date(2026, 10, 1), ended_on=date(2026, 11, 11))

    close_and_issue("2026-10")
    close("2026-11")

    # November: 49.00 x 10/30 = 16.333 -> 16.33
    assert lines_of(bill_of(atlas, "2026-10")) == ["add_on 2026-10 49.00", "add_on 2026-11-01..2026-11-11 16.33"]
    assert outcome_of(atlas, "2026-11").kind == "nil"


def test_an_add_on_that_ended_before_it_was_ever_billed_is_billed_to_its_end(atlas: Organization) -> None:
    close_and_issue("2026-09")
    make_add_on(organization=atlas, plan=make_plan(), started_on=date(2026, 10, 5), ended_on=date(2026, 10, 6))
    make_add_on(organization=atlas, plan=make_plan(code="x"), started_on=date(2026, 10, 5), ended_on=date(2026, 10, 5))

    close("2026-10")

    # 49.00 / 31 = 1.5806 -> 1.58; one that ends on the day it starts costs nothing
    assert lines_of(bill_of(atlas, "2026-10")) == ["add_on 2026-10-05 1.58"]


def test_an_add_on_that_ended_later_than_billed_is_billed_on(atlas: Organization) -> None:
    close_and_issue("2026-08")
    add_on = make_add_on(organization=atlas, plan=make_plan(), started_on=date(2026, 9, 1), ended_on=date(2026, 10, 11))
    close_and_issue("2026-09")
    add_on.refresh_from_db()
    assert add_on.billed_until == date(2026, 10, 11)
    add_on.ended_on = date(2026, 11, 2)  # prolonged
    add_on.save()

    close("2026-10")

    # September 49.00, October 49.00 x 10/31 = 15.806 -> 15.81; the rest 49.00 x 21/31 = 33.19, one day 49.00/30 = 1.63
    assert lines_of(bill_of(atlas, "2026-09")) == ["add_on 2026-09 49.00", "add_on 2026-10-01..2026-10-11 15.81"]
    assert lines_of(bill_of(atlas, "2026-10")) == ["add_on 2026-10-11..2026-11-01 33.19", "add_on 2026-11-01 1.63"]


def test_an_add_on_paid_in_advance_that_ends_early_is_not_refunded(atlas: Organization) -> None:
    close_and_issue("2026-08")
    add_on = make_add_on(organization=atlas, plan=make_plan(), started_on=date(2026, 9, 1))
    close_and_issue("2026-09")
    add_on.refresh_from_db()
    add_on.ended_on = date(2026, 10, 3)
    add_on.save()

    close("2026-10")

    assert outcome_of(atlas, "2026-10").kind == "nil"


def test_an_add_on_that_ran_before_the_first_close_starts_with_the_provision_month(atlas: Organization) -> None:
    make_add_on(organization=atlas, plan=make_plan(), started_on=date(2026, 9, 12))

    close("2026-10")

    assert lines_of(bill_of(atlas, "2026-10")) == ["add_on 2026-11 49.00"]


def test_one_that_started_in_the_first_closed_month_is_billed_from_its_start(atlas: Organization) -> None:
    make_add_on(organization=atlas, plan=make_plan(), started_on=date(2026, 10, 31))

    close("2026-10")

    # 49.00 x 1/31 = 1.5806
    assert lines_of(bill_of(atlas, "2026-10")) == ["add_on 2026-10-31 1.58", "add_on 2026-11 49.00"]


def test_one_that_ran_before_the_first_close_but_was_told_later_is_caught_up_from_there(atlas: Organization) -> None:
    close_and_issue("2026-08")
    close_and_issue("2026-09")
    make_add_on(organization=atlas, plan=make_plan(), started_on=date(2025, 1, 12))

    close("2026-10")

    # the first close here was August: what was before September was billed elsewhere
    assert lines_of(bill_of(atlas, "2026-10")) == [
        "add_on 2026-09 49.00",
        "add_on 2026-10 49.00",
        "add_on 2026-11 49.00",
    ]


def test_one_that_ran_and_ended_before_anything_was_closed_here_is_never_billed(atlas: Organization) -> None:
    make_add_on(organization=atlas, plan=make_plan(), started_on=date(2026, 1, 1), ended_on=date(2026, 10, 15))

    for closed in ("2026-10", "2026-11"):
        close_and_issue(closed)

        assert outcome_of(atlas, closed).kind == "nil"


def test_the_price_of_an_add_on_is_that_of_the_first_day_of_its_line(atlas: Organization) -> None:
    close_and_issue("2026-09")
    prices = [(None, 49_00), (date(2026, 10, 12), 60_00), (date(2026, 10, 20), 90_00), (date(2026, 11, 1), 80_00)]
    make_add_on(organization=atlas, plan=make_plan(prices=prices), started_on=date(2026, 10, 12))

    close("2026-10")

    # 60.00 x 20/31 = 38.709 -> 38.71
    assert lines_of(bill_of(atlas, "2026-10")) == ["add_on 2026-10-12..2026-11-01 38.71", "add_on 2026-11 80.00"]


def test_add_ons_print_by_name(atlas: Organization) -> None:
    plan = make_plan()
    for name in ("Zeta", "Alpha", "Mid"):
        make_add_on(organization=atlas, plan=plan, name=name, started_on=date(2026, 9, 1))

    close("2026-10")

    assert [line.description.split(",")[0].split(" (")[0] for line in bill_of(atlas, "2026-10").lines] == [
        "Alpha",
        "Mid",
        "Zeta",
    ]


def test_charges_up_to_the_last_day_are_taken(atlas: Organization) -> None:
    make_charge(organization=atlas, day=date(2026, 11, 1), unit_cents=9_99)
    make_charge(organization=atlas, day=date(2026, 10, 31), unit_cents=1_00, type="custom_service")
    make_charge(organization=atlas, day=date(2026, 10, 2), unit_cents=2_00, quantity=3)
    make_charge(organization=atlas, day=date(2025, 3, 1), unit_cents=4_00)

    close_and_issue("2026-10")
    close("2026-11")

    # by date: 4.00 (an old one), 3 x 2.00, 1.00
    assert lines_of(bill_of(atlas, "2026-10")) == [
        "one_shot 2025-03-01 4.00",
        "one_shot 2026-10-02 6.00",
        "custom_service 2026-10-31 1.00",
    ]
    assert lines_of(bill_of(atlas, "2026-11")) == ["one_shot 2026-11-01 9.99"]


def test_credits_never_pay_add_ons_and_charges(atlas: Organization) -> None:
    make_grant(organization=atlas, amount_cents=1000_00)
    make_charge(organization=atlas, unit_cents=10_00)

    close("2026-10")

    bill = bill_of(atlas, "2026-10")
    assert (bill.subtotal, bill.fees) == ("10.00", "0.00")
    assert letters_of(bill, "b e B") == "b 1000.00 e 0.00 B 1000.00"


def test_lines_print_in_their_order(atlas: Organization) -> None:
    make_charge(organization=atlas)
    make_add_on(organization=atlas, plan=make_plan())
    consume(atlas, quantity=100, on="2026-10-03")

    close("2026-10")

    kinds = [line.kind for line in bill_of(atlas, "2026-10").lines]
    assert kinds == ["provision", "regularization", "add_on", "one_shot"]
