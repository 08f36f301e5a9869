"""What adjustments cost a close: one query for a batch, whether there are none or many."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.domain.quantities import MICRO
from billing.models import Adjustment
from billing.usecases.adjust_invoice import AddedLine, Discount
from organizations.models import Organization
from tests.builders.adjusting import adjust
from tests.builders.closing import close, consume, make_metered_price
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db


def queries_to_close() -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        close("2026-10")
    return [query["sql"] for query in queries]


def make_drafts(count: int) -> list[Organization]:
    organizations = [make_organization() for _ in range(count)]
    for organization in organizations:
        consume(organization, quantity=100, on="2026-10-03")
    close("2026-10")
    return organizations


def test_a_refresh_takes_as_many_queries_with_adjustments_as_without() -> None:
    make_metered_price()
    organizations = make_drafts(6)
    without = queries_to_close()
    for organization in organizations:
        adjust(organization, AddedLine("Setup", MICRO, 50_000_000))
        adjust(organization, Discount(percent_ppm=100_000))

    adjusted = queries_to_close()

    assert len(adjusted) == len(without)
    assert sum(Adjustment._meta.db_table in sql for sql in adjusted) == 1
