"""Staff's second factor: set up before any page, asked for when signing in, and again before what is dangerous."""

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.utils import decrypt
from django.contrib import admin
from django.core.cache import cache
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import reverse
from pytest_django import Settings

from billing.admin._actions import KEPT_SECONDS, TYPED, PageAction, ReasonForm, _take_typed, confirm_first
from billing.admin.invoices import InvoiceAdmin
from billing.models import Invoice
from organizations.models import User
from tests.builders.desk import PASSWORD, desk, make_staff
from tests.builders.invoices import make_invoice

pytestmark = pytest.mark.django_db

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
LIST = "/admin/billing/invoice/"


@pytest.fixture(autouse=True)
def production(settings: Settings) -> Iterator[None]:
    """Where a second factor is required."""
    settings.REQUIRE_STAFF_MFA = True
    cache.clear()  # codes that were used
    yield
    cache.clear()


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel("2026-11-25T09:00:00Z", tick=False) as traveller:
        yield traveller


def give_app(user: User) -> None:
    totp.TOTP.activate(user, SECRET)


def code_of(secret: str) -> str:
    return str(totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30)))


def code_now() -> str:
    return code_of(SECRET)


def sign_in(client: Client, email: str = "max@example.com") -> Any:
    return client.post(reverse("account_login"), {"login": email, "password": PASSWORD})


def test_staff_without_one_are_led_to_set_one_up_before_any_page() -> None:
    client = desk("Billing manager")
    for url in ("/admin/", LIST, "/admin/search/", "/admin/billing/charge/add/"):
        assert client.get(url)["Location"].startswith(f"{reverse('mfa_index')}?next=")
    assert client.post("/admin/billing/charge/add/", {})["Location"].startswith(reverse("mfa_index"))
    assert client.get(LIST, headers={"HX-Request": "true"})["HX-Redirect"].startswith(reverse("mfa_index"))
    assert client.get(reverse("mfa_index")).status_code == 200
    assert client.post(reverse("admin:logout")).status_code == 200


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_an_app_is_set_up_and_opens_the_desk() -> None:
    make_staff("Billing manager")
    client = Client()
    sign_in(client)
    question = client.get(reverse("mfa_activate_totp"))
    assert question["Location"].startswith(reverse("account_reauthenticate"))
    client.post(question["Location"], {"password": PASSWORD})
    page = client.get(reverse("mfa_activate_totp"))
    secret = client.session[totp.SECRET_SESSION_KEY]
    assert "data:image/svg+xml" in page.content.decode()

    wrong = client.post(reverse("mfa_activate_totp"), {"code": "000000"})
    done = client.post(reverse("mfa_activate_totp"), {"code": code_of(secret)})

    assert "Incorrect code." in wrong.content.decode()
    assert done["Location"] == reverse("mfa_view_recovery_codes")
    assert len(client.get(done["Location"]).context["unused_codes"]) == 10
    assert client.get(LIST).status_code == 200


def test_the_password_alone_opens_nothing(clock: time_machine.Traveller) -> None:
    give_app(make_staff("Billing manager"))
    client = Client()
    assert sign_in(client)["Location"].startswith(reverse("mfa_authenticate"))
    assert client.get(LIST)["Location"].startswith(reverse("admin:login"))

    assert "Incorrect code." in client.post(reverse("mfa_authenticate"), {"code": "000000"}).content.decode()
    client.post(reverse("mfa_authenticate"), {"code": code_now()})

    assert client.get(LIST).status_code == 200


def test_a_code_works_once(clock: time_machine.Traveller) -> None:
    give_app(make_staff("Billing manager"))
    code = code_now()
    first, second = Client(), Client()
    for client in (first, second):
        sign_in(client)
        client.post(reverse("mfa_authenticate"), {"code": code})
    assert first.get(LIST).status_code == 200
    assert second.get(LIST).status_code == 302


def test_a_session_that_never_saw_the_factor_is_asked_for_it(clock: time_machine.Traveller) -> None:
    client = desk("Billing manager")  # as an API or a portal might sign somebody in
    give_app(make_staff("Billing manager"))
    response = client.get(LIST)
    assert response["Location"].startswith(f"{reverse('mfa_reauthenticate')}?next=")
    client.post(response["Location"], {"code": code_now(), "next": LIST})
    assert client.get(LIST).status_code == 200


def test_a_stolen_password_does_not_replace_the_factor(clock: time_machine.Traveller) -> None:
    client = desk("Billing manager")
    give_app(make_staff("Billing manager"))
    by_password = client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    assert by_password["Location"].startswith(reverse("mfa_reauthenticate"))
    assert client.post(reverse("mfa_deactivate_totp"))["Location"].startswith(reverse("mfa_reauthenticate"))
    assert Authenticator.objects.count() == 1


def test_customers_are_not_asked() -> None:
    client = Client()
    client.force_login(User.objects.create_user("alice@example.com", PASSWORD))
    assert client.get(reverse("admin:login")).status_code == 403


def test_secrets_are_stored_encrypted_and_survive_a_new_key(settings: Settings) -> None:
    give_app(make_staff("Billing manager"))
    stored = Authenticator.objects.get().data["secret"]
    assert SECRET not in stored
    old = settings.SECRET_KEY
    settings.SECRET_KEY = "another key" * 6
    assert decrypt(stored) != SECRET  # nobody gets in with it, and nothing breaks
    settings.SECRET_KEY_FALLBACKS = [old]
    assert decrypt(stored) == SECRET


# --- A fresh factor before dangerous actions --------------------------------------------------------------------------


