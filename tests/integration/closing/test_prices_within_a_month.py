"""Which price prices what: changes within a month, negotiated prices, packages, bounds per hour, DST.

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
    local,
    make_metered_price,
    usage_of,
)
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db


@pytest.fixture
def price() -> Price:
    return make_metered_price()


@pytest.fixture
def atlas(price: Price) -> Organization:
    return make_organization(external_id="orga_atlas", name="Atlas", opened_on=date(2026, 8, 1))


def test_a_record_that_crosses_a_price_change_is_split_there(atlas: Organization) -> None:
    make_metered_price(unit_price="0.04", valid_from=local("2026-10-11"))
    consume(atlas, quantity=1000, on="2026-10-10 18:00", until="2026-10-11 12:00")

    close("2026-10")

    # 18 h, 6 h of them before midnight: 1000 x 6/18 = 333.333333 x 0.01 = 3.33; 666.666667 x 0.04 = 26.67
    assert usage_of(bill_of(atlas, "2026-10")) == [
        "2026-10 app_orga_atlas apps.S 333.333333 3.33",
        "2026-10 app_orga_atlas apps.S 666.666667 26.67",
    ]
    assert [line.price_valid_from for line in bill_of(atlas, "2026-10").usage] == [None, date(2026, 10, 11)]


def test_each_price_version_has_its_own_line_and_tiers(atlas: Organization) -> None:
    make_metered_price(code="gb", unit="GB", tiers=[(100, "0"), (None, "1.00")], valid_to=local("2026-10-16"))
    make_metered_price(code="gb", unit="GB", tiers=[(100, "0"), (None, "2.00")], valid_from=local("2026-10-16"))
    for day in ("2026-10-02", "2026-10-15", "2026-10-16", "2026-10-31"):
        consume(atlas, quantity=60, on=day, meter="gb")

    close("2026-10")

    # before: 120 - 100 free = 20 x 1.00; after: 20 x 2.00
    assert [line.amount for line in bill_of(atlas, "2026-10").usage] == ["20.00", "40.00"]


def test_price_changes_of_others_split_nothing(atlas: Organization) -> None:
    other = make_organization(external_id="orga_other")
    make_metered_price(organization=other, unit_price="0.5", valid_from=local("2026-10-05"))
    make_metered_price(code="gb", unit_price="1", valid_to=local("2026-10-11"))
    make_metered_price(code="gb", unit_price="2", valid_from=local("2026-10-20 08:00"))
    consume(atlas, quantity="1000.000001", on="2026-10-01", until="2026-10-31")
    consume(other, quantity=10, on="2026-10-05")

    close("2026-10")

    assert usage_of(bill_of(atlas, "2026-10")) == ["2026-10 app_orga_atlas apps.S 1000.000001 10.00"]
    assert bill_of(other, "2026-10").fees == "5.00"  # 10 x 0.5


def test_a_negotiated_price_wins_over_the_catalogue(atlas: Organization) -> None:
    make_metered_price(zone="par", unit_price="0.03")
    make_metered_price(organization=atlas, unit_price="0.005", valid_from=local("2026-10-11"))
    consume(atlas, quantity=100, on="2026-10-10")
    consume(atlas, quantity=100, on="2026-10-12")

    close("2026-10")

    # 100 x 0.03 before it was negotiated, 100 x 0.005 after, though the catalogue has a price for that very zone
    assert sorted(line.amount for line in bill_of(atlas, "2026-10").usage) == ["0.50", "3.00"]


def test_packages_are_rounded_up_over_the_month(atlas: Organization) -> None:
    make_metered_price(code="users", unit="User", per_quantity=10, package=10, unit_price="5.00")
    consume(atlas, quantity=4, on="2026-10-03", meter="users")
    consume(atlas, quantity=7, on="2026-10-20", meter="users")

    close("2026-10")

    # 11 users -> 2 packages x 5.00
    assert usage_of(bill_of(atlas, "2026-10")) == ["2026-10 app_orga_atlas users 11 10.00"]


@pytest.mark.parametrize(
    ("closed", "amount"),
    [
        # 100000 GB-hours, of which 100 GB x hours of the month are free, then 0.01 each
        ("2026-03", "257.00"),  # 743 h: (100000 - 74300) x 0.01
        ("2026-04", "280.00"),  # 720 h: (100000 - 72000) x 0.01
        ("2026-10", "255.00"),  # 745 h: (100000 - 74500) x 0.01
    ],
)
def test_bounds_per_hour_follow_the_real_length_of_the_month(atlas: Organization, closed: str, amount: str) -> None:
    atlas.opened_on = date(2026, 1, 1)
    atlas.save()
    make_metered_price(code="storage", unit="GB-hour", tiers=[(100, "0"), (None, "0.01")], bounds_per_hour=True)
    consume(atlas, quantity=100_000, on=f"{closed}-03", meter="storage")

    close(closed)

    assert bill_of(atlas, closed).fees == amount


def test_a_record_over_the_end_of_a_dst_month_is_split_by_real_time(atlas: Organization) -> None:
    atlas.opened_on = date(2026, 1, 1)
    atlas.save()
    # 2026-03-29 00:00 to 2026-04-01 01:00 in Paris: 23 + 24 + 24 = 71 h in March (one is skipped), 1 h in April
    consume(atlas, quantity=7200, on="2026-03-29", until="2026-04-01 01:00")

    close_and_issue("2026-03")
    close("2026-04")

    assert usage_of(bill_of(atlas, "2026-03")) == ["2026-03 app_orga_atlas apps.S 7100 71.00"]
    assert usage_of(bill_of(atlas, "2026-04")) == ["2026-04 app_orga_atlas apps.S 100 1.00"]
