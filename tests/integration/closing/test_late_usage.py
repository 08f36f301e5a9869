"""Usage that arrives after its month was settled: billed once, at the prices of its month, on the next invoice.

Usage of apps.S costs 0.01 a second unless a test says otherwise.
"""

from datetime import date
from typing import Any

import pytest

from billing.domain.money import parse_cents
from billing.models import Price, UsageMonth
from billing.queries.reasons import reason_sentence
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
    make_charge,
    make_metered_price,
    outcome_of,
    usage_of,
)
from tests.builders.credits import make_grant
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db

NOVEMBER_5 = local("2026-11-05")


@pytest.fixture
def price() -> Price:
    return make_metered_price()


@pytest.fixture
def atlas(price: Price) -> Organization:
    return make_organization(
        external_id="orga_atlas", name="Atlas", opened_on=date(2026, 8, 1), negotiated_refill_cents=0
    )


def test_late_usage_is_billed_next_month_on_lines_that_name_its_month(atlas: Organization) -> None:
    consume(atlas, quantity=1000, on="2026-10-03")
    close_and_issue("2026-10")
    consume(atlas, quantity=250, on="2026-10-20", at=NOVEMBER_5)
    consume(atlas, quantity=400, on="2026-11-20")

    close_and_issue("2026-11")

    bill = bill_of(atlas, "2026-11")
    assert usage_of(bill) == ["2026-10 app_orga_atlas apps.S 250 2.50", "2026-11 app_orga_atlas apps.S 400 4.00"]
    assert lines_of(bill) == ["regularization 2026-10 2.50", "regularization 2026-11 4.00"]
    # it counts in U = 2.50 + 4.00, but not in the estimate
    assert (bill.fees, letters_of(bill, "f")) == ("6.50", "f -4.00")
    assert broken_promises() == []


def test_late_usage_is_billed_once(atlas: Organization) -> None:
    consume(atlas, quantity=1000, on="2026-09-03")
    close_and_issue("2026-09")
    consume(atlas, quantity=250, on="2026-09-20", at=NOVEMBER_5)
    consume(atlas, quantity=100, on="2026-10-20")
    close_and_issue("2026-10")
    consume(atlas, quantity=100, on="2026-11-20")

    close_and_issue("2026-11")

    assert usage_of(bill_of(atlas, "2026-11")) == ["2026-11 app_orga_atlas apps.S 100 1.00"]
    assert not UsageMonth.objects.filter(unbilled=True).exists()


def test_what_arrives_between_close_and_issue_is_in_time(atlas: Organization) -> None:
    consume(atlas, quantity=1000, on="2026-10-03")
    close("2026-10")
    consume(atlas, quantity=250, on="2026-10-20", at=local("2026-11-01 08:00"))

    issue("2026-10")

    assert usage_of(bill_of(atlas, "2026-10")) == ["2026-10 app_orga_atlas apps.S 1250 12.50"]
    assert bill_of(atlas, "2026-10").fees == "12.50"


def test_a_draft_is_refreshed_with_late_usage_of_the_month_before(atlas: Organization) -> None:
    consume(atlas, quantity=1000, on="2026-10-03")
    close_and_issue("2026-10")
    consume(atlas, quantity=400, on="2026-11-20")
    close("2026-11")
    consume(atlas, quantity=250, on="2026-10-20", at=local("2026-12-01 08:00"))

    close("2026-11")
    close("2026-11")

    assert bill_of(atlas, "2026-11").fees == "6.50"  # 4.00 + 2.50


def test_late_usage_is_rated_with_the_prices_of_its_month(atlas: Organization) -> None:
    consume(atlas, quantity=100, on="2026-10-03")
    close_and_issue("2026-10")
    make_metered_price(unit_price="5", valid_from=local("2026-11-01"))
    consume(atlas, quantity=100, on="2026-10-31 23:00", at=NOVEMBER_5)
    consume(atlas, quantity=100, on="2026-11-01", at=NOVEMBER_5)

    close("2026-11")

    # 100 x 0.01, and 100 x 5
    assert [line.amount for line in bill_of(atlas, "2026-11").usage] == ["1.00", "500.00"]


def test_credits_pay_late_months_first_oldest_first(atlas: Organization) -> None:
    for closed in ("2026-08", "2026-09", "2026-10"):
        close_and_issue(closed)
    consume(atlas, quantity=300, on="2026-10-20", at=NOVEMBER_5)
    consume(atlas, quantity=200, on="2026-08-20", at=NOVEMBER_5)
    consume(atlas, quantity=400, on="2026-11-20")
    make_grant(organization=atlas, type="free", amount_cents=3_50)

    close("2026-11")

    # 3.50 pays the 2.00 of August and 1.50 of October's 3.00; November's 4.00 is left
    assert lines_of(bill_of(atlas, "2026-11")) == ["regularization 2026-10 1.50", "regularization 2026-11 4.00"]


