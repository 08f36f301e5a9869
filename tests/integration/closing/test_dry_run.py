"""A dry run says what closing would do and writes nothing."""

from datetime import date
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import CloseOutcome, Invoice, MonthClose
from billing.usecases import _runs
from billing.usecases.close_month import close_month
from organizations.models import Organization
from tests.builders.closing import (
    close,
    close_and_issue,
    consume,
    local,
    make_charge,
    make_metered_price,
    month,
)
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db


@pytest.fixture
def atlas() -> Organization:
    make_metered_price()
    return make_organization(external_id="orga_atlas", name="Atlas", opened_on=date(2026, 8, 1))


def difference(organization: Organization, text: str = "2026-10") -> list[tuple[int | None, int | None]]:
    report = close(text, dry_run=True)
    return [
        (difference.before_cents, difference.after_cents)
        for difference in report.differences
        if difference.external_id == organization.external_id
    ]


def test_nothing_is_written(atlas: Organization) -> None:
    consume(atlas, quantity=100, on="2026-10-03")

    with CaptureQueriesContext(connection) as queries:
        report = close("2026-10", dry_run=True)

    assert [query["sql"] for query in queries if not query["sql"].startswith("SELECT")] == []
    assert (report.invoices, report.nil, report.blocked, report.totals["EUR"].total_cents) == (1, 0, 0, 2_40)
    assert [model.objects.count() for model in (Invoice, CloseOutcome, MonthClose)] == [0, 0, 0]


def test_it_reports_what_closing_then_reports(atlas: Organization) -> None:
    blocked = make_organization(external_id="orga_blocked", name="Blocked", with_profile=False)
    make_organization(external_id="orga_quiet")
    for organization in (atlas, blocked):
        consume(organization, quantity=100, on="2026-10-03")

    dry = close("2026-10", dry_run=True)
    real = close("2026-10")

    assert (dry.invoices, dry.nil, dry.blocked) == (real.invoices, real.nil, real.blocked) == (1, 1, 1)
    assert dry.totals == real.totals
    assert dry.blocked_organizations == real.blocked_organizations
    # and afterwards: there is nothing left to change
    again = close("2026-10", dry_run=True)
    assert (again.invoices, again.nil, again.blocked, again.differences) == (1, 1, 1, [])


def test_a_month_that_has_not_ended_may_be_looked_at(atlas: Organization) -> None:
    consume(atlas, quantity=100, on="2026-10-03")

    assert close("2026-10", dry_run=True, at=local("2026-10-15")).invoices == 1


def test_the_difference_to_the_drafts_that_exist(atlas: Organization) -> None:
    assert difference(atlas) == []  # nil, and no draft
    consume(atlas, quantity=100, on="2026-10-03")
    assert difference(atlas) == [(None, 2_40)]
    close("2026-10")
    assert difference(atlas) == []
    charge = make_charge(organization=atlas, unit_cents=1_00)
    assert difference(atlas) == [(2_40, 3_60)]  # 1.00 x 1.20 more
    charge.delete()
    atlas.billing_profile.delete()
    assert difference(atlas) == [(2_40, None)]  # blocked now


def test_issued_months_count_and_never_differ(atlas: Organization) -> None:
    consume(atlas, quantity=100, on="2026-10-03")
    close_and_issue("2026-10")
    consume(atlas, quantity=900, on="2026-10-04", at=local("2026-11-05"))

    report = close("2026-10", dry_run=True)

    assert (report.invoices, report.totals["EUR"].total_cents, report.differences) == (1, 2_40, [])


def test_some_organizations_only(atlas: Organization) -> None:
    child = make_organization(external_id="orga_child", parent=atlas)
    other = make_organization(external_id="orga_other")
    for organization in (child, other):
        consume(organization, quantity=100, on="2026-10-03")

    report = close("2026-10", child, dry_run=True)

    assert [difference.external_id for difference in report.differences] == ["orga_atlas"]


def test_batches_add_up(atlas: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_runs, "BATCH_SIZE", 2)
    for number in range(4):
        consume(make_organization(external_id=f"orga_{number}"), quantity=100, on="2026-10-03")
    progress: list[tuple[int, int]] = []

    report = close_month(
        month=month("2026-10"),
        at=local("2026-11-01"),
        dry_run=True,
        on_progress=lambda step: progress.append((step.done, step.total)),
    )

    assert (report.invoices, report.nil) == (4, 1)
    assert [difference.external_id for difference in report.differences] == [f"orga_{number}" for number in range(4)]
    assert progress == [(1, 3), (2, 3), (3, 3)]


def test_the_command_prints_each_difference(atlas: Organization) -> None:
    Organization.objects.update(opened_on=date(2025, 1, 1))
    consume(atlas, quantity=100, on="2025-10-03")
    call_command("close_month", "2025-10", stdout=StringIO())
    consume(atlas, quantity=50, on="2025-10-04")
    out = StringIO()

    call_command("close_month", "2025-10", dry_run=True, stdout=out)

    # 1.50 regularized and 1.50 provisioned, x 1.20
    assert out.getvalue().splitlines() == [
        "draft: orga_atlas Atlas: 2.40 EUR -> 3.60 EUR",
        "invoices: 1, nil: 0, blocked: 0",
        "subtotal: 3.00 EUR, VAT: 0.60 EUR, total: 3.60 EUR",
        "dry run: nothing was written, 1 drafts would change",
    ]
