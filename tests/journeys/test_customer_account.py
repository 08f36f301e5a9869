"""Alice sees to her organization's account: consumption, a coupon, the credits it gave, details, a new colleague."""

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from billing.models import Coupon
from organizations.models import BillingProfile, Membership, Organization
from tests.builders.closing import consume, make_metered_price
from tests.builders.customers import make_member
from tests.builders.desk import PASSWORD
from tests.builders.organizations import make_organization

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]


@pytest.fixture
def atlas() -> Organization:
    """Atlas with usage of yesterday, or of today on the first of a month, and a coupon to use."""
    make_metered_price()
    atlas = make_organization(name="Atlas")
    make_member("alice", atlas)
    now = timezone.now()
    started = timezone.localtime(now - timedelta(hours=3))
    consume(atlas, quantity=10_000, on=f"{started:%Y-%m-%d %H:00}", at=now)
    Coupon.objects.create(name="WELCOME", amount_cents=20_00, currency="EUR")
    return atlas


def sign_in(page: Page, server: LiveServer) -> None:
    page.goto(f"{server.url}/")
    page.get_by_label("E-mail address").fill("alice@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def open_tab(page: Page, name: str) -> None:
    """Open a page; it must fit a phone, and be usable with a screen reader."""
    page.get_by_role("navigation", name="Pages of the organization").get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("innerWidth")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("width", [pytest.param(1440, marks=pytest.mark.long), 360])
def test_alice_sees_to_the_account(page: Page, live_server: LiveServer, atlas: Organization, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    sign_in(page, live_server)

    open_tab(page, "Consumption")
    expect(page.get_by_role("img", name="Consumption by resource")).to_be_visible()
    page.get_by_text("As a table").first.click()
    expect(page.get_by_role("rowheader", name="atlas").first).to_be_visible()

    open_tab(page, "Coupons")
    page.get_by_label("Coupon code").fill("WELCOME")
    page.get_by_role("button", name="Use this coupon").click()
    expect(page.get_by_role("status")).to_contain_text("20.00 EUR of free credits are yours.")

    open_tab(page, "Credits")
    expect(page.get_by_text("Coupon WELCOME gave you €20.00 of free credits.")).to_be_visible()

    open_tab(page, "Billing details")
    page.get_by_label("City").fill("Metz")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").first).to_contain_text("invoices that are not issued yet")
    assert BillingProfile.objects.get().city == "Metz"

    open_tab(page, "Members")
    page.get_by_label("E-mail address").fill("bob@example.com")
    page.get_by_label("Role", exact=True).select_option(label="Accountant")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("row", name="bob@example.com").get_by_role("cell").first).to_have_text("Accountant")
    assert Membership.objects.get(user__email="bob@example.com").role == "accountant"