def test_usage_older_than_the_first_close_ever_is_late_on_the_first_invoice(atlas: Organization) -> None:
    consume(atlas, quantity=200, on="2026-08-20")
    consume(atlas, quantity=100, on="2025-12-20")  # before it opened, even
    consume(atlas, quantity=400, on="2026-10-20")

    close_and_issue("2026-10")

    bill = bill_of(atlas, "2026-10")
    assert lines_of(bill) == [
        "regularization 2025-12 1.00",
        "regularization 2026-08 2.00",
        "regularization 2026-10 4.00",
    ]
    assert letters_of(bill, "f") == "f -4.00"


def test_a_record_over_three_months_that_is_late_for_two(atlas: Organization) -> None:
    close_and_issue("2026-09")
    close_and_issue("2026-10")
    # 24 h on September 30th, 745 h of October, 24 h on November 1st: 793 h at 100 a piece
    consume(atlas, quantity=79_300, on="2026-09-30", until="2026-11-02", at=NOVEMBER_5)

    close("2026-11")

    assert lines_of(bill_of(atlas, "2026-11")) == [
        "regularization 2026-09 24.00",
        "regularization 2026-10 745.00",
        "regularization 2026-11 24.00",
    ]


def test_late_usage_that_costs_nothing_is_printed_and_settled(atlas: Organization) -> None:
    make_metered_price(code="requests", unit="request", tiers=[(1000, "0"), (None, "1")])
    consume(atlas, quantity=300, on="2026-10-03", meter="requests")
    consume(atlas, quantity=100, on="2026-10-03")
    close_and_issue("2026-10")
    consume(atlas, quantity=500, on="2026-10-20", meter="requests", at=NOVEMBER_5)
    consume(atlas, quantity=100, on="2026-11-03")

    close_and_issue("2026-11")

    assert usage_of(bill_of(atlas, "2026-11")) == [
        "2026-11 app_orga_atlas apps.S 100 1.00",
        "2026-10 app_orga_atlas requests 500 0.00",
    ]
    assert lines_of(bill_of(atlas, "2026-11")) == ["regularization 2026-11 1.00"]

    consume(atlas, quantity=201, on="2026-10-21", meter="requests", at=local("2026-12-05"))
    close("2026-12")
    # 300 + 500 + 201 = 1001, of which 1000 are free
    assert usage_of(bill_of(atlas, "2026-12")) == ["2026-10 app_orga_atlas requests 201 1.00"]


def test_a_late_quantity_of_zero_is_printed_once(atlas: Organization) -> None:
    consume(atlas, quantity=100, on="2026-10-03")
    make_metered_price(code="requests", unit="request")
    close_and_issue("2026-10")
    consume(atlas, quantity=0, on="2026-10-20", meter="requests", at=NOVEMBER_5)
    consume(atlas, quantity=100, on="2026-11-03")
    close_and_issue("2026-11")
    consume(atlas, quantity=100, on="2026-10-03", at=local("2026-12-05"))
    close("2026-12")

    assert "2026-10 app_orga_atlas requests 0 0.00" in usage_of(bill_of(atlas, "2026-11"))
    assert usage_of(bill_of(atlas, "2026-12")) == ["2026-10 app_orga_atlas apps.S 100 1.00"]


@pytest.mark.parametrize("arrivals", [[[37, 26, 41]], [[37], [26], [41]], [[], [0, 37], [26, 41]]])
@pytest.mark.parametrize(
    ("price", "cost"),
    [
        # 104 units in all
        ({"unit_price": "0.005"}, 52),  # 0.52; three times rounded it would be 0.19 + 0.13 + 0.21 = 0.53
        ({"tiers": [(50, "0"), (100, "0.5"), (None, "0.1")]}, 25_40),  # 50 x 0.5 + 4 x 0.1
        ({"package": 25, "per_quantity": 25, "unit_price": "3"}, 15_00),  # 5 packages of 25, not 2 + 2 + 2
        ({"tiers": [(40, "1"), (None, "2")], "mode": "volume"}, 208_00),  # 104 x 2
    ],
    ids=["half a cent", "graduated", "packages", "volume"],
)
def test_a_month_costs_what_it_would_have_cost_in_time(
    atlas: Organization, price: dict[str, Any], cost: int, arrivals: list[list[int]]
) -> None:
    make_metered_price(code="gb", unit="GB", **price)
    billed_cents = quantity = 0

    for closed, arriving in zip(["2026-09", "2026-10", "2026-11"], arrivals, strict=False):
        for units in arriving:
            consume(atlas, quantity=units, on="2026-09-10", meter="gb", at=local(f"{closed}-28"))
        make_charge(organization=atlas, day=date.fromisoformat(f"{closed}-01"), unit_cents=1_00)
        close_and_issue(closed)
        for line in bill_of(atlas, closed).usage:
            billed_cents += parse_cents(line.amount)
            quantity += int(line.quantity or 0)

    assert (billed_cents, quantity) == (cost, 104)