def ask(client: Client, url: str = LIST, data: dict[str, str] | None = None, *, script: bool = False) -> str | None:
    """Where `confirm_first` leads a request in the session of a client."""
    headers = {"HX-Request": "true"} if script else {}
    request = RequestFactory().post(url, data, headers=headers) if data else RequestFactory().get(url, headers=headers)
    request.user, request.session = make_staff("Billing manager"), client.session
    response = confirm_first(request)
    return None if response is None else response["HX-Redirect" if script else "Location"]


def test_signing_in_counts_for_a_quarter_of_an_hour(clock: time_machine.Traveller) -> None:
    give_app(make_staff("Billing manager"))
    client = Client()
    sign_in(client)
    client.post(reverse("mfa_authenticate"), {"code": code_now()})
    assert ask(client) is None

    clock.shift(timedelta(minutes=14, seconds=59))
    assert ask(client) is None
    clock.shift(timedelta(seconds=1))
    assert (ask(client) or "").startswith(f"{reverse('mfa_reauthenticate')}?next=")
    assert (ask(client, script=True) or "").startswith(reverse("mfa_reauthenticate"))
    assert client.get(LIST).status_code == 200  # looking needs no fresh one

    client.post(reverse("mfa_reauthenticate"), {"code": code_now(), "next": LIST})
    assert ask(client) is None


def test_what_was_typed_waits_in_the_session_and_in_no_address(clock: time_machine.Traveller) -> None:
    user = make_staff("Billing manager")
    give_app(user)
    invoice, client = make_invoice(), desk("Billing manager")
    session = client.session
    url = f"/admin/billing/invoice/{invoice.pk}/do/issue/"

    def visit(request: HttpRequest) -> Any:
        request.user, request.session = user, session
        return Desk(Invoice, admin.site).action_view(request, str(invoice.pk), "issue")

    question = visit(RequestFactory().post(f"{url}?seen=abc", {"reason": "agreed & signed", "preview": "1"}))
    assert question["Location"].endswith(urlencode({"next": f"{url}?seen=abc"}))
    assert "agreed" not in question["Location"]

    answered = RequestFactory().get("/")
    answered.user, answered.session = user, session
    record_authentication(answered, user, "mfa", reauthenticated=True)
    form = visit(RequestFactory().get(f"{url}?seen=abc")).context_data["form"]
    assert form.initial == {"seen": "abc", "reason": "agreed & signed"}
    assert visit(RequestFactory().get(url)).context_data["form"].initial == {}  # once


def test_what_was_typed_does_not_wait_for_ever(clock: time_machine.Traveller) -> None:
    give_app(make_staff("Billing manager"))
    client = desk("Billing manager")
    session = client.session
    request = RequestFactory().post(LIST, {"reason": "agreed"})
    request.user, request.session = make_staff("Billing manager"), session
    confirm_first(request)
    assert session[TYPED]["values"] == {"reason": "agreed"}
    later = RequestFactory().get("/admin/billing/charge/")
    later.session = session
    assert _take_typed(later) == {}
    assert TYPED in session
    clock.shift(timedelta(seconds=KEPT_SECONDS + 1))
    assert _take_typed(later) == {}
    assert TYPED not in session


def test_too_much_is_not_kept(clock: time_machine.Traveller) -> None:
    give_app(make_staff("Billing manager"))
    client = desk("Billing manager")
    assert (ask(client, data={"reason": "long " * 5_000}) or "").endswith(urlencode({"next": LIST}))
    assert TYPED not in client.session


class Desk(InvoiceAdmin):
    """The page of an invoice with a dangerous button and a harmless one."""

    page_actions = (
        PageAction("issue", "Issue", ReasonForm[Invoice], "billing.issue_invoice", needs_fresh_factor=True),
        PageAction("note", "Note", ReasonForm[Invoice], "billing.issue_invoice"),
    )


def test_a_dangerous_button_asks_and_a_harmless_one_does_not(clock: time_machine.Traveller) -> None:
    give_app(make_staff("Billing manager"))
    invoice, client = make_invoice(), desk("Billing manager")
    for name, status in (("issue", 302), ("note", 200)):
        request = RequestFactory().get(f"/admin/billing/invoice/{invoice.pk}/do/{name}/")
        request.user, request.session = make_staff("Billing manager"), client.session
        response = Desk(Invoice, admin.site).action_view(request, str(invoice.pk), name)
        assert response.status_code == status


def test_where_no_factor_is_required_nothing_is_asked(settings: Settings) -> None:
    settings.REQUIRE_STAFF_MFA = False
    client = desk("Billing manager")
    assert client.get(LIST).status_code == 200
    assert ask(client) is None


# --- In the desk ------------------------------------------------------------------------------------------------------


def test_an_auditor_sees_who_has_a_factor_and_never_its_secret(settings: Settings) -> None:
    settings.REQUIRE_STAFF_MFA = False
    give_app(make_staff("Billing manager"))
    row = Authenticator.objects.get()
    otto = desk("Auditor")
    pages = [reverse("admin:mfa_authenticator_changelist"), reverse("admin:mfa_authenticator_change", args=[row.pk])]
    for page in pages:
        content = otto.get(page).content.decode()
        assert "max@example.com" in content or "Max" in content
        assert row.data["secret"] not in content
    assert otto.post(reverse("admin:mfa_authenticator_delete", args=[row.pk])).status_code == 403
    assert desk("Viewer").get(pages[0]).status_code == 403


def test_an_administrator_takes_a_lost_factor_away(settings: Settings) -> None:
    settings.REQUIRE_STAFF_MFA = False
    give_app(make_staff("Billing manager"))
    root = Client()
    root.force_login(User.objects.create_superuser("root@example.com"))
    root.post(reverse("admin:mfa_authenticator_delete", args=[Authenticator.objects.get().pk]), {"post": "yes"})
    assert not Authenticator.objects.exists()
