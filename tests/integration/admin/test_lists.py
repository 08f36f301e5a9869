"""Every list of the desk: opens, finds, filters, and costs the same number of queries however long it is."""

from collections.abc import Callable
from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.models import AddOn, AddOnPlan, AddOnPlanPrice, Charge, Coupon
from organizations.models import Membership, User
from tests.builders.credits import make_grant
from tests.builders.desk import desk
from tests.builders.invoices import make_invoice, make_outcome
from tests.builders.organizations import make_organization
from tests.builders.payments import make_payment
from tests.builders.usage import make_meter, make_price, make_resource, make_usage_record

pytestmark = pytest.mark.django_db

LISTS = [
    "billing_invoice",
    "billing_monthclose",
    "billing_closeoutcome",
    "billing_charge",
    "billing_payment",
    "organizations_organization",
    "billing_resource",
    "billing_usagerecord",
    "billing_addon",
    "billing_meter",
    "billing_price",
    "billing_addonplan",
    "billing_creditgrant",
    "billing_creditentry",
    "billing_coupon",
    "billing_couponuse",
    "billing_legalentity",
    "billing_taxrate",
    "billing_numberseries",
    "organizations_user",
    "auth_group",
    "admin_logentry",
    "auditlog_logentry",
    "mfa_authenticator",
]
NOT_FOR_VIEWERS = {"organizations_user", "auth_group", "admin_logentry", "auditlog_logentry", "mfa_authenticator"}


@pytest.fixture
def root() -> Client:
    """Somebody who sees every list."""
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.com"))
    return client


def fill(serial: int) -> None:
    """Store one row of everything, each of an organization of its own."""
    organization = make_organization(name=f"Atlas {serial}", external_id=f"orga_{serial}")
    make_organization(name=f"Atlas {serial} Labs", parent=organization, external_id=f"orga_{serial}_labs")
    make_invoice(organization=organization, status="paid", fees_cents=5_000)
    blocked = make_organization(name=f"Blocked {serial}")
    make_outcome(organization=blocked, kind="blocked", reason_code="amount_too_large")
    resource = make_resource(organization=organization)
    meter = make_meter(code=f"meter.{serial}")
    make_price(meter=meter, organization=organization)
    make_usage_record(resource=resource, meter=meter)
    Charge.objects.create(
        reference=f"MIG-{serial}",
        organization=organization,
        type="one_shot",
        description="Database migration",
        quantity_micro=1_000_000,
        unit_price_micro=800_000_000,
        date=date(2026, 10, 20),
    )
    plan = AddOnPlan.objects.create(code=f"plan-{serial}", name="Support")
    AddOnPlanPrice.objects.create(plan=plan, monthly_price_cents=4_900)
    AddOn.objects.create(
        external_id=f"addon_{serial}", organization=organization, plan=plan, name="S", started_on=date(2026, 9, 12)
    )
    grant = make_grant(organization=organization, type="free", reference=f"TRIAL-{serial}")
    coupon = Coupon.objects.create(name=f"WELCOME{serial}", amount_cents=2_000)
    coupon.uses.create(organization=organization, grant=grant, used_at=grant.created_at)
    make_payment(organization=organization, reference=f"TRANSFER-{serial}")
    user = User.objects.create_user(f"user{serial}@example.com")
    Membership.objects.create(organization=organization, user=user, role="admin")


def address(name: str) -> str:
    return reverse(f"admin:{name}_changelist")


