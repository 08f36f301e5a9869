"""Signing in, setting up a second factor and giving it again, in a browser."""

import time
from collections.abc import Iterator

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.core.cache import cache
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from tests.builders.desk import CAST, PASSWORD, make_staff

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

KEY = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture(autouse=True)
def production(settings: Settings) -> Iterator[None]:
    """Where a second factor is required."""
    settings.REQUIRE_STAFF_MFA = True
    cache.clear()
    yield
    cache.clear()


def type_password(page: Page, server: LiveServer) -> None:
    make_staff("Billing manager")
    page.goto(f"{server.url}/admin/")
    page.get_by_label("E-mail address").fill(CAST["Billing manager"])
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def confirm_password(page: Page) -> None:
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()


def add_key_to(page: Page) -> None:
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})


def test_max_sets_up_an_app_before_he_sees_the_desk(page: Page, live_server: LiveServer) -> None:
    type_password(page, live_server)
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    page.get_by_role("link", name="Set up the app").click()
    confirm_password(page)
    secret = page.get_by_label("Authenticator secret").input_value()
    code = totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30))
    page.get_by_label("Authenticator code").fill(code)
    page.get_by_role("button", name="Activate").click()

    expect(page.get_by_label("Unused codes")).to_be_visible()
    page.get_by_role("link", name="Finance desk").click()
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()


def test_max_adds_a_passkey_and_signs_in_with_nothing_else(page: Page, live_server: LiveServer) -> None:
    add_key_to(page)
    type_password(page, live_server)
    page.get_by_role("link", name="Add a key").click()
    confirm_password(page)
    page.get_by_label("Passwordless").check()
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_label("Unused codes")).to_be_visible()
    assert Authenticator.objects.filter(type="webauthn").count() == 1

    page.get_by_role("button", name="Log out").click()
    page.goto(f"{live_server.url}/admin/")
    page.get_by_role("button", name="Use a passkey").click()

    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()
    page.goto(f"{live_server.url}{reverse('mfa_reauthenticate_webauthn')}?next=/admin/billing/invoice/")
    page.get_by_role("button", name="Use a security key").click()
    expect(page).to_have_url(f"{live_server.url}/admin/billing/invoice/")


@pytest.mark.long
@pytest.mark.parametrize("width", [360, 1440])
def test_no_page_of_signing_in_is_wider_than_the_screen(page: Page, live_server: LiveServer, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    type_password(page, live_server)
    totp.TOTP.activate(make_staff("Billing manager"), "JBSWY3DPEHPK3PXP")
    for name in ("mfa_index", "mfa_reauthenticate", "mfa_list_webauthn"):
        page.goto(f"{live_server.url}{reverse(name)}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
