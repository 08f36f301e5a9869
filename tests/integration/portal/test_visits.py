"""Staff see the portal as an organization: with a reason, for a while, and without changing anything."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from billing.models import Event
from organizations.models import Organization
from tests.builders.customers import make_member, signed_in
from tests.builders.desk import CAST, desk, make_staff
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db

REASON = "She asked on the phone"


@pytest.fixture
def atlas() -> Organization:
    return make_organization(external_id="orga_atlas", name="Atlas")


def start(client: Client, organization: Organization, reason: str = REASON) -> str:
    url = reverse("admin:organizations_organization_do", args=[organization.pk, "see-portal"])
    return str(client.post(url, {"reason": reason}).headers.get("Location", ""))


def page_of(organization: Organization) -> str:
    return reverse("portal:invoices", args=[organization.external_id])


def test_it_leaves_who_why_and_when(atlas: Organization) -> None:
    client = desk("Accountant")
    assert start(client, atlas) == reverse("portal:organization", args=["orga_atlas"])
    event = Event.objects.get(kind="portal.seen")
    assert (event.organization, event.reason) == (atlas, REASON)
    assert event.actor == make_staff("Accountant")


def test_without_a_reason_nothing_is_shown(atlas: Organization) -> None:
    client = desk("Accountant")
    assert start(client, atlas, reason="  ") == ""
    assert client.get(page_of(atlas)).status_code == 404
    assert not Event.objects.filter(kind="portal.seen").exists()


def test_without_the_permission_nobody_is_asked(atlas: Organization) -> None:
    person = make_staff("Viewer")
    person.groups.clear()
    assert start(signed_in(person), atlas) == ""
    assert start(signed_in(make_member("alice", atlas)), atlas).startswith(reverse("admin:login"))
    assert not Event.objects.filter(kind="portal.seen").exists()


def test_every_page_says_so_and_names_the_person(atlas: Organization) -> None:
    client = desk("Accountant")
    start(client, atlas)
    page = client.get(page_of(atlas)).content.decode()
    assert "You see what Atlas sees; nothing can be changed." in page
    assert CAST["Accountant"] in page
    assert client.get("/")["Location"] == reverse("portal:organization", args=["orga_atlas"])


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
@pytest.mark.parametrize("path", ["", "invoices/", "coupons/", "members/", "anything/that/may/come/"])
def test_every_change_is_refused(atlas: Organization, method: str, path: str) -> None:
    client = desk("Billing manager")
    start(client, atlas)
    response = getattr(client, method)(f"/organizations/orga_atlas/{path}")
    assert response.status_code == 403
    assert "Nothing can be changed" in response.content.decode()


def test_the_desk_and_the_language_go_on_as_before(atlas: Organization) -> None:
    client = desk("Accountant")
    start(client, atlas)
    assert client.post(reverse("set_language"), {"language": "fr", "next": page_of(atlas)})["Location"] == page_of(
        atlas
    )
    assert client.post(reverse("admin:billing_charge_add"), {}).status_code == 200


def test_it_ends_by_a_button(atlas: Organization) -> None:
    client = desk("Accountant")
    start(client, atlas)
    response = client.post(reverse("portal:end_visit"))
    assert response["Location"] == reverse("admin:organizations_organization_change", args=[atlas.pk])
    assert client.get(page_of(atlas)).status_code == 404


def test_it_ends_by_itself(atlas: Organization) -> None:
    client = desk("Accountant")
    start(client, atlas)
    with time_machine.travel(timezone.now() + timedelta(minutes=29)):
        assert client.get(page_of(atlas)).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(minutes=31)):
        response = client.get(page_of(atlas), follow=True)
        assert response.redirect_chain[-1][0] == reverse("admin:index")
        assert "Your visit to the portal is over." in response.content.decode()
        assert client.get(page_of(atlas)).status_code == 404


def test_it_ends_with_the_permission_and_with_signing_out(atlas: Organization) -> None:
    client, person = desk("Accountant"), make_staff("Accountant")
    start(client, atlas)
    person.groups.clear()
    assert client.get(page_of(atlas)).status_code == 404
    client = desk("Viewer")
    start(client, atlas)
    client.post(reverse("account_logout"))
    client.force_login(make_staff("Viewer"))
    assert client.get(page_of(atlas)).status_code == 404


def test_it_ends_when_the_account_is_deactivated(atlas: Organization) -> None:
    client, person = desk("Accountant"), make_staff("Accountant")
    start(client, atlas)
    person.is_active = False
    person.save()
    assert client.get(page_of(atlas))["Location"].startswith(reverse("account_login"))


def test_it_ends_with_the_organization(atlas: Organization) -> None:
    client = desk("Accountant")
    start(client, atlas)
    Organization.objects.update(external_id="orga_renamed")
    assert client.get(page_of(atlas)).status_code == 404
    assert client.get("/")["Location"] == reverse("admin:index")


def test_there_is_nothing_to_end_for_others(atlas: Organization) -> None:
    client = signed_in(make_member("alice", atlas))
    assert client.post(reverse("portal:end_visit"))["Location"] == "/"
    assert client.get(reverse("portal:end_visit")).status_code == 405


def test_nothing_is_offered_that_would_be_refused(atlas: Organization) -> None:
    client = desk("Accountant")
    start(client, atlas)
    for name in ("coupons", "billing_details", "members"):
        page = client.get(reverse(f"portal:{name}", args=["orga_atlas"])).content.decode()
        assert '<button class="button">' not in page
