"""The first page of the desk: the last closes, totals, who is blocked and why, who moved, what is owed."""

import re
from datetime import date

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.models import Invoice
from billing.queries.dashboard import load_dashboard
from organizations.models import Organization, User
from tests.builders.desk import desk
from tests.builders.invoices import make_invoice, make_outcome
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db

SEPTEMBER, OCTOBER = date(2026, 9, 1), date(2026, 10, 1)
TODAY = date(2026, 11, 22)


def page(client: Client) -> str:
    response = client.get(reverse("admin:index"))
    assert response.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def billed(name: str, before: int | None, now: int | None) -> Organization:
    """An organization with these fees (and no refill) in September, issued, and October, a draft."""
    organization = make_organization(name=name)
    if before is not None:
        make_invoice(organization=organization, month=SEPTEMBER, fees_cents=before, refill_cents=0, status="pending")
    if now is not None:
        make_invoice(organization=organization, fees_cents=now, refill_cents=0)
    return organization


def test_without_any_close_it_says_how_to_begin() -> None:
    text = page(desk())
    assert "No month is closed yet." in text
    assert "manage.py close_month YYYY-MM" in text


def test_totals_stand_beside_those_of_the_month_before() -> None:
    billed("Atlas", 10_000, 15_000)
    billed("Boreal", None, 5_000)

    (comparison,) = load_dashboard(today=TODAY).comparisons

    # 20 % VAT: (150.00 + 50.00) x 1.2 against 100.00 x 1.2
    assert (comparison.now.total_cents, comparison.before.total_cents) == (24_000, 12_000)
    assert (comparison.now.invoices, comparison.now.drafts, comparison.before.drafts) == (2, 2, 0)
    assert (comparison.change_cents, comparison.change_ppm) == (12_000, 1_000_000)


def test_each_currency_has_totals_of_its_own() -> None:
    make_invoice(fees_cents=100, refill_cents=0)
    make_invoice(organization=make_organization(currency="CHF"), fees_cents=100, refill_cents=0)
    assert [comparison.currency for comparison in load_dashboard(today=TODAY).comparisons] == ["CHF", "EUR"]


def test_the_draft_of_an_organization_that_is_blocked_since_does_not_count() -> None:
    stale = make_invoice(fees_cents=10_000)
    stale.outcomes.update(kind="blocked", reason_code="amount_too_large", invoice=None)
    make_invoice(fees_cents=100, refill_cents=0)

    (comparison,) = load_dashboard(today=TODAY).comparisons

    assert comparison.now.total_cents == 120


def test_outcomes_of_the_last_closes_are_counted() -> None:
    parent = billed("Atlas", 100, 100)
    sub = make_organization(name="Labs", parent=parent)
    make_outcome(organization=sub, payer=parent, kind="on_parent")
    make_outcome(organization=make_organization(), kind="nil", reason_code="no_activity")
    make_outcome(organization=make_organization(), kind="blocked", reason_code="amount_too_large")

    october, september = load_dashboard(today=TODAY).closes

    assert october.counts == {"invoice": 1, "on_parent": 1, "nil": 1, "blocked": 1}
    assert september.counts == {"invoice": 1}


def test_blocked_organizations_are_named_with_what_to_do() -> None:
    organization = make_organization(name="Poisoned")
    outcome = make_outcome(organization=organization, kind="blocked", reason_code="incomplete_billing_profile")
    outcome.reason_values = {"missing": "address, city"}
    outcome.save()

    text = page(desk())

    assert "Poisoned" in text
    assert "The billing profile lacks: address, city. Complete it, then close the month again." in text


def test_top_movers_are_the_largest_changes_in_either_direction() -> None:
    steady = billed("Steady", 10_000, 10_000)
    grown, fallen = billed("Grown", 10_000, 40_000), billed("Fallen", 50_000, 30_000)
    new, gone = billed("New", None, 1_000), billed("Gone", 5_000, None)

    movers = load_dashboard(today=TODAY).movers

    # With VAT: +360.00, -240.00, -60.00, +12.00
    assert [(mover.organization, mover.change_cents) for mover in movers] == [
        (grown, 36_000),
        (fallen, -24_000),
        (gone, -6_000),
        (new, 1_200),
    ]
    assert steady not in [mover.organization for mover in movers]


def test_what_is_owed_and_what_of_it_is_overdue() -> None:
    late = make_invoice(month=SEPTEMBER, fees_cents=10_000, refill_cents=0, status="pending")  # due on 31 October
    Invoice.objects.filter(pk=late.pk).update(paid_cents=2_000)  # 120.00 - 20.00
    make_invoice(fees_cents=5_000, refill_cents=0, status="pending")  # due on 1 December
    make_invoice(fees_cents=7_000, refill_cents=0, status="paid")

    dashboard = load_dashboard(today=TODAY)

    (unpaid,) = dashboard.unpaid
    assert (unpaid.invoices, unpaid.due_cents) == (2, 16_000)
    assert (unpaid.overdue_invoices, unpaid.overdue_cents) == (1, 10_000)
    assert dashboard.overdue == [late]


def test_it_costs_the_same_number_of_queries_however_many_there_are() -> None:
    client = desk()

    def add(number: int) -> None:
        for serial in range(number):
            billed(f"Atlas {serial}", 100, 200 + serial)
            make_outcome(organization=make_organization(), kind="blocked", reason_code="amount_too_large")

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(reverse("admin:index"))
        return len(captured)

    add(1)
    queries()
    few = queries()
    add(12)
    assert queries() == few


def test_staff_who_may_not_see_invoices_get_the_list_of_what_they_may_see() -> None:
    intern = User.objects.create_user("intern@example.com", is_staff=True)
    intern.user_permissions.add(Permission.objects.get(codename="view_meter"))
    billed("Secret", 10_000, 20_000)
    client = Client()
    client.force_login(intern)

    text = page(client)

    assert "Secret" not in text
    assert "Meters" in text
    assert "Top movers" not in text


@pytest.mark.parametrize(
    ("role", "seen", "unseen"),
    [
        ("Viewer", ["Invoices", "Prices", "VAT rates"], ["Users", "Groups", "Audit trail"]),
        ("Auditor", ["Invoices", "Users", "Audit trail"], []),
    ],
)
def test_the_sidebar_shows_what_a_person_may_see(role: str, seen: list[str], unseen: list[str]) -> None:
    navigation = desk(role).get(reverse("admin:index")).context["sidebar_navigation"]
    titles = {str(item["title"]) for group in navigation for item in group["items"]}
    assert titles.issuperset(seen)
    assert not titles.intersection(unseen)


def test_the_search_box_leads_to_invoices_and_organizations() -> None:
    invoice = make_invoice(organization=make_organization(name="Atlas"), status="pending")
    client = desk("Viewer")

    by_name = client.get(reverse("admin:search"), {"s": "atl"}).content.decode()
    by_number = client.get(reverse("admin:search"), {"s": str(invoice.number)}).content.decode()

    assert reverse("admin:organizations_organization_change", args=[invoice.organization_id]) in by_name
    assert reverse("admin:billing_invoice_change", args=[invoice.pk]) in by_number


def test_the_search_box_finds_nothing_that_a_person_may_not_see() -> None:
    make_invoice(organization=make_organization(name="Secret"))
    intern = User.objects.create_user("intern@example.com", is_staff=True)
    client = Client()
    client.force_login(intern)
    assert "Secret" not in client.get(reverse("admin:search"), {"s": "secret"}).content.decode()
