"""Late usage that makes a settled month cheaper: what credits covered goes back to them, the rest is credited.

A GB costs 1.00 up to 100 of them in a month, 0.50 each beyond: 90 GB cost 90.00, 110 GB only 55.00.
"""

from datetime import date

import pytest

from billing.models import ApprovalPolicy, CreditEntry, CreditGrant, UsageCorrection, UsageMonth
from billing.usecases._permissions import NotAllowed
from billing.usecases.adjust_invoice import Discount
from billing.usecases.cancel_invoice import cancel_invoice
from billing.usecases.return_lowered_usage import (
    GivenBack,
    InvalidEInvoice,
    NeedsApproval,
    NothingToGiveBack,
    return_lowered_usage,
)
from organizations.models import BillingProfile, Organization, User
from tests.builders.adjusting import adjust
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
    make_metered_price,
    pay,
    remaining_of,
    usage_of,
)
from tests.builders.credits import make_grant
from tests.builders.desk import make_staff
from tests.builders.money import credit, stands
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db

NOVEMBER_5 = local("2026-11-05")
DECEMBER_20 = local("2026-12-20 10:00")


def make_atlas(*, discount_ppm: int = 0, closed_on: date | None = None) -> Organization:
    make_metered_price()
    make_metered_price(code="gb", unit="GB", mode="volume", tiers=[(100, "1"), (None, "0.5")])
    return make_organization(
        external_id="orga_atlas",
        name="Atlas",
        opened_on=date(2026, 8, 1),
        forecast_months=0,
        consumption_discount_ppm=discount_ppm,
        closed_on=closed_on,
    )


def store(organization: Organization, gigabytes: int, *, late: bool = False) -> None:
    """Store some more of October."""
    at = NOVEMBER_5 if late else None
    consume(organization, quantity=gigabytes, on="2026-10-03", meter="gb", at=at)


def give_back(organization: Organization, *, actor: User | None = None) -> GivenBack:
    [given] = return_lowered_usage(organization_id=organization.pk, reason="Late measures", actor=actor, at=DECEMBER_20)
    return given


def is_unbilled() -> bool:
    return UsageMonth.objects.filter(unbilled=True).exists()


def test_what_was_billed_becomes_a_credit_note() -> None:
    atlas = make_atlas()
    store(atlas, 90)
    close_and_issue("2026-10")
    store(atlas, 20, late=True)

    given = give_back(atlas)

    # 90.00 were billed, 110 GB cost 55.00
    [note] = given.credit_notes
    assert (note.refers_to, note.subtotal_cents, note.total_cents) == (invoice_of(atlas, "2026-10"), 3_500, 4_200)
    assert [line.kind for line in note.lines.all()] == ["regularization"]
    assert (given.returned_cents, given.given_before_cents) == (0, 0)
    assert not is_unbilled()
    assert not broken_promises()


def test_what_credits_covered_goes_back_to_the_same_grants_the_last_used_first() -> None:
    atlas = make_atlas()
    first = make_grant(organization=atlas, type="free", amount_cents=5_000, priority=1)
    second = make_grant(organization=atlas, type="free", amount_cents=3_000, priority=2)
    store(atlas, 90)
    close_and_issue("2026-10")  # 50.00 + 30.00 of credits, 10.00 regularized
    store(atlas, 20, late=True)

    given = give_back(atlas)

    # 35.00 less: the 10.00 that were billed, then 25.00 to the second grant
    assert [note.subtotal_cents for note in given.credit_notes] == [1_000]
    assert given.returned_cents == 2_500
    assert (remaining_of(first), remaining_of(second)) == (0, 2_500)
    assert not broken_promises()


def test_the_next_statement_begins_with_what_came_back() -> None:
    atlas = make_atlas()
    make_grant(organization=atlas, type="free", amount_cents=9_000)
    store(atlas, 90)
    close_and_issue("2026-10")
    store(atlas, 20, late=True)
    give_back(atlas)
    consume(atlas, quantity=1_000, on="2026-11-03")

    close_and_issue("2026-11")

    bill = bill_of(atlas, "2026-11")
    assert letters_of(bill, "a c") == "a 35.00 c -10.00"
    assert usage_of(bill) == ["2026-11 app_orga_atlas apps.S 1000 10.00"]
    assert bill.statement is not None
    assert not broken_promises()


def test_credits_that_wait_for_payment_again_stay_pending() -> None:
    atlas = make_atlas()
    atlas.forecast_months = 1
    atlas.save()
    consume(atlas, quantity=9_000, on="2026-09-03")
    close_and_issue("2026-09")
    pay(invoice_of(atlas, "2026-09"))
    store(atlas, 90)
    close_and_issue("2026-10")  # all of the 90.00 that September provided
    store(atlas, 20, late=True)

    give_back(atlas)

    assert CreditGrant.objects.get(sold_by=invoice_of(atlas, "2026-09")).remaining_cents == 3_500
    assert not broken_promises()


def test_the_discount_is_part_of_it() -> None:
    atlas = make_atlas(discount_ppm=105_000)  # 10.5 %
    store(atlas, 90)
    close_and_issue("2026-10")
    store(atlas, 20, late=True)

    [note] = give_back(atlas).credit_notes

    # 90.00 - 9.45 = 80.55 were billed; 55.00 - 5.78 (5.775) = 49.22
    assert note.subtotal_cents == 8_055 - 4_922
    assert not broken_promises()


