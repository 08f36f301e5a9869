"""What finance does at the desk, in a browser."""

from datetime import date

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from billing.domain.quantities import MICRO
from billing.models import Price, UsageDetail
from organizations.models import Organization
from tests.builders.credits import make_grant
from tests.builders.desk import CAST, PASSWORD, make_staff
from tests.builders.invoices import make_invoice, make_outcome
from tests.builders.organizations import make_organization
from tests.builders.usage import make_meter, make_price, make_resource, make_usage_record

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]


@pytest.fixture
def atlas() -> Organization:
    """An organization with a paid month, a draft with usage, and a neighbour that is blocked."""
    organization = make_organization(name="Atlas")
    make_grant(organization=organization, amount_cents=1_000)
    make_invoice(organization=organization, month=date(2026, 9, 1), fees_cents=5_000, status="paid")
    resource = make_resource(organization=organization)
    tiers = ((10, "0"), (1_000, "0.09"), (None, "0.07"))
    price = make_price(meter=make_meter(code="cellar.outbound", unit="GB"), tiers=tiers)
    invoice = make_invoice(organization=organization, fees_cents=10_933)
    invoice.usage_details.all().delete()
    for _ in range(2):
        make_usage_record(resource=resource, meter=price.meter, quantity_micro=644_500_000)
    UsageDetail.objects.create(
        invoice=invoice,
        month=invoice.consumption_month,
        organization=organization,
        resource=resource,
        resource_name=resource.name,
        meter=price.meter,
        zone="par",
        price=price,
        quantity_micro=1_289 * MICRO,
        amount_cents=10_933,  # 10 free, 990 x 0.09, 289 x 0.07
    )
    make_outcome(organization=make_organization(name="Poisoned"), kind="blocked", reason_code="amount_too_large")
    return organization


def sign_in(page: Page, server: LiveServer, role: str) -> None:
    make_staff(role)
    page.goto(f"{server.url}/admin/")
    page.get_by_label("E-mail address").fill(CAST[role])
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()


def test_fiona_explains_an_amount_down_to_the_usage_records(
    page: Page, live_server: LiveServer, atlas: Organization
) -> None:
    sign_in(page, live_server, "Accountant")
    expect(page.get_by_text("The quantities or amounts are too large to be true")).to_be_visible()
    page.get_by_role("link", name="Atlas").first.click()
    page.get_by_role("link", name="October 2026").first.click()

    expect(page.get_by_role("heading", name="No number yet")).to_be_visible()
    expect(page.locator("#statement")).to_contain_text("−(A + c + d + e + f + g)")
    page.get_by_text("3 tiers, EUR per GB").click()
    expect(page.get_by_text("× 0.07 per GB")).to_be_visible()
    page.get_by_role("link", name="1,289 GB").click()

    expect(page.get_by_text("2 records of cellar.outbound: 1,289 GB")).to_be_visible()


def test_clara_adds_a_new_version_of_a_price(page: Page, live_server: LiveServer, atlas: Organization) -> None:
    old = Price.objects.get(meter__code="cellar.outbound")
    sign_in(page, live_server, "Controller")
    page.goto(f"{live_server.url}/admin/billing/price/{old.pk}/change/")
    page.get_by_role("link", name="Add a new version").click()

    page.get_by_label("Valid from").fill("2027-01-01")
    page.locator("#id_tiers-2-unit_price").fill("0.06")
    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.get_by_text("was added successfully")).to_be_visible()
    new = Price.objects.filter(meter=old.meter).exclude(pk=old.pk).get()
    assert [str(tier) for tier in new.tiers.all()] == ["0", "0.09", "0.06"]
    old.refresh_from_db()
    assert old.valid_to == new.valid_from


@pytest.mark.long
def test_a_refused_price_says_why_beside_what_was_typed(page: Page, live_server: LiveServer) -> None:
    make_meter(code="gpu.h100")
    sign_in(page, live_server, "Controller")
    page.goto(f"{live_server.url}/admin/billing/price/add/")
    page.locator(".field-meter .select2, #id_meter + .select2").first.click()
    page.locator(".select2-search__field").fill("gpu")
    page.get_by_role("option", name="gpu.h100").click()
    page.get_by_label("Quantity of the unit price").fill("3600")
    page.locator("#id_tiers-0-up_to_micro").fill("100")
    page.locator("#id_tiers-0-unit_price").fill("0.00229166666666667")
    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.get_by_text("The last tier must be open")).to_be_visible()
    expect(page.locator("#id_tiers-0-unit_price")).to_have_value("0.00229166666666667")
    assert not Price.objects.exists()


@pytest.mark.parametrize("width", [360, pytest.param(1440, marks=pytest.mark.long)])
@pytest.mark.parametrize("path", ["", "billing/invoice/", "organizations/organization/"])
def test_no_page_is_wider_than_the_screen(
    page: Page, live_server: LiveServer, atlas: Organization, width: int, path: str
) -> None:
    sign_in(page, live_server, "Billing manager")
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{live_server.url}/admin/{path}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.long
def test_a_phone_reads_the_whole_invoice(page: Page, live_server: LiveServer, atlas: Organization) -> None:
    sign_in(page, live_server, "Viewer")
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto(f"{live_server.url}/admin/billing/invoice/{atlas.invoices.latest('consumption_month').pk}/change/")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    expect(page.locator("#usage")).to_contain_text("109.33")


def test_somebody_reads_the_desk_in_french(chromium: Browser, live_server: LiveServer, atlas: Organization) -> None:
    context = chromium.new_context(locale="fr-FR", timezone_id="Europe/Paris")
    page = context.new_page()
    make_staff("Viewer")
    page.goto(f"{live_server.url}/admin/billing/invoice/")
    page.locator("input[name=login]").fill(CAST["Viewer"])
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Se connecter").click()
    expect(page.get_by_role("heading", name="Factures")).to_be_visible()
    expect(page.get_by_text("octobre 2026").first).to_be_visible()
    context.close()
