"""Fiona adjusts a draft in a browser: tries a discount, gives it, takes it back, puts the draft on hold."""

from datetime import date

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from billing.models import Adjustment, Invoice
from tests.builders.closing import close, consume, make_add_on, make_charge, make_metered_price, make_plan
from tests.builders.desk import CAST, PASSWORD, make_staff
from tests.builders.organizations import make_organization

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]


@pytest.fixture
def draft() -> Invoice:
    """Atlas' October: 100.00 of usage, support, and a migration of 800.00."""
    make_metered_price()
    atlas = make_organization(external_id="orga_atlas", opened_on=date(2026, 1, 1))
    consume(atlas, quantity=10_000, on="2026-10-03")
    make_add_on(organization=atlas, plan=make_plan(), started_on=date(2026, 10, 13))
    make_charge(organization=atlas)
    close("2026-10")
    return Invoice.objects.get()


def open_invoice(page: Page, server: LiveServer, invoice: Invoice) -> None:
    make_staff("Accountant")
    page.goto(f"{server.url}/admin/")
    page.get_by_label("E-mail address").fill(CAST["Accountant"])
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.goto(f"{server.url}/admin/billing/invoice/{invoice.pk}/change/")


def test_fiona_adjusts_a_draft(page: Page, live_server: LiveServer, draft: Invoice) -> None:
    open_invoice(page, live_server, draft)
    page.get_by_role("link", name="Give a discount").click()
    dialog = page.locator("#dialog")
    dialog.get_by_label("Discount on").select_option(label="Database migration (800.00)")
    dialog.get_by_label("Percentage").fill("15")
    dialog.get_by_role("button", name="Show the effect").click()
    # 1,079.03 and VAT; less 120.00 and VAT
    expect(dialog.get_by_role("table", name="Effect")).to_contain_text("1,294.84 EUR")
    expect(dialog.get_by_role("table", name="Effect")).to_contain_text("1,150.84 EUR")
    assert not Adjustment.objects.exists()
    dialog.get_by_label("Reason").fill("Migrated a day late")
    dialog.get_by_role("button", name="Save").click()

    section = page.locator("#adjustments")
    expect(section).to_contain_text("Discount of 15 % on Database migration")
    expect(section).to_contain_text("Migrated a day late")

    page.get_by_role("link", name="Give a discount").click()
    dialog.get_by_label("Amount excl. VAT").fill("5000")
    dialog.get_by_label("Reason").fill("A typing mistake")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text(
        "at most 859.03 can be taken off here"
    )  # 1,079.03 - 100.00 - 120.00
    dialog.get_by_role("button", name="Cancel").click()

    section.get_by_role("link", name="Undo").click()
    dialog.get_by_role("button", name="Undo").click()
    expect(section).to_contain_text("undone")

    page.get_by_role("link", name="Put on hold").click()
    dialog.get_by_label("Reason").fill("Waiting for the customer's answer")
    dialog.get_by_role("button", name="Put on hold").click()
    expect(page.get_by_text("On hold, not to be issued: Waiting for the customer's answer")).to_be_visible()
