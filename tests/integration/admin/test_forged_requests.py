"""What no form of the desk would send: a clear answer, never a crash."""

import pytest
from django.test import Client
from django.urls import reverse

from billing.models import Charge, Price
from tests.builders.desk import desk
from tests.builders.organizations import make_organization
from tests.builders.usage import make_meter, make_price

pytestmark = pytest.mark.django_db

NO_KEYS = ["abc", "1e5", "99999999999999999999999", "9223372036854775808", "<b>", "a\0b"]


@pytest.fixture
def fiona() -> Client:
    """An accountant."""
    return desk("Accountant")


@pytest.mark.parametrize("key", NO_KEYS)
def test_a_forged_choice_is_refused_beside_its_field(fiona: Client, key: str) -> None:
    response = fiona.post(reverse("admin:billing_charge_add"), {"organization": key})
    assert response.status_code == 200
    assert response.context["adminform"].form.errors["organization"]
    assert not Charge.objects.exists()


def test_a_forged_member_is_refused_beside_its_field(fiona: Client) -> None:
    page = reverse("admin:organizations_organization_change", args=[make_organization().pk])
    members = {"memberships-TOTAL_FORMS": "1", "memberships-INITIAL_FORMS": "0", "memberships-0-user": "abc"}
    profile = {"billing_profile-TOTAL_FORMS": "0", "billing_profile-INITIAL_FORMS": "0"}
    assert fiona.post(page, {**members, **profile}).status_code == 200


@pytest.mark.parametrize("key", NO_KEYS)
def test_a_forged_address_prefills_nothing(fiona: Client, key: str) -> None:
    assert fiona.get(reverse("admin:billing_charge_add"), {"organization": key}).status_code == 200


@pytest.mark.parametrize("name", ["organization__id__exact", "resource__id__exact"])
@pytest.mark.parametrize("key", NO_KEYS)
def test_a_forged_filter_of_usage_is_dropped(fiona: Client, name: str, key: str) -> None:
    response = fiona.get(reverse("admin:billing_usagerecord_changelist"), {name: key})
    assert response.status_code == 302
    assert response["Location"].endswith("?e=1")


def test_a_filter_with_a_character_that_no_text_has_finds_nothing(fiona: Client) -> None:
    make_price(meter=make_meter())
    response = fiona.get(reverse("admin:billing_price_changelist"), {"zone__icontains": "\0"})
    assert response.status_code == 200
    assert response.context["cl"].result_count == 0


@pytest.mark.parametrize("day", ["0001-01-01", "1969-12-31", "9999-12-31"])
def test_a_price_begins_in_a_year_that_has_months(day: str) -> None:
    form = {"meter": str(make_meter().pk), "currency": "EUR", "valid_from": day, "per_quantity_micro": "1"}
    tiers = {"tiers-TOTAL_FORMS": "1", "tiers-INITIAL_FORMS": "0", "tiers-0-unit_price": "1"}
    response = desk("Controller").post(reverse("admin:billing_price_add"), {**form, "mode": "graduated", **tiers})
    assert response.status_code == 200
    assert "Choose a day of the years 1970 to 9998." in response.content.decode()
    assert not Price.objects.exists()
