"""A parent and its sub-organizations: one invoice, one statement, one estimate.

Usage of apps.S costs 0.01 a second.
"""

from datetime import date

import pytest

from billing.models import CreditEntry, Invoice
from organizations.models import Organization
from tests.builders.closing import (
    bill_of,
    broken_promises,
    close,
    close_and_issue,
    consume,
    invoice_of,
    issue,
    letters_of,
    lines_of,
    local,
    make_add_on,
    make_charge,
    make_metered_price,
    make_plan,
    outcome_of,
    pay,
    remaining_of,
    usage_of,
    why_blocked,
)
from tests.builders.credits import make_grant
from tests.builders.organizations import make_billing_profile, make_organization

pytestmark = pytest.mark.django_db


@pytest.fixture
def parent() -> Organization:
    make_metered_price()
    return make_organization(
        external_id="orga_parent", name="Parent", opened_on=date(2026, 8, 1), negotiated_refill_cents=0
    )


@pytest.fixture
def child(parent: Organization) -> Organization:
    return make_organization(external_id="orga_child", name="Child", parent=parent, opened_on=date(2026, 8, 1))


@pytest.fixture
def other() -> Organization:
    return make_organization(
        external_id="orga_other", name="Other", opened_on=date(2026, 8, 1), negotiated_refill_cents=0
    )


def move(organization: Organization, parent: Organization | None) -> None:
    organization.parent = parent
    organization.save()


def test_one_invoice_bills_the_whole_tree(parent: Organization, child: Organization) -> None:
    parent.negotiated_refill_cents = None
    parent.consumption_discount_ppm = 100_000
    parent.save()
    second = make_organization(external_id="orga_aaa", name="Second", parent=parent, opened_on=date(2026, 8, 1))
    for organization, quantity in [(child, 205), (parent, 100), (second, 400)]:
        consume(organization, quantity=quantity, on="2026-10-03")

    report = close("2026-10")

    assert (report.invoices, report.nil, report.blocked) == (1, 0, 0)
    bill = bill_of(parent, "2026-10")
    # the payer first, then its sub-organizations; 10 % of 7.05 = 0.705 -> 0.71
    assert usage_of(bill) == [
        "2026-10 app_orga_parent apps.S 100 1.00",
        "2026-10 app_orga_aaa apps.S 400 4.00",
        "2026-10 app_orga_child apps.S 205 2.05",
        "2026-10 discount -0.71",
    ]
    assert [line.organization for line in bill.usage] == ["orga_parent", "orga_aaa", "orga_child", "orga_parent"]
    assert (bill.fees, letters_of(bill, "f h")) == ("6.34", "f -6.34 h 6.34")
    outcome = outcome_of(child, "2026-10")
    assert (outcome.kind, outcome.payer, outcome.invoice) == ("on_parent", parent, invoice_of(parent, "2026-10"))
    assert outcome_of(parent, "2026-10").own_consumption_cents == 6_34
    assert broken_promises() == []


def test_credits_add_ons_and_charges_of_all_are_on_the_parents_invoice(
    parent: Organization, child: Organization
) -> None:
    close_and_issue("2026-09")
    gift = make_grant(organization=child, type="free", amount_cents=1_00, expires_on=date(2026, 10, 31))
    bought = make_grant(organization=parent, amount_cents=2_00)
    make_add_on(organization=child, plan=make_plan(), name="Child support", started_on=date(2026, 10, 1))
    make_charge(organization=child, unit_cents=5_00)
    make_charge(organization=parent, unit_cents=6_00, day=date(2026, 10, 2))
    consume(parent, quantity=250, on="2026-10-03")

    close_and_issue("2026-10")

    bill = bill_of(parent, "2026-10")
    # the child's free 1.00 first, then 1.50 of the parent's 2.00
    assert letters_of(bill, "a b c e") == "a 1.00 b 2.00 c -1.00 e -1.50"
    assert lines_of(bill) == [
        "add_on 2026-10 49.00",
        "add_on 2026-11 49.00",
        "one_shot 2026-10-02 6.00",
        "one_shot 2026-10-20 5.00",
    ]
    assert (remaining_of(gift), remaining_of(bought)) == (0, 50)
    assert set(CreditEntry.objects.filter(kind="use").values_list("invoice__organization", flat=True)) == {parent.pk}


def test_the_profile_and_the_terms_are_the_parents(parent: Organization, child: Organization) -> None:
    make_billing_profile(organization=child, country="US")
    child.consumption_discount_ppm = 1_000_000
    child.negotiated_refill_cents = 99_00
    child.save()
    consume(child, quantity=100, on="2026-10-03")

    close("2026-10")

    assert (bill_of(parent, "2026-10").subtotal, bill_of(parent, "2026-10").vat) == ("1.00", "0.20")


