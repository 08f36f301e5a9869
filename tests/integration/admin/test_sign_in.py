"""Staff sign in with their e-mail address; customers do not get in; guessing is slow and tells nothing."""

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import NoReverseMatch, reverse
from pytest_django import Settings

from organizations.models import User
from tests.builders.desk import PASSWORD, make_staff

pytestmark = pytest.mark.django_db


def sign_in(email: str, password: str = PASSWORD, *, client: Client | None = None) -> bool:
    client = client or Client()
    client.post(reverse("account_login"), {"login": email, "password": password})
    return "_auth_user_id" in client.session


@pytest.mark.parametrize("typed", ["max@example.com", "MAX@Example.com"])
def test_staff_sign_in_with_their_address_whatever_its_case(typed: str) -> None:
    make_staff("Billing manager")
    assert sign_in(typed)


def test_a_wrong_password_and_an_inactive_account_stay_outside() -> None:
    make_staff("Billing manager")
    assert not sign_in("max@example.com", "something else")
    User.objects.filter(email="max@example.com").update(is_active=False)
    assert not sign_in("max@example.com")


def test_a_customer_signs_in_and_stays_outside_the_desk() -> None:
    User.objects.create_user("alice@example.com", PASSWORD)
    client = Client()
    assert sign_in("alice@example.com", client=client)
    response = client.get(reverse("admin:billing_invoice_changelist"), follow=True)
    assert response.status_code == 403
    assert "who is not of its staff" in response.content.decode()


def test_the_page_asks_for_an_e_mail_address() -> None:
    assert "E-mail address" in Client().get(reverse("account_login")).content.decode()


def test_what_a_visitor_wanted_comes_after_signing_in() -> None:
    make_staff("Billing manager")
    wanted = reverse("admin:billing_invoice_changelist")
    client = Client()
    response = client.get(wanted)
    assert response["Location"] == f"{reverse('admin:login')}?next={wanted}"
    door = client.get(response["Location"])
    assert door["Location"] == f"{reverse('account_login')}?next=%2Fadmin%2Fbilling%2Finvoice%2F"

    response = client.post(reverse("account_login"), {"login": "max@example.com", "password": PASSWORD, "next": wanted})

    assert response["Location"] == wanted
    assert "messagelist" not in client.get(wanted).content.decode()


def test_signing_in_leads_to_no_other_site() -> None:
    make_staff("Billing manager")
    elsewhere = "https://elsewhere.example.org/"
    form = {"login": "max@example.com", "password": PASSWORD, "next": elsewhere}
    assert Client().post(reverse("account_login"), form)["Location"] == "/"
    assert elsewhere not in Client().get(reverse("admin:login"), {"next": elsewhere})["Location"]


def test_the_refusal_does_not_tell_who_is_known() -> None:
    make_staff("Billing manager")
    refusals = set()
    for email in ("max@example.com", "nobody@example.com"):
        page = Client().post(reverse("account_login"), {"login": email, "password": "something else"})
        refusals.add(page.content.decode().replace(email, "…").split('name="csrfmiddlewaretoken"')[0])
    assert len(refusals) == 1


def test_nobody_signs_up_or_changes_their_address() -> None:
    assert Client().get("/accounts/signup/").status_code == 404
    for name in ("account_signup", "account_email"):
        with pytest.raises(NoReverseMatch):
            reverse(name)


def test_guessing_a_password_is_slow(settings: Settings) -> None:
    cache.clear()
    settings.ACCOUNT_RATE_LIMITS = {}  # as in production: five wrong ones in five minutes
    make_staff("Billing manager")
    for _ in range(5):
        assert not sign_in("max@example.com", "something else")
    assert not sign_in("max@example.com")
    refused = Client().post(reverse("account_login"), {"login": "max@example.com", "password": PASSWORD})
    assert "Too many failed login attempts" in refused.content.decode()
    cache.clear()


def test_the_pages_of_signing_in_run_no_script_of_their_own() -> None:
    response = Client().get(reverse("account_login"))
    policy = response["Content-Security-Policy"]
    assert "unsafe" not in policy
    page = response.content.decode()
    assert " style=" not in page
    assert " onclick=" not in page
    assert all("src=" in tag or "application/json" in tag for tag in page.split("<script")[1:])