def count_queries(call: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as queries:
        call()
    return len(queries)


@pytest.mark.parametrize("name", LISTS)
def test_a_list_opens_when_there_is_nothing_and_says_what_to_do(root: Client, name: str) -> None:
    response = root.get(address(name))
    assert response.status_code == 200


@pytest.mark.parametrize("name", LISTS)
def test_a_list_costs_the_same_number_of_queries_however_long_it_is(root: Client, name: str) -> None:
    fill(0)
    root.get(address(name))
    few = count_queries(lambda: root.get(address(name)))
    for serial in range(1, 5):
        fill(serial)
    assert count_queries(lambda: root.get(address(name))) == few


@pytest.mark.parametrize("name", [name for name in LISTS if name not in NOT_FOR_VIEWERS])
def test_a_viewer_sees_every_list_of_finance_and_no_button_to_add(name: str) -> None:
    fill(0)
    response = desk("Viewer").get(address(name))
    assert response.status_code == 200
    assert "addlink" not in response.content.decode()


@pytest.mark.parametrize("name", sorted(NOT_FOR_VIEWERS))
def test_people_and_the_audit_trail_are_the_auditors(name: str) -> None:
    assert desk("Auditor").get(address(name)).status_code == 200
    assert desk("Viewer").get(address(name)).status_code == 403


@pytest.mark.parametrize(
    ("name", "term", "found"),
    [
        ("billing_invoice", "atlas 3", 1),  # the beginning of the name, whatever its case
        ("billing_invoice", "orga_3", 1),  # and of the identifier
        ("billing_invoice", "F20261101-000003", 1),
        ("billing_invoice", "3", 1),  # the counter of a number
        ("billing_invoice", "nobody", 0),
        ("billing_closeoutcome", "blocked 2", 1),
        ("billing_charge", "MIG-2", 1),
        ("billing_charge", "atlas 2", 1),
        ("billing_payment", "TRANSFER-2", 1),
        ("billing_usagerecord", "orga_1", 2),  # the builder of the invoice stores a record as well
        ("billing_addon", "addon_4", 1),
        ("billing_creditgrant", "TRIAL-1", 1),
        ("billing_meter", "ETER.2", 1),
        ("billing_price", "meter.2", 1),
        ("billing_coupon", "WELCOME2", 1),
        ("organizations_organization", "ORGA_2", 2),  # it and its sub-organization
        ("organizations_organization", "2 labs", 1),  # nothing begins so: a part of the name
        ("organizations_user", "user1@", 1),
    ],
)
def test_search_finds(root: Client, name: str, term: str, found: int) -> None:
    for serial in range(1, 5):
        fill(serial)
    response = root.get(address(name), {"q": term})
    assert response.context["cl"].result_count == found


def test_a_list_of_no_match_offers_to_show_everything(root: Client) -> None:
    fill(1)
    page = root.get(address("billing_invoice"), {"q": "nobody"}).content.decode()
    assert "Nothing found" in page
    assert "Show all" in page


def test_months_lead_to_the_invoices_of_a_month(root: Client) -> None:
    organization = make_organization()
    make_invoice(organization=organization, status="paid", month=date(2026, 9, 1))
    make_invoice(organization=organization, month=date(2026, 10, 1))

    response = root.get(address("billing_invoice"), {"consumption_month__year": 2026, "consumption_month__month": 9})

    assert response.context["cl"].result_count == 1
    page = root.get(address("billing_invoice")).content.decode()
    assert "consumption_month__month=9&amp;consumption_month__year=2026" in page


def test_months_are_listed_without_reading_the_rows(root: Client) -> None:
    for serial in range(3):
        fill(serial)
    with CaptureQueriesContext(connection) as queries:
        root.get(address("billing_usagerecord"))
    # Django's own date hierarchy would select the distinct months of all records.
    assert not [query for query in queries if "DISTINCT" in query["sql"]]


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({"status": "draft"}, 1),
        ({"status": "pending"}, 2),
        ({"status": "overdue"}, 1),
        ({"status": "paid"}, 1),
        ({"status": ""}, 4),
    ],
)
def test_invoices_are_filtered_by_the_status_people_speak_of(
    root: Client, parameters: dict[str, str], found: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("billing.admin.invoices.timezone.localdate", lambda: date(2026, 11, 22))
    make_invoice(fees_cents=100)
    make_invoice(fees_cents=100, status="pending")  # issued on 1 November, due on 1 December
    make_invoice(fees_cents=100, status="pending", issue_date=date(2026, 10, 1))  # due on 31 October
    make_invoice(fees_cents=100, status="paid")

    response = root.get(address("billing_invoice"), parameters)

    assert response.context["cl"].result_count == found


def test_figures_are_decimals_with_their_currency(root: Client) -> None:
    make_invoice(fees_cents=123_456, refill_cents=0)  # 1,234.56 and 20 % VAT: 1,481.47
    page = root.get(address("billing_invoice")).content.decode()
    assert "1,481.47 <span" in page
    assert "EUR" in page