def test_tiers_are_those_of_each_organizations_resource(parent: Organization, child: Organization) -> None:
    make_metered_price(code="gb", tiers=[(100, "0"), (None, "1")])
    for organization in (parent, child):
        consume(organization, quantity=110, on="2026-10-03", meter="gb")

    close("2026-10")

    assert bill_of(parent, "2026-10").fees == "20.00"  # 10 + 10


def test_negotiated_prices_its_own_then_the_parents_then_the_catalogue(
    parent: Organization, child: Organization
) -> None:
    make_metered_price(organization=parent, unit_price="0.02")
    second = make_organization(external_id="orga_second", parent=parent, opened_on=date(2026, 8, 1))
    make_metered_price(organization=second, unit_price="0.03")
    stranger = make_organization(external_id="orga_stranger", opened_on=date(2026, 8, 1))
    for organization in (parent, child, second, stranger):
        consume(organization, quantity=100, on="2026-10-03")

    close("2026-10")

    assert [line.amount for line in bill_of(parent, "2026-10").usage] == ["2.00", "2.00", "3.00"]
    assert bill_of(stranger, "2026-10").fees == "1.00"


def test_closing_or_issuing_a_sub_organization_means_its_payer(parent: Organization, child: Organization) -> None:
    consume(child, quantity=100, on="2026-10-03")

    assert close("2026-10", child).invoices == 1
    assert bill_of(parent, "2026-10").fees == "1.00"

    report = issue("2026-10", child)
    assert len(report.numbers) == 1


def test_a_blocked_parent_blocks_the_tree(parent: Organization, child: Organization) -> None:
    parent.billing_profile.delete()
    consume(child, quantity=100, on="2026-10-03")

    report = close("2026-10")

    assert (report.invoices, report.blocked) == (0, 1)
    outcome = outcome_of(child, "2026-10")
    assert (outcome.kind, outcome.reason_code, outcome.invoice) == ("on_parent", "payer_blocked", None)
    make_billing_profile(organization=parent)
    close("2026-10")
    assert outcome_of(child, "2026-10").reason_code == ""


def test_a_quiet_parent_is_billed_for_a_busy_child(parent: Organization, child: Organization) -> None:
    close_and_issue("2026-09")
    assert [outcome_of(one, "2026-09").kind for one in (parent, child)] == ["nil", "on_parent"]
    consume(child, quantity=100, on="2026-10-03")

    close("2026-10")

    assert bill_of(parent, "2026-10").fees == "1.00"


def test_who_opens_or_closes_within_the_tree(parent: Organization, child: Organization) -> None:
    child.closed_on = date(2026, 9, 30)
    child.save()
    young = make_organization(external_id="orga_young", parent=parent, opened_on=date(2026, 10, 31))
    unborn = make_organization(external_id="orga_unborn", parent=parent, opened_on=date(2026, 11, 1))
    consume(child, quantity=100, on="2026-09-03")
    close_and_issue("2026-09")
    consume(child, quantity=30, on="2026-09-30", at=local("2026-10-20"))
    consume(young, quantity=200, on="2026-10-31")

    close("2026-10")

    # late usage of the closed one is billed all the same
    assert usage_of(bill_of(parent, "2026-10")) == [
        "2026-09 app_orga_child apps.S 30 0.30",
        "2026-10 app_orga_young apps.S 200 2.00",
    ]
    assert young.outcomes.count() == 1
    assert unborn.outcomes.count() == 0
    assert list(child.outcomes.values_list("month", flat=True)) == [date(2026, 9, 1)]


def test_late_usage_of_one_does_not_bill_the_others_again(parent: Organization, child: Organization) -> None:
    third = make_organization(external_id="orga_third", parent=parent, opened_on=date(2026, 8, 1))
    for organization in (parent, child, third):
        consume(organization, quantity=100, on="2026-09-03")
    close_and_issue("2026-09")
    # the ids of the two lie around the child's
    for organization in (parent, third):
        consume(organization, quantity=50, on="2026-09-04", at=local("2026-10-20"))

    close("2026-10")

    assert usage_of(bill_of(parent, "2026-10")) == [
        "2026-09 app_orga_parent apps.S 50 0.50",
        "2026-09 app_orga_third apps.S 50 0.50",
    ]


# --- A new parent -----------------------------------------------------------------------------------------------------


