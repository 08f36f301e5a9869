"""How many queries closing again takes: as many for all organizations and records as for two."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from organizations.models import Organization
from tests.builders.closing import close, consume, make_metered_price
from tests.builders.credits import make_grant
from tests.builders.organizations import make_organization
from tests.builders.usage import make_resource

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _prices() -> None:
    make_metered_price(code="apps.S")
    make_metered_price(code="apps.M", unit_price="0.02")


def test_a_refresh_of_changed_drafts_takes_as_many_queries_for_all_as_for_two() -> None:
    organizations = _organizations(2, records=1)
    close("2026-10")
    _consume(organizations, records=1)
    few = _queries_to_close("2026-10")
    organizations += _organizations(20, records=4)
    close("2026-10")
    _consume(organizations, records=3)

    many = _queries_to_close("2026-10")

    assert many == few


def test_a_dry_run_takes_as_many_queries_for_all_as_for_two() -> None:
    _organizations(2, records=1)
    few = _queries_to_close("2026-10", dry_run=True)
    _organizations(20, records=4)

    many = _queries_to_close("2026-10", dry_run=True)

    assert many == few


def _organizations(count: int, *, records: int) -> list[Organization]:
    organizations = [make_organization() for _ in range(count)]
    for organization in organizations:
        make_grant(organization=organization, type="free", amount_cents=50)
    _consume(organizations, records=records)
    return organizations


def _consume(organizations: list[Organization], *, records: int) -> None:
    for organization in organizations:
        for number in range(records):
            resource = make_resource(organization=organization)
            consume(organization, quantity=100 + number, on="2026-10-03", meter="apps.S", resource=resource)
            consume(organization, quantity=200 + number, on="2026-10-03", meter="apps.M", resource=resource)


def _queries_to_close(text: str, *, dry_run: bool = False) -> int:
    with CaptureQueriesContext(connection) as queries:
        close(text, dry_run=dry_run)
    return len(queries)