def test_volume_tiers_that_lower_the_month_are_kept_aside_with_a_sentence(atlas: Organization) -> None:
    make_metered_price(code="gb", unit="GB", mode="volume", tiers=[(100, "1"), (None, "0.5")])
    consume(atlas, quantity=90, on="2026-10-03", meter="gb")
    close_and_issue("2026-10")
    consume(atlas, quantity=20, on="2026-10-20", meter="gb", at=NOVEMBER_5)
    consume(atlas, quantity=100, on="2026-11-03")

    close_and_issue("2026-11")

    # 90 x 1.00 were billed; 110 x 0.50 = 55.00 is 35.00 less: never a negative line
    assert lines_of(bill_of(atlas, "2026-11")) == ["regularization 2026-11 1.00"]
    (note,) = invoice_of(atlas, "2026-11").review_notes
    assert reason_sentence(note["code"], note["values"]) == (
        "Late usage of meter gb lowers what October 2026 costs by 35.00: it is not on this invoice, the difference is "
        "to be given back."
    )
    assert UsageMonth.objects.get(month=date(2026, 10, 1)).unbilled

    # more of it makes the month dearer again: 200 x 0.5 - 90.00 = 10.00
    consume(atlas, quantity=90, on="2026-10-21", meter="gb", at=local("2026-12-05"))
    close_and_issue("2026-12")
    assert usage_of(bill_of(atlas, "2026-12")) == ["2026-10 app_orga_atlas gb 110 10.00"]
    assert not UsageMonth.objects.filter(unbilled=True).exists()


def test_the_discount_is_that_of_the_whole_consumption(atlas: Organization) -> None:
    atlas.consumption_discount_ppm = 105_000  # 10.5 %
    atlas.negotiated_refill_cents = None
    atlas.save()
    consume(atlas, quantity=100, on="2026-10-03")
    close_and_issue("2026-10")
    consume(atlas, quantity=333, on="2026-10-20", at=NOVEMBER_5)
    consume(atlas, quantity=333, on="2026-11-03")
    make_grant(organization=atlas, amount_cents=1_00)

    close("2026-11")

    bill = bill_of(atlas, "2026-11")
    # 10.5 % of 3.33 + 3.33 = 6.66 is 0.6993 -> 0.70; each by itself 0.34965 -> 0.35
    assert usage_of(bill)[-1] == "2026-11 discount -0.70"
    # f is November's own: 3.33 - 0.35 = 2.98
    assert (bill.fees, letters_of(bill, "f")) == ("5.96", "f -2.98")
    # net by month: 3.33 - 0.35 = 2.98 each; 1.00 of credits pays October first
    assert lines_of(bill)[-2:] == ["regularization 2026-10 1.98", "regularization 2026-11 2.98"]


def test_a_discount_changed_meanwhile_is_that_of_the_invoice(atlas: Organization) -> None:
    consume(atlas, quantity=100, on="2026-10-03")
    close_and_issue("2026-10")
    atlas.consumption_discount_ppm = 500_000
    atlas.save()
    consume(atlas, quantity=300, on="2026-10-20", at=NOVEMBER_5)

    close("2026-11")

    assert bill_of(atlas, "2026-11").fees == "1.50"  # 3.00 less half
    assert outcome_of(atlas, "2026-11").own_consumption_cents == 0


def test_a_price_that_begins_within_a_late_month_is_continued_too(atlas: Organization) -> None:
    make_metered_price(unit_price="0.04", valid_from=local("2026-10-11"))
    consume(atlas, quantity=1000, on="2026-10-10 18:00", until="2026-10-11 12:00")
    close_and_issue("2026-10")
    consume(atlas, quantity=1000, on="2026-10-10 18:00", until="2026-10-11 12:00", at=NOVEMBER_5)

    close("2026-11")

    # 2 x 333.333333 x 0.01 = 6.67 less 3.33 = 3.34; 2 x 666.666667 x 0.04 = 53.33 less 26.67 = 26.66
    assert usage_of(bill_of(atlas, "2026-11")) == [
        "2026-10 app_orga_atlas apps.S 333.333333 3.34",
        "2026-10 app_orga_atlas apps.S 666.666667 26.66",
    ]