def test_a_new_parent_counts_from_the_next_month_that_is_closed(
    parent: Organization, child: Organization, other: Organization
) -> None:
    for day in ("2026-10-03", "2026-11-03"):
        consume(child, quantity=100, on=day)
    close("2026-10")
    move(child, other)

    close("2026-10")  # the draft stays the old parent's
    assert [bill.fees for bill in (bill_of(parent, "2026-10"),)] == ["1.00"]
    assert outcome_of(other, "2026-10").kind == "nil"
    issue("2026-10")
    close("2026-11")

    assert outcome_of(parent, "2026-11").kind == "nil"
    assert usage_of(bill_of(other, "2026-11")) == ["2026-11 app_orga_child apps.S 100 1.00"]
    assert outcome_of(child, "2026-11").payer == other


def test_closing_one_of_the_two_parents_keeps_who_moved_where_it_is(
    parent: Organization, child: Organization, other: Organization
) -> None:
    consume(child, quantity=100, on="2026-10-03")
    close("2026-10", parent)
    move(child, other)

    close("2026-10", other)
    close("2026-10", child)

    assert bill_of(parent, "2026-10").fees == "1.00"
    assert outcome_of(other, "2026-10").kind == "nil"


def test_the_new_parent_waits_for_the_old_ones_invoice(
    parent: Organization, child: Organization, other: Organization
) -> None:
    consume(child, quantity=100, on="2026-10-03")
    close("2026-10")
    move(child, other)

    close("2026-11", other)

    assert why_blocked(other, "2026-11") == (
        "The invoice of October 2026 of orga_child is still a draft: issue it first."
    )


def test_late_usage_of_the_old_month_goes_to_the_new_parent_and_continues_its_lines(
    parent: Organization, child: Organization, other: Organization
) -> None:
    make_metered_price(code="gb", tiers=[(100, "0"), (None, "1")])
    consume(child, quantity=90, on="2026-10-03", meter="gb")
    consume(child, quantity=100, on="2026-10-03")
    close_and_issue("2026-10")
    move(child, other)
    consume(child, quantity=30, on="2026-10-04", meter="gb", at=local("2026-11-05"))

    close_and_issue("2026-11")

    # 90 + 30 = 120, of which 100 are free: 20.00, though it was the old parent who had the first 90
    assert usage_of(bill_of(other, "2026-11")) == ["2026-10 app_orga_child gb 30 20.00"]
    assert not Invoice.objects.filter(organization=parent, consumption_month=date(2026, 11, 1)).exists()
    assert broken_promises() == []


def test_late_usage_is_rated_with_the_prices_of_the_parent_of_its_month(
    parent: Organization, child: Organization, other: Organization
) -> None:
    make_metered_price(organization=parent, unit_price="0.02")
    make_metered_price(organization=other, unit_price="0.5")
    consume(child, quantity=100, on="2026-10-03")
    close_and_issue("2026-10")
    move(child, other)
    consume(child, quantity=50, on="2026-10-04", at=local("2026-11-05"))
    consume(child, quantity=10, on="2026-11-04")

    close("2026-11")

    # 150 x 0.02 less the 2.00 that are billed; 10 x 0.5
    assert usage_of(bill_of(other, "2026-11")) == [
        "2026-10 app_orga_child apps.S 50 1.00",
        "2026-11 app_orga_child apps.S 10 5.00",
    ]


def test_who_leaves_its_parent_pays_for_itself_from_the_next_month(parent: Organization, child: Organization) -> None:
    consume(child, quantity=300, on="2026-10-03")
    consume(parent, quantity=500, on="2026-10-03")
    close_and_issue("2026-10")
    move(child, None)
    child.forecast_months = 3
    child.save()
    make_billing_profile(organization=child)
    consume(child, quantity=100, on="2026-11-03")

    close("2026-11")

    bill = bill_of(child, "2026-11")
    # months on the parent's invoice are not its own: the estimate is that of one month
    assert letters_of(bill, "f") == "f -1.00"
    assert lines_of(bill) == ["provision 2026-12 1.00", "regularization 2026-11 1.00"]
    assert outcome_of(parent, "2026-11").kind == "nil"


