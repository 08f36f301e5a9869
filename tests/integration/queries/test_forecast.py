"""What has been consumed so far and the next invoice: the same figures as the close, before the month is over."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.domain.assembly import Blocked, Draft, Nil
from billing.queries.forecast import Forecast, load_forecast
from organizations.models import Organization
from tests.builders.closing import (
    bill_of,
    close,
    close_and_issue,
    consume,
    everything_stored,
    invoice_of,
    local,
    make_add_on,
    make_charge,
    make_metered_price,
    make_plan,
    month,
)
from tests.builders.credits import make_grant
from tests.builders.organizations import make_organization
from tests.builders.usage import make_resource

pytestmark = pytest.mark.django_db

MIDDLE = local("2026-10-16")
"""Of October: 15 of its 31 days (745 hours) are over."""


@pytest.fixture(autouse=True)
def _price() -> None:
    make_metered_price(unit_price="0.01")


def forecast_of(organization: Organization, at: str = "2026-10-16") -> Forecast:
    forecast = load_forecast(organization, at=local(at))
    assert forecast is not None
    return forecast


def test_so_far_and_the_whole_month() -> None:
    atlas = make_organization()
    consume(atlas, quantity=36_000, on="2026-10-06", until="2026-10-16")  # 3,600 a day

    forecast = forecast_of(atlas)

    assert forecast.so_far.gross_cents == 360_00
    # 36,000 + 3,600 a day * 385 h / 24 h (the clocks go back on the 25th) = 93,750
    assert forecast.expected.gross_cents == 937_50
    assert isinstance(forecast.invoice, Draft)
    assert forecast.invoice.fees_cents == 937_50
    assert forecast.open_month is None


def test_what_was_stopped_does_not_go_on() -> None:
    atlas = make_organization()
    consume(atlas, quantity=1_000, on="2026-10-02", until="2026-10-05")
    other = make_resource(organization=atlas)
    consume(atlas, quantity=700, on="2026-10-09", until="2026-10-16", resource=other)

    forecast = forecast_of(atlas)

    added = {line.resource_id: line.amount_cents for line in forecast.expected.lines}
    assert added.pop(other.pk) > 7_00
    assert list(added.values()) == [10_00]


def test_what_is_counted_once_is_not_extrapolated() -> None:
    make_metered_price(code="git.seats", unit="User", unit_price="2")
    atlas = make_organization()
    consume(atlas, quantity=5, on="2026-10-12", until="2026-10-12", meter="git.seats")

    assert forecast_of(atlas).expected.gross_cents == 10_00


def test_once_the_month_is_over_the_forecast_is_the_close() -> None:
    """Credits, late usage, add-ons, charges, discount, sub-organization: the draft has the same figures."""
    atlas = make_organization(consumption_discount_ppm=50_000, opened_on=date(2026, 9, 1))
    labs = make_organization(name="Atlas Labs", parent=atlas, opened_on=date(2026, 9, 1))
    consume(atlas, quantity=1_000, on="2026-09-05")
    close_and_issue("2026-09")
    consume(labs, quantity=500, on="2026-09-06", at=local("2026-10-10"))
    consume(atlas, quantity=20_000, on="2026-10-05", until="2026-10-30")
    consume(labs, quantity=10_000, on="2026-10-06", until="2026-11-01")
    make_grant(organization=labs, type="free", amount_cents=25_00, expires_on=date(2026, 10, 31))
    make_add_on(organization=labs, plan=make_plan())
    make_charge(organization=atlas)
    last = load_forecast(atlas, at=month("2026-10").end - timedelta(seconds=1))
    close("2026-10")

    assert last is not None
    invoice, bill = last.invoice, bill_of(atlas, "2026-10")
    assert isinstance(invoice, Draft)
    assert bill.statement is not None
    assert f"{invoice.fees_cents / 100:.2f}" == bill.fees
    assert f"{invoice.total_cents / 100:.2f}" == bill.total
    assert [line.kind for line in invoice.lines] == [line.kind for line in bill.lines]


def test_the_invoice_of_the_month_before_is_reckoned_with_before_it_is_issued() -> None:
    atlas = make_organization()
    make_grant(organization=atlas, amount_cents=100_00)
    make_add_on(organization=atlas, plan=make_plan())
    consume(atlas, quantity=6_000, on="2026-10-05")
    consume(atlas, quantity=1_000, on="2026-11-03", until="2026-11-03 01:00")
    close("2026-10")
    before = forecast_of(atlas, "2026-11-20")
    close_and_issue("2026-10")

    after = forecast_of(atlas, "2026-11-20")

    assert before.open_month == date(2026, 10, 1)
    assert after.open_month is None
    assert isinstance(before.invoice, Draft)
    assert isinstance(after.invoice, Draft)
    assert before.invoice.statement == after.invoice.statement
    assert before.invoice.lines == after.invoice.lines
    assert before.invoice.total_cents == after.invoice.total_cents


def test_two_months_that_are_not_issued_are_one_too_many() -> None:
    atlas = make_organization()
    consume(atlas, quantity=6_000, on="2026-09-05")
    consume(atlas, quantity=6_000, on="2026-10-05")
    consume(atlas, quantity=1_000, on="2026-11-03")
    close("2026-09")
    close("2026-10")

    forecast = forecast_of(atlas, "2026-11-20")

    assert isinstance(forecast.invoice, Blocked)
    assert forecast.invoice.reason.code == "previous_month_draft"
    assert forecast.so_far.gross_cents == 10_00


def test_a_missing_price_is_told() -> None:
    make_metered_price(code="apps.M", valid_from=local("2026-12-01"))
    atlas = make_organization()
    consume(atlas, quantity=1, on="2026-10-05", meter="apps.M")

    forecast = forecast_of(atlas)

    assert isinstance(forecast.invoice, Blocked)
    assert forecast.so_far.obstacle is not None
    assert forecast.so_far.obstacle.code == "no_price"


def test_nothing_so_far() -> None:
    forecast = forecast_of(make_organization())

    assert isinstance(forecast.invoice, Nil)
    assert (forecast.so_far.gross_cents, forecast.expected.gross_cents) == (0, 0)


def test_who_gets_no_invoice_of_its_own_has_no_forecast() -> None:
    atlas = make_organization()
    labs = make_organization(name="Atlas Labs", parent=atlas)
    closed = make_organization(name="Boreal", closed_on=date(2026, 9, 30))

    assert load_forecast(labs, at=MIDDLE) is None
    assert load_forecast(closed, at=MIDDLE) is None


def test_only_ones_own_usage_counts() -> None:
    atlas, boreal = make_organization(), make_organization(name="Boreal")
    consume(boreal, quantity=1_000, on="2026-10-06")

    assert forecast_of(atlas).so_far.lines == ()
    assert forecast_of(boreal).so_far.gross_cents == 10_00


def test_nothing_is_written() -> None:
    atlas = make_organization()
    make_grant(organization=atlas, type="free", amount_cents=5_00, expires_on=date(2026, 10, 31))
    consume(atlas, quantity=1_000, on="2026-10-06")
    close("2026-10")
    consume(atlas, quantity=1_000, on="2026-11-06")
    stored = everything_stored()

    with CaptureQueriesContext(connection) as captured:
        forecast_of(atlas, "2026-11-20")

    assert everything_stored() == stored
    assert not [query for query in captured if "FOR UPDATE" in query["sql"]]
    assert invoice_of(atlas, "2026-10").document_state == "draft"


def test_as_many_queries_for_200_resources_as_for_2() -> None:
    counts = []
    for resources in (2, 200):
        atlas = make_organization()
        labs = make_organization(name="Labs", parent=atlas)
        for organization in (atlas, labs):
            make_grant(organization=organization)
            for _ in range(resources // 2):
                consume(organization, quantity=10, on="2026-10-06", resource=make_resource(organization=organization))
        with CaptureQueriesContext(connection) as captured:
            forecast_of(atlas)
        counts.append(len(captured))

    assert counts[0] == counts[1]
