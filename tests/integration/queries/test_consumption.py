"""Consumption by resource and by sub-organization; each month is the sum of its series."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.queries.consumption import LARGEST, Charts, load_charts
from billing.queries.forecast import load_forecast
from organizations.models import Organization
from tests.builders.closing import close, close_and_issue, consume, local, make_metered_price, month
from tests.builders.organizations import make_organization
from tests.builders.usage import make_resource

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _price() -> None:
    make_metered_price(unit_price="0.01")


def charts_of(organization: Organization, at: str = "2026-11-20") -> Charts:
    forecast = load_forecast(organization, at=local(at))
    assert forecast is not None
    return load_charts(organization, forecast.month, (*forecast.open_lines, *forecast.so_far.lines))


def test_by_resource_and_organization_with_the_month_so_far() -> None:
    atlas = make_organization()
    labs = make_organization(name="Atlas Labs", parent=atlas)
    api = make_resource(organization=atlas, name="api")
    lab = make_resource(organization=labs, name="lab")
    boreal = make_organization(name="Boreal")
    for text, quantity in (("2026-09", 1_000), ("2026-10", 2_000), ("2026-11", 500)):
        consume(atlas, quantity=quantity, on=f"{text}-05", resource=api)
        consume(labs, quantity=100, on=f"{text}-06", resource=lab)
        consume(boreal, quantity=77_700, on=f"{text}-06")
        if text != "2026-11":
            close_and_issue(text)

    charts = charts_of(atlas)

    assert charts.by_resource.months == [date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1)]
    assert [(each.name, each.owner, each.cents) for each in charts.by_resource.series] == [
        ("api", "", (10_00, 20_00, 5_00)),
        ("lab", "Atlas Labs", (1_00, 1_00, 1_00)),
    ]
    assert charts.by_organization is not None
    assert [(each.name, each.total_cents) for each in charts.by_organization.series] == [
        ("Atlas", 35_00),
        ("Atlas Labs", 3_00),
    ]
    assert charts.by_organization.totals_cents == charts.by_resource.totals_cents == [11_00, 21_00, 6_00]


def test_the_largest_by_name_and_the_others_together() -> None:
    atlas = make_organization()
    for number in range(1, LARGEST + 4):
        resource = make_resource(organization=atlas, name=f"app-{number}")
        consume(atlas, quantity=100 * number, on="2026-10-05", resource=resource)
    close_and_issue("2026-10")

    series = charts_of(atlas).by_resource.series

    assert [each.name for each in series] == [*(f"app-{number}" for number in range(LARGEST + 3, 3, -1)), ""]
    assert series[-1].cents == (1_00 + 2_00 + 3_00, 0)


def test_late_usage_belongs_to_its_own_month() -> None:
    atlas = make_organization()
    consume(atlas, quantity=1_000, on="2026-09-05")
    close_and_issue("2026-09")
    consume(atlas, quantity=200, on="2026-09-06", at=local("2026-10-10"))
    consume(atlas, quantity=300, on="2026-10-06")
    close_and_issue("2026-10")

    assert charts_of(atlas).by_resource.totals_cents == [12_00, 3_00, 0]


def test_a_month_that_is_not_issued_yet_is_there_too() -> None:
    atlas = make_organization()
    consume(atlas, quantity=1_000, on="2026-09-05")
    close_and_issue("2026-09")
    consume(atlas, quantity=300, on="2026-10-06")
    consume(atlas, quantity=50, on="2026-11-06")
    close("2026-10")

    assert charts_of(atlas).by_resource.totals_cents == [10_00, 3_00, 50]


def test_nothing_yet() -> None:
    charts = charts_of(make_organization())

    assert charts.by_organization is None
    assert charts.by_resource.series == []


def test_as_many_queries_for_200_resources_as_for_2() -> None:
    counts = []
    for resources in (2, 200):
        atlas = make_organization()
        labs = make_organization(name="Labs", parent=atlas)
        for organization in (atlas, labs):
            for _ in range(resources // 2):
                consume(organization, quantity=10, on="2026-10-06", resource=make_resource(organization=organization))
        close_and_issue("2026-10")
        with CaptureQueriesContext(connection) as captured:
            load_charts(atlas, month("2026-11"), [])
        counts.append(len(captured))

    assert counts[0] == counts[1] == 7
