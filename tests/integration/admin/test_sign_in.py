"""Staff sign in with their e-mail address; customers do not get in."""

import pytest
from django.test import Client
from django.urls import reverse

from organizations.models import User
from tests.builders.desk import PASSWORD, make_staff

pytestmark = pytest.mark.django_db


def sign_in(email: str, password: str = PASSWORD) -> bool:
    client = Client()
    client.post(reverse("admin:login"), {"username": email, "password": password})
    return "_auth_user_id" in client.session


@pytest.mark.parametrize("typed", ["max@example.com", "MAX@Example.com"])
def test_staff_sign_in_with_their_address_whatever_its_case(typed: str) -> None:
    make_staff("Billing manager")
    assert sign_in(typed)


def test_a_wrong_password_an_inactive_account_and_a_customer_stay_outside() -> None:
    make_staff("Billing manager")
    assert not sign_in("max@example.com", "something else")
    User.objects.filter(email="max@example.com").update(is_active=False)
    assert not sign_in("max@example.com")
    User.objects.create_user("alice@example.com", PASSWORD)
    assert not sign_in("alice@example.com")


def test_the_page_asks_for_an_e_mail_address() -> None:
    assert "E-mail address" in Client().get(reverse("admin:login")).content.decode()


def test_what_a_visitor_wanted_comes_after_signing_in() -> None:
    wanted = reverse("admin:billing_invoice_changelist")
    response = Client().get(wanted)
    assert response["Location"] == f"{reverse('admin:login')}?next={wanted}"
