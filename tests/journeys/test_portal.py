"""A customer finds an invoice and how to pay it: on a phone, by keyboard, without script, and with axe looking on."""

from collections.abc import Iterator
from datetime import date

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from billing.models import Invoice, LegalEntity
from tests.builders.archive import store
from tests.builders.closing import close_and_issue, consume, invoice_of, make_metered_price
from tests.builders.customers import make_member
from tests.builders.desk import CAST, PASSWORD, make_staff
from tests.builders.invoices import make_credit_note, make_invoice, make_line
from tests.builders.organizations import make_organization

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

LONG_NAME = "Société coopérative d'intérêt collectif pour l'hébergement mutualisé " * 3
LONG_WORD = "Donaudampfschifffahrt" * 9


@pytest.fixture
def invoice() -> Invoice:
    """What alice is to pay; her organization has a long name, and another one a short name."""
    LegalEntity.objects.update(iban="FR7630006000011234567890189", bic="AGRIFRPP")
    atlas = make_organization(external_id="orga_atlas", name=LONG_NAME)
    make_member("alice", atlas, make_organization(external_id="orga_abc", name="ABC"))
    make_invoice(organization=atlas, status="paid", month=date(2026, 9, 1), fees_cents=1_000)
    october = make_invoice(organization=atlas, status="pending", fees_cents=9_000, direct=[make_line(name=LONG_NAME)])
    make_credit_note(refers_to=october, net_cents=1_000)
    store(october)
    return october


@pytest.fixture
def phone(chromium: Browser) -> Iterator[Page]:
    """A small window without script, in the dark."""
    context = chromium.new_context(
        locale="en-GB", viewport={"width": 360, "height": 740}, java_script_enabled=False, color_scheme="dark"
    )
    yield context.new_page()
    context.close()


def sign_in(page: Page, server: LiveServer, email: str, then: str) -> None:
    page.goto(f"{server.url}{reverse('account_login')}?next={then}")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(lambda url: "/accounts/" not in url)


def complaints(page: Page) -> list[str]:
    """What axe finds wrong with a page, with the elements."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python")
    found = axe.Axe().run(page).response["violations"]
    return [f"{each['id']}: {[node['target'] for node in each['nodes']]}" for each in found]


def test_alice_finds_how_to_pay_on_a_phone_without_script(
    phone: Page, live_server: LiveServer, invoice: Invoice
) -> None:
    sign_in(phone, live_server, "alice@example.com", "/")
    phone.get_by_role("link", name=LONG_NAME.strip()).click()
    phone.get_by_label("Find an invoice").fill("October")
    phone.get_by_role("button", name="Search").click()
    phone.get_by_role("link", name="October 2026").click()

    expect(phone.get_by_text("FR76 3000 6000 0112 3456 7890 189")).to_be_visible()
    with phone.expect_download() as download:
        phone.get_by_role("link", name="Download PDF").click()
    assert download.value.suggested_filename == f"{invoice.number}.pdf"
    phone.get_by_text("Alice", exact=True).click()
    phone.get_by_role("button", name="Français").click()
    expect(phone.get_by_role("article")).to_have_attribute("lang", "fr")


def test_alice_gets_to_the_other_organization_by_keyboard(
    page: Page, live_server: LiveServer, invoice: Invoice
) -> None:
    sign_in(page, live_server, "alice@example.com", reverse("portal:invoices", args=["orga_atlas"]))
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    for key in ("Tab", "Tab", "Enter", "Tab", "Enter"):  # the brand, the menu of organizations, the first of them
        page.keyboard.press(key)
    expect(page).to_have_url(f"{live_server.url}{reverse('portal:invoices', args=['orga_abc'])}")
    expect(page.get_by_text("No invoice yet")).to_be_visible()


@pytest.mark.parametrize("width", [360, pytest.param(1440, marks=pytest.mark.long)])
def test_axe_finds_nothing_and_nothing_is_too_wide(
    page: Page, live_server: LiveServer, invoice: Invoice, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme="dark" if width == 360 else "light")
    sign_in(page, live_server, "alice@example.com", "/")
    lists = [reverse("portal:invoices", args=[external_id]) for external_id in ("orga_atlas", "orga_abc")]
    for path in ("/", *lists, f"{lists[0]}{invoice.number}/"):
        page.goto(f"{live_server.url}{path}")
        page.get_by_text("Alice", exact=True).click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert not complaints(page)


@pytest.mark.parametrize("width", [360, 640, 1440])
def test_one_long_word_as_a_name_fits(page: Page, live_server: LiveServer, width: int) -> None:
    """Of an organization, of one that belongs to it, and of another one in the menu."""
    parent = make_organization(external_id="orga_word", name=LONG_WORD)
    lab = make_organization(external_id="orga_lab", name=f"{LONG_WORD}Labs", parent=parent)
    make_member("alice", parent, make_organization(name=f"{LONG_WORD}Other"))
    make_metered_price(unit_price="0.01")
    consume(parent, quantity=2_000, on="2026-10-05")
    consume(lab, quantity=1_000, on="2026-10-06")
    close_and_issue("2026-10")
    page.set_viewport_size({"width": width, "height": 800})
    path = reverse("portal:invoice", args=["orga_word", invoice_of(parent, "2026-10").number])
    sign_in(page, live_server, "alice@example.com", path)
    expect(page.get_by_text("Fees per organization")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator(".switcher summary").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for role in page.locator(".switcher .sheet .quiet").all():
        box = role.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= width - 16


def test_no_page_in_french_is_wider_than_a_phone(chromium: Browser, live_server: LiveServer, invoice: Invoice) -> None:
    """French is a third longer; a name of 200 letters and credits that wait for a payment are on these pages."""
    context = chromium.new_context(locale="fr-FR", viewport={"width": 360, "height": 740})
    phone = context.new_page()
    phone.goto(f"{live_server.url}{reverse('account_login')}")
    phone.get_by_label("Adresse électronique").fill("alice@example.com")
    phone.get_by_label("Mot de passe").fill(PASSWORD)
    phone.get_by_role("button", name="Se connecter").click()
    phone.wait_for_url(lambda url: "/accounts/" not in url)
    pages = ("invoices", "credits", "consumption", "coupons", "billing_details", "members")
    paths = [reverse(f"portal:{name}", args=["orga_atlas"]) for name in pages]
    for path in (*paths, f"{paths[0]}{invoice.number}/", reverse("portal:tokens"), reverse("portal:home")):
        phone.goto(f"{live_server.url}{path}")
        expect(phone.locator("html")).to_have_attribute("lang", "fr")
        assert phone.evaluate("document.documentElement.scrollWidth") <= 360, path
    context.close()


def test_max_sees_what_alice_sees_and_goes_back(page: Page, live_server: LiveServer, invoice: Invoice) -> None:
    make_staff("Billing manager")
    desk = reverse("admin:organizations_organization_change", args=[invoice.organization_id])
    sign_in(page, live_server, CAST["Billing manager"], desk)
    page.get_by_role("link", name="See the portal as this organization").click()
    page.get_by_label("Reason").fill("She asked on the phone")
    page.get_by_role("button", name="Open the portal").click()
    page.wait_for_url(f"**{reverse('portal:invoices', args=['orga_atlas'])}")

    expect(page.get_by_text("nothing can be changed")).to_be_visible()
    page.get_by_role("link", name="October 2026").click()
    expect(page.get_by_role("article")).to_be_visible()
    page.get_by_role("button", name="Back to the finance desk").click()
    expect(page).to_have_url(f"{live_server.url}{desk}")