def test_who_joins_a_parent_brings_its_credits_and_what_is_unbilled(parent: Organization, other: Organization) -> None:
    consume(other, quantity=100, on="2026-10-03")
    other.negotiated_refill_cents = 3_00
    other.save()
    add_on = make_add_on(organization=other, plan=make_plan(), started_on=date(2026, 10, 1))
    close_and_issue("2026-10")
    pay(invoice_of(other, "2026-10"))
    move(other, parent)
    consume(other, quantity=20, on="2026-10-04", at=local("2026-11-05"))
    consume(other, quantity=100, on="2026-11-03")

    close("2026-11")

    bill = bill_of(parent, "2026-11")
    # 3.00 of credits bought before pay 0.20 + 1.00; the add-on was billed until the end of November
    assert letters_of(bill, "b e") == "b 3.00 e -1.20"
    assert lines_of(bill) == ["add_on 2026-12 49.00"]
    add_on.refresh_from_db()
    assert add_on.billed_until == date(2026, 12, 1)
    assert outcome_of(other, "2026-11").kind == "on_parent"


def test_an_add_on_of_a_child_told_after_its_parents_first_close(parent: Organization) -> None:
    close_and_issue("2026-09")
    late = make_organization(external_id="orga_late", parent=parent, opened_on=date(2026, 1, 1))
    make_add_on(organization=late, plan=make_plan(), started_on=date(2026, 3, 1))

    close("2026-10")

    # October is the child's first close here: what ran before starts with the provision month
    assert lines_of(bill_of(parent, "2026-10")) == ["add_on 2026-11 49.00"]


def test_an_own_invoice_of_the_month_stays_when_it_gets_a_parent(parent: Organization, other: Organization) -> None:
    consume(other, quantity=100, on="2026-10-03")
    close("2026-10")
    move(other, parent)

    close("2026-10")
    assert bill_of(other, "2026-10").fees == "1.00"
    assert outcome_of(parent, "2026-10").kind == "nil"
    close("2026-11")
    assert why_blocked(parent, "2026-11").startswith("The invoice of October 2026 of orga_other is still a draft")
    issue("2026-10", at=local("2026-12-01 12:00"))
    close("2026-11")
    assert (outcome_of(parent, "2026-11").kind, outcome_of(other, "2026-11").kind) == ("nil", "on_parent")


def test_late_usage_of_a_closed_child_is_billed_once(parent: Organization, child: Organization) -> None:
    Organization.objects.filter(pk=child.pk).update(closed_on=date(2026, 8, 10))
    consume(child, quantity=100, on="2026-08-05")
    close_and_issue("2026-08")
    consume(child, quantity=200, on="2026-09-05")
    close_and_issue("2026-09")

    consume(child, quantity=30, on="2026-09-06")
    consume(parent, quantity=1, on="2026-10-05")
    close("2026-10")

    # September has 230 x 0.01 now, 200 x 0.01 of them on its invoice
    assert "2026-09 app_orga_child apps.S 30 0.30" in usage_of(bill_of(parent, "2026-10"))
    assert broken_promises() == []


def test_add_ons_of_a_child_end_with_it(parent: Organization, child: Organization) -> None:
    make_add_on(organization=child, plan=make_plan(monthly_cents=31_00), started_on=date(2026, 8, 1))
    close_and_issue("2026-08")
    Organization.objects.filter(pk=child.pk).update(closed_on=date(2026, 9, 15))
    consume(parent, quantity=1, on="2026-09-05")
    close("2026-09")

    # billed to the end of September already, and October is not the child's any more
    assert [line for line in lines_of(bill_of(parent, "2026-09")) if "add_on" in line] == []


def test_a_child_of_a_closed_parent_is_not_forgotten(parent: Organization, child: Organization) -> None:
    consume(child, quantity=100, on="2026-08-05")
    Organization.objects.filter(pk=parent.pk).update(closed_on=date(2026, 8, 20))
    close_and_issue("2026-08")
    consume(child, quantity=500, on="2026-09-05")

    report = close("2026-09")

    assert (report.invoices, report.nil, report.blocked) == (0, 0, 1)
    assert "give it another parent" in why_blocked(child, "2026-09")

    move(child, None)
    make_billing_profile(organization=child)
    assert close("2026-09").invoices == 1


def test_a_child_of_a_closed_parent_is_closed_by_its_own_name(parent: Organization, child: Organization) -> None:
    Organization.objects.filter(pk=parent.pk).update(closed_on=date(2026, 8, 20))
    consume(child, quantity=500, on="2026-09-05")

    report = close("2026-09", child)

    assert [blocked.external_id for blocked in report.blocked_organizations] == [child.external_id]


def test_usage_that_no_close_can_bill_is_found(parent: Organization) -> None:
    consume(parent, quantity=100, on="2026-08-05")
    Organization.objects.filter(pk=parent.pk).update(closed_on=date(2026, 8, 20))
    close_and_issue("2026-08")
    assert broken_promises() == []

    consume(parent, quantity=7, on="2026-08-06")

    assert len(broken_promises()) == 1
