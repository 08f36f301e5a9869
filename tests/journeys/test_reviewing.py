"""A draft that is conspicuous and dear: Fiona acknowledges it, Clara approves it, in a browser."""

from datetime import date

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from billing.models import ApprovalPolicy, Invoice, ReviewThresholds
from tests.builders.closing import close, close_and_issue, consume, invoice_of, issue, make_metered_price
from tests.builders.organizations import make_organization
from tests.journeys.test_finance_desk import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]


@pytest.fixture
def draft() -> Invoice:
    """300.00 after 100.00, with a total above the limit of the approval policy."""
    make_metered_price()
    atlas = make_organization(external_id="orga_atlas", name="Atlas", opened_on=date(2026, 8, 1))
    ReviewThresholds.objects.create(
        organization=atlas, least_change_cents=0, block_jump_percent=50, block_change_cents=1
    )
    consume(atlas, quantity=10_000, on="2026-09-03")
    close_and_issue("2026-09")
    consume(atlas, quantity=30_000, on="2026-10-03")
    close("2026-10")
    ApprovalPolicy.objects.update(invoice_total_cents=200_00)
    return invoice_of(atlas, "2026-10")


def test_a_finding_is_acknowledged_and_a_second_person_approves(
    page: Page, live_server: LiveServer, draft: Invoice
) -> None:
    address = f"{live_server.url}/admin/billing/invoice/{draft.pk}/change/"
    sign_in(page, live_server, "Accountant")
    page.goto(address)
    expect(page.get_by_label("Review")).to_contain_text("A consumption of 300.00 is 200 % above the month before")
    page.get_by_role("link", name="Acknowledge").click()
    page.get_by_label("Reason").fill("A load test, agreed with the customer")
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_text("Acknowledged: this finding no longer keeps the invoice")).to_be_visible()
    expect(page.get_by_role("link", name="Acknowledge")).to_have_count(0)

    page.context.clear_cookies()
    sign_in(page, live_server, "Controller")
    page.goto(address)
    expect(page.get_by_label("Review")).to_contain_text("A load test, agreed with the customer")
    page.get_by_role("link", name="Approve").click()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_label("Review")).to_contain_text("Approved by Clara")
    expect(page.get_by_role("link", name="Approve")).to_have_count(0)

    assert len(issue("2026-10").numbers) == 1
