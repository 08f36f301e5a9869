"""What the next month is expected to cost, what is sold for it, and discounts on consumption.

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
    make_metered_price,
    outcome_of,
    usage_of,
)
from tests.builders.credits import make_grant
from tests.builders.organizations import make_organization
from tests.builders.usage import make_resource

pytestmark = pytest.mark.django_db


@pytest.fixture
def price() -> Price:
    return make_metered_price()


@pytest.fixture
def atlas(price: Price) -> Organization:
    return make_organization(external_id="orga_atlas", name="Atlas", opened_on=date(2026, 8, 1))


@pytest.mark.parametrize(
    ("months", "estimate"),
    [
        (0, "0.00"),
        (1, "-4.00"),
        (2, "-3.50"),  # (4.00 + 3.00) / 2
        (3, "-2.33"),  # (4.00 + 3.00 + 0.00) / 3 = 2.333
        (4, "-2.00"),  # (4.00 + 3.00 + 0.00 + 1.00) / 4
        (12, "-2.00"),  # as many as there are
    ],
)
def test_the_estimate_is_the_mean_of_the_last_months(atlas: Organization, months: int, estimate: str) -> None:
    atlas.forecast_months = months
    atlas.opened_on = date(2026, 7, 20)
    atlas.save()
    for day, quantity in [("2026-07-25", 100), ("2026-09-03", 300), ("2026-10-03", 400)]:
        consume(atlas, quantity=quantity, on=day)
    for closed in ("2026-07", "2026-08", "2026-09"):
        close_and_issue(closed)

    close("2026-10")

    assert letters_of(bill_of(atlas, "2026-10"), "f") == f"f {estimate}"


def test_an_estimate_over_more_months_than_there_can_be_stops_nobody(atlas: Organization) -> None:
    atlas.forecast_months = 32_767
    atlas.save()
    consume(atlas, quantity=100, on="2026-09-03")
    consume(atlas, quantity=300, on="2026-10-03")
    close_and_issue("2026-09")

    close("2026-10")

    assert letters_of(bill_of(atlas, "2026-10"), "f") == "f -2.00"


def test_an_estimate_does_not_depend_on_how_far_others_look_back(atlas: Organization) -> None:
    """Months on the invoice of a parent are not its own: of the last three, only one is."""
    atlas.forecast_months = 3
    atlas.save()
    parent = make_organization(external_id="orga_parent", opened_on=date(2026, 8, 1))
    make_organization(external_id="orga_far", opened_on=date(2026, 8, 1), forecast_months=12)
    consume(atlas, quantity=1000, on="2026-08-03")
    close_and_issue("2026-08")
    Organization.objects.filter(pk=atlas.pk).update(parent=parent)
    for closed in ("2026-09", "2026-10"):
        close_and_issue(closed)
    Organization.objects.filter(pk=atlas.pk).update(parent=None)
    consume(atlas, quantity=400, on="2026-11-03")

    close("2026-11")

    assert letters_of(bill_of(atlas, "2026-11"), "f") == "f -4.00"


def test_the_estimate_is_rounded_half_away_from_zero(atlas: Organization) -> None:
    atlas.forecast_months = 2
    atlas.save()
    consume(atlas, quantity=101, on="2026-09-03")
    consume(atlas, quantity=102, on="2026-10-03")
    close_and_issue("2026-09")
    close("2026-10")

    # (1.01 + 1.02) / 2 = 1.015
    assert letters_of(bill_of(atlas, "2026-10"), "f") == "f -1.02"


def test_a_negotiated_refill_is_sold_in_quiet_months_too(atlas: Organization) -> None:
    atlas.negotiated_refill_cents = 500_00
    atlas.save()

    close_and_issue("2026-09")
    close_and_issue("2026-10")

    assert lines_of(bill_of(atlas, "2026-09")) == ["provision 2026-10 500.00"]
    assert lines_of(bill_of(atlas, "2026-10")) == ["provision 2026-11 500.00"]
    assert letters_of(bill_of(atlas, "2026-10"), "f g h") == "f 0.00 g 500.00 h 500.00"


def test_a_negotiated_refill_of_nothing_sells_nothing(atlas: Organization) -> None:
    atlas.negotiated_refill_cents = 0
    atlas.save()
    consume(atlas, quantity=100, on="2026-10-03")

    close("2026-10")

    assert letters_of(bill_of(atlas, "2026-10"), "f h") == "f -1.00 h 0.00"


def test_a_refill_that_would_be_negative_is_none_and_the_excess_stays(atlas: Organization) -> None:
    make_grant(organization=atlas, amount_cents=1000_00)
    consume(atlas, quantity=100, on="2026-10-03")

    close_and_issue("2026-10")

    bill = bill_of(atlas, "2026-10")
    # 1000.00 - 1.00 is far more than the estimate of 1.00: h = max(0, -(1000 - 1 - 1)) = 0
    assert letters_of(bill, "b e f h B") == "b 1000.00 e -1.00 f -1.00 h 0.00 B 999.00"
    assert (bill.total, bill.status, bill.amount_due) == ("0.00", "paid", "0.00")
    assert [(tax.base, tax.vat) for tax in bill.tax] == [("0.00", "0.00")]


def test_the_discount_is_one_entry_and_credits_pay_the_net(atlas: Organization) -> None:
    atlas.consumption_discount_ppm = 150_000  # 15 %
    atlas.save()
    make_grant(organization=atlas, type="free", amount_cents=50)
    for name in ("web", "api", "jobs"):
        resource = make_resource(organization=atlas, external_id=f"app_{name}", name=name)
        consume(atlas, quantity=103, on="2026-10-03", resource=resource)

    close("2026-10")

    bill = bill_of(atlas, "2026-10")
    # 3 x 1.03 = 3.09; x 15 % = 0.4635 -> 0.46 (three times 0.1545 -> 0.15 would make 0.45)
    assert usage_of(bill)[-1] == "2026-10 discount -0.46"
    # U = 3.09 - 0.46 = 2.63; less 0.50 free = 2.13
    assert (bill.fees, bill.regularization) == ("2.63", "2.13")
    assert letters_of(bill, "f") == "f -2.63"


def test_a_discount_of_everything_leaves_nothing_to_bill(atlas: Organization) -> None:
    atlas.consumption_discount_ppm = 1_000_000
    atlas.save()
    consume(atlas, quantity=100, on="2026-10-03")

    close("2026-10")

    assert (outcome_of(atlas, "2026-10").kind, outcome_of(atlas, "2026-10").reason_code) == ("nil", "nothing_due")
