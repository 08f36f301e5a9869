"""Credits at the desk: granted, given by coupons, never edited."""

import re
from datetime import date, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from billing.models import Coupon, CouponUse, CreditEntry, CreditGrant
from tests.builders.credits import make_grant
from tests.builders.desk import desk, make_staff
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db

ADD_GRANT = reverse("admin:billing_creditgrant_add")
ADD_COUPON = reverse("admin:billing_coupon_add")
ADD_USE = reverse("admin:billing_couponuse_add")


@pytest.fixture
def max_() -> Client:
    """The billing manager."""
    return desk("Billing manager")


def gesture(**values: str) -> dict[str, str]:
    """What the form of a grant sends."""
    organization = make_organization()
    return {
        "organization": str(organization.pk),
        "amount_cents": "20.50",
        "starts_on": "",
        "expires_on": "2026-12-31",
        "priority": "0",
        "reason": "an outage",
        "reference": "",
        **values,
    }


def coupon_form(**values: str) -> dict[str, str]:
    """What the form of a coupon sends."""
    return {"name": "WELCOME", "amount_cents": "20", "currency": "EUR", "maximum_uses": "100", **values}


def test_a_gesture_is_granted_with_its_entry(max_: Client) -> None:
    response = max_.post(ADD_GRANT, gesture())

    assert response.status_code == 302
    grant = CreditGrant.objects.get()
    assert (grant.type, grant.state, grant.amount_cents, grant.remaining_cents) == ("free", "active", 2_050, 2_050)
    assert (grant.expires_on, grant.reference, grant.currency) == (date(2026, 12, 31), None, "EUR")
    assert list(CreditEntry.objects.values_list("kind", "amount_cents")) == [("grant", 2_050)]


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"amount_cents": "0"}, "A grant gives more than nothing."),
        ({"amount_cents": "1.234"}, "Write an amount of at most two decimals"),
        ({"starts_on": "2027-01-01"}, "before they start on 1 Jan 2027"),
        ({"reason": ""}, "This field is required."),
        ({"organization": "999"}, "Select a valid choice."),
    ],
)
def test_a_gesture_that_makes_no_sense_is_refused(max_: Client, values: dict[str, str], refusal: str) -> None:
    response = max_.post(ADD_GRANT, gesture(**values))
    assert refusal in response.content.decode()
    assert not CreditGrant.objects.exists()


def test_a_grant_shows_its_movements_and_cannot_be_edited(max_: Client) -> None:
    grant = make_grant(organization=make_organization(), amount_cents=12_345)
    url = reverse("admin:billing_creditgrant_change", args=[grant.pk])

    page = max_.get(url).content.decode()

    assert "123.45 <span" in page
    assert "granted" in page
    assert max_.post(url, gesture()).status_code == 403
    assert max_.post(reverse("admin:billing_creditgrant_delete", args=[grant.pk])).status_code == 403


def test_a_coupon_is_made_and_used(max_: Client) -> None:
    max_.post(ADD_COUPON, coupon_form())
    coupon, organization = Coupon.objects.get(), make_organization()

    response = max_.post(ADD_USE, {"coupon": str(coupon.pk), "organization": str(organization.pk)})

    assert response.status_code == 302
    use = CouponUse.objects.get()
    assert (use.grant.amount_cents, use.grant.type, use.used_by) == (2_000, "free", make_staff("Billing manager"))


def test_the_list_says_which_coupons_can_be_used(max_: Client) -> None:
    today = timezone.localdate()
    Coupon.objects.create(name="ANY-TIME", amount_cents=2_000)
    Coupon.objects.create(name="TOO-LATE", amount_cents=2_000, valid_until=today - timedelta(days=1))
    Coupon.objects.create(name="TOO-EARLY", amount_cents=2_000, valid_from=today + timedelta(days=1))
    page = max_.get(reverse("admin:billing_coupon_changelist")).content.decode()
    shown = re.sub(r"<[^>]+>", " ", page).split()
    states = [shown[shown.index(name) + 1] for name in ("ANY-TIME", "TOO-LATE", "TOO-EARLY")]
    assert states == ["in", "expired", "begins"]


def test_a_coupon_is_used_once_per_organization(max_: Client) -> None:
    coupon, organization = Coupon.objects.create(name="WELCOME", amount_cents=2_000), make_organization()
    use = {"coupon": str(coupon.pk), "organization": str(organization.pk)}
    max_.post(ADD_USE, use)

    response = max_.post(ADD_USE, use)

    assert "This organization has already used this coupon." in response.content.decode()
    assert CreditGrant.objects.count() == 1


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"amount_cents": "0"}, "A coupon gives an amount above zero."),
        ({"currency": "JPY"}, "currency with two decimals"),
        ({"valid_from": "2026-12-31", "valid_until": "2026-01-01"}, "The last day cannot be before the first."),
    ],
)
def test_a_coupon_that_makes_no_sense_is_refused(max_: Client, values: dict[str, str], refusal: str) -> None:
    assert refusal in max_.post(ADD_COUPON, coupon_form(**values)).content.decode()
    assert not Coupon.objects.exists()


def test_what_a_used_coupon_gives_stays_and_its_window_may_change(max_: Client) -> None:
    coupon = Coupon.objects.create(name="WELCOME", amount_cents=2_000)
    max_.post(ADD_USE, {"coupon": str(coupon.pk), "organization": str(make_organization().pk)})
    url = reverse("admin:billing_coupon_change", args=[coupon.pk])

    max_.post(url, coupon_form(amount_cents="99", valid_until="2026-12-31"))
    too_few = max_.post(url, coupon_form(maximum_uses="0"))

    coupon.refresh_from_db()
    assert (coupon.amount_cents, coupon.valid_until) == (2_000, date(2026, 12, 31))
    assert "The coupon is already used 1 times." in too_few.content.decode()
    assert max_.post(reverse("admin:billing_coupon_delete", args=[coupon.pk]), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("role", ["Viewer", "Accountant", "Controller", "Auditor"])
def test_only_the_billing_manager_gives_credits(role: str) -> None:
    client = desk(role)
    assert client.post(ADD_GRANT, gesture()).status_code == 403
    assert client.post(ADD_COUPON, coupon_form()).status_code == 403
    assert client.post(ADD_USE, {}).status_code == 403
    assert not CreditGrant.objects.exists()