def test_usage_that_arrives_later_still_is_rated_on_top() -> None:
    atlas = make_atlas()
    store(atlas, 90)
    close_and_issue("2026-10")
    store(atlas, 20, late=True)
    give_back(atlas)
    store(atlas, 50, late=True)

    close_and_issue("2026-11")

    # 160 GB cost 80.00; 55.00 are settled
    assert lines_of(bill_of(atlas, "2026-11")) == ["regularization 2026-10 25.00"]
    assert usage_of(bill_of(atlas, "2026-11")) == ["2026-10 app_orga_atlas gb 50 25.00"]
    assert not is_unbilled()
    assert not broken_promises()


def test_cheaper_again_after_late_usage_was_billed_both_invoices_give_back() -> None:
    atlas = make_atlas()
    store(atlas, 60)
    close_and_issue("2026-10")
    store(atlas, 20, late=True)
    close_and_issue("2026-11")  # 20.00 more
    store(atlas, 21, late=True)

    given = give_back(atlas)

    # 101 GB cost 50.50; 80.00 were billed: 20.00 go back of November's invoice, 9.50 of October's
    assert [(note.refers_to, note.subtotal_cents) for note in given.credit_notes] == [
        (invoice_of(atlas, "2026-11"), 2_000),
        (invoice_of(atlas, "2026-10"), 950),
    ]
    assert UsageCorrection.objects.count() == 2
    assert not broken_promises()


def test_other_late_usage_of_the_month_waits_for_the_next_invoice() -> None:
    atlas = make_atlas()
    store(atlas, 90)
    close_and_issue("2026-10")
    store(atlas, 20, late=True)
    consume(atlas, quantity=700, on="2026-10-20", at=NOVEMBER_5)

    give_back(atlas)

    assert is_unbilled()
    close_and_issue("2026-11")
    assert usage_of(bill_of(atlas, "2026-11")) == ["2026-10 app_orga_atlas apps.S 700 7.00"]
    assert not is_unbilled()
    assert not broken_promises()


def test_a_credit_note_by_hand_has_given_back_a_part_before() -> None:
    atlas = make_atlas()
    store(atlas, 90)
    close_and_issue("2026-10")
    credit(invoice_of(atlas, "2026-10"), {"regularization": 7_000})
    store(atlas, 20, late=True)

    given = give_back(atlas)

    assert [note.subtotal_cents for note in given.credit_notes] == [2_000]
    assert given.given_before_cents == 1_500
    assert not broken_promises()


def test_never_more_than_a_discount_on_the_invoice_has_left() -> None:
    atlas = make_atlas()
    store(atlas, 90)
    close("2026-10")
    adjust(atlas, Discount("", amount_cents=7_000))
    issue("2026-10")
    store(atlas, 20, late=True)

    given = give_back(atlas)

    # 90.00 - 70.00 were billed, so that 20.00 of the 35.00 are there to give back
    assert [note.subtotal_cents for note in given.credit_notes] == [2_000]
    assert given.given_before_cents == 1_500
    assert not is_unbilled()
    assert not broken_promises()


def test_of_a_paid_invoice_the_money_is_unallocated() -> None:
    atlas = make_atlas()
    store(atlas, 90)
    close_and_issue("2026-10")
    pay(invoice_of(atlas, "2026-10"))
    store(atlas, 20, late=True)

    give_back(atlas)

    assert stands(invoice_of(atlas, "2026-10")) == ("paid", 6_600)  # 108.00 - 42.00
    assert not broken_promises()


def test_cancelled_later_the_month_is_billed_at_what_it_costs() -> None:
    atlas = make_atlas()
    make_grant(organization=atlas, type="free", amount_cents=6_000)
    store(atlas, 90)
    close_and_issue("2026-10")
    store(atlas, 20, late=True)
    give_back(atlas)

    cancel_invoice(invoice_id=invoice_of(atlas, "2026-10").pk, reason="Wrong address", actor=None, at=DECEMBER_20)
    assert not broken_promises()
    close("2026-10", at=DECEMBER_20)
    issue("2026-10", at=DECEMBER_20)

    october = invoice_of(atlas, "2026-10")
    assert (october.statement.fees_cents, october.statement.used_free_cents) == (5_500, -5_500)
    assert not is_unbilled()
    assert not broken_promises()


def test_after_the_account_was_closed() -> None:
    atlas = make_atlas()
    store(atlas, 90)
    Organization.objects.update(closed_on=date(2026, 10, 31))
    close_and_issue("2026-10")
    store(atlas, 20, late=True)

    assert [note.subtotal_cents for note in give_back(atlas).credit_notes] == [3_500]
    assert not broken_promises()


def test_refuses_what_cannot_be() -> None:
    atlas = make_atlas()
    with pytest.raises(NothingToGiveBack, match="No month"):
        give_back(atlas)
    store(atlas, 90)
    close_and_issue("2026-10")
    with pytest.raises(NothingToGiveBack, match="lowers no month"):
        give_back(atlas)
    store(atlas, 20, late=True)
    with pytest.raises(NotAllowed):
        give_back(atlas, actor=make_staff("Accountant"))
    BillingProfile.objects.update(requires_e_invoice=True)
    with pytest.raises(InvalidEInvoice, match=r"prepare one of 35\.00 on the regularization .* has been checked"):
        give_back(atlas)
    ApprovalPolicy.objects.update(credit_note_cents=100)
    with pytest.raises(NeedsApproval, match=r"prepare one of 35\.00 on the regularization"):
        give_back(atlas, actor=make_staff("Billing manager"))

    assert not CreditEntry.objects.exists()
    assert not UsageCorrection.objects.exists()
    assert is_unbilled()


def test_twice_gives_back_once() -> None:
    atlas = make_atlas()
    store(atlas, 90)
    close_and_issue("2026-10")
    store(atlas, 20, late=True)
    give_back(atlas)

    with pytest.raises(NothingToGiveBack):
        give_back(atlas)
