"""Organizations at the desk: terms in decimals, one level of sub-organizations, a currency that stays."""

from datetime import date

import pytest
from django.test import Client
from django.urls import reverse

from organizations.models import BillingProfile, Membership, Organization, User
from tests.builders.credits import make_grant
from tests.builders.desk import desk
from tests.builders.invoices import make_invoice, make_outcome
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db

ADD = reverse("admin:organizations_organization_add")


@pytest.fixture
def fiona() -> Client:
    """An accountant."""
    return desk("Accountant")


def url_of(organization: Organization) -> str:
    return reverse("admin:organizations_organization_change", args=[organization.pk])


def typed(**values: str) -> dict[str, str]:
    """What the form sends for a new organization with a billing profile and no members."""
    return {
        "external_id": "orga_new",
        "name": "Atlas",
        "parent": "",
        "currency": "EUR",
        "opened_on": "2026-01-15",
        "closed_on": "",
        "forecast_months": "1",
        "negotiated_refill_cents": "",
        "negotiated_refill_until": "",
        "consumption_discount_ppm": "0",
        "payment_term_days": "30",
        "billing_profile-TOTAL_FORMS": "1",
        "billing_profile-INITIAL_FORMS": "0",
        "billing_profile-0-company": "Atlas SAS",
        "billing_profile-0-country": "FR",
        "billing_profile-0-language": "fr",
        "memberships-TOTAL_FORMS": "0",
        "memberships-INITIAL_FORMS": "0",
        **values,
    }


def changed(organization: Organization, **values: str) -> dict[str, str]:
    """What the form sends for a stored organization."""
    profile = BillingProfile.objects.filter(pk=organization.pk).exists()
    ids = {"billing_profile-INITIAL_FORMS": "1", "billing_profile-0-organization": str(organization.pk)}
    return typed(**(ids if profile else {}), **{"name": organization.name, **values})


def test_an_organization_is_added_with_its_terms_and_profile(fiona: Client) -> None:
    terms = {"negotiated_refill_cents": "500.50", "consumption_discount_ppm": "12.5", "forecast_months": "3"}
    terms["negotiated_refill_until"] = "2027-03-31"

    response = fiona.post(ADD, typed(**terms))

    assert response.status_code == 302
    organization = Organization.objects.get(external_id="orga_new")
    assert organization.negotiated_refill_cents == 50_050
    assert organization.negotiated_refill_until == date(2027, 3, 31)
    assert organization.consumption_discount_ppm == 125_000
    assert organization.forecast_months == 3
    assert organization.billing_profile.company == "Atlas SAS"


def test_members_are_added_on_its_page(fiona: Client) -> None:
    organization, alice = make_organization(), User.objects.create_user("alice@example.com")
    member = {"memberships-TOTAL_FORMS": "1", "memberships-0-user": str(alice.pk), "memberships-0-role": "admin"}

    assert fiona.post(url_of(organization), changed(organization, **member)).status_code == 302

    assert Membership.objects.get().user == alice


def test_a_member_that_is_refused_undoes_the_rest_of_the_page(fiona: Client) -> None:
    organization = make_organization(name="Atlas")
    nobody = {"memberships-TOTAL_FORMS": "1", "memberships-0-user": "999", "memberships-0-role": "admin"}

    refused = fiona.post(url_of(organization), changed(organization, name="Renamed", **nobody))
    also = fiona.post(ADD, typed(**nobody))

    assert (refused.status_code, also.status_code) == (200, 200)
    assert [row.name for row in Organization.objects.all()] == ["Atlas"]


def test_a_sub_organization_of_a_sub_organization_is_refused(fiona: Client) -> None:
    parent = make_organization()
    child = make_organization(parent=parent, external_id="orga_child")

    response = fiona.post(ADD, typed(parent=str(child.pk)))

    assert "orga_child is a sub-organization itself: there is one level only." in response.content.decode()
    assert not Organization.objects.filter(external_id="orga_new").exists()


def test_a_parent_cannot_become_a_sub_organization(fiona: Client) -> None:
    parent, other = make_organization(), make_organization()
    make_organization(parent=parent)
    response = fiona.post(url_of(parent), changed(parent, parent=str(other.pk)))
    assert "It has sub-organizations, so it cannot become one" in response.content.decode()


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"currency": "JPY"}, "currency with two decimals"),
        ({"closed_on": "2026-01-14"}, "It cannot close on 14 Jan 2026, before it opens"),
        ({"negotiated_refill_cents": "-1"}, "Write an amount of at most two decimals"),
        ({"consumption_discount_ppm": "101"}, "Write a percentage from 0 to 100"),
        ({"opened_on": "yesterday"}, "Enter a valid date."),
        ({"name": ""}, "This field is required."),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(fiona: Client, values: dict[str, str], refusal: str) -> None:
    response = fiona.post(ADD, typed(**values))
    assert response.status_code == 200
    assert refusal in response.content.decode()
    assert not Organization.objects.exists()


def test_the_currency_stays_once_money_was_counted_in_it(fiona: Client) -> None:
    with_grant, with_invoice, fresh = make_organization(), make_organization(), make_organization()
    make_grant(organization=with_grant)
    make_invoice(organization=with_invoice)
    for organization in (with_grant, with_invoice, fresh):
        fiona.post(url_of(organization), changed(organization, currency="CHF"))
    currencies = Organization.objects.order_by("pk").values_list("currency", flat=True)
    assert list(currencies) == ["EUR", "EUR", "CHF"]


def test_the_identifier_is_the_platforms(fiona: Client) -> None:
    organization = make_organization(external_id="orga_1")
    fiona.post(url_of(organization), changed(organization, external_id="orga_2", name="Renamed"))
    organization.refresh_from_db()
    assert (organization.external_id, organization.name) == ("orga_1", "Renamed")


def test_its_page_shows_how_the_account_stands(fiona: Client) -> None:
    organization = make_organization(name="Atlas")
    make_grant(organization=organization, amount_cents=12_345)
    make_grant(organization=organization, type="free", amount_cents=2_000)
    make_invoice(organization=organization, month=date(2026, 9, 1), fees_cents=20_000, refill_cents=0, status="pending")

    account = fiona.get(url_of(organization)).context["account"]

    # 200.00 - 20.00 free - 123.45 prepaid = 56.55 regularized, with VAT 67.86, due on 31 October
    assert (account.free_cents, account.prepaid_cents) == (0, 0)
    assert (account.unpaid_invoices, account.due_cents, account.overdue_cents) == (1, 6_786, 6_786)
    assert [invoice.number for invoice in account.invoices] == ["F20261001-000001"]


def test_nobody_deletes_an_organization() -> None:
    organization = make_organization()
    for role in ("Accountant", "Billing manager", "Controller"):
        client = desk(role)
        url = reverse("admin:organizations_organization_delete", args=[organization.pk])
        assert client.post(url, {"post": "yes"}).status_code == 403
    assert Organization.objects.exists()


@pytest.mark.parametrize("role", ["Viewer", "Controller", "Auditor"])
def test_others_only_look_and_see_decimals(role: str) -> None:
    client = desk(role)
    organization = make_organization(negotiated_refill_cents=50_000, consumption_discount_ppm=125_000)

    page = client.get(url_of(organization)).content.decode()

    assert client.post(url_of(organization), changed(organization, name="Renamed")).status_code == 403
    assert "500.00 <span" in page
    assert "12.5 %" in page
    assert "50,000" not in page


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({"top": "1"}, ["Atlas", "Closed"]),
        ({"top": "0"}, ["Labs"]),
        ({"open": "1"}, ["Atlas", "Labs"]),
        ({"open": "0"}, ["Closed"]),
    ],
)
def test_filters(fiona: Client, parameters: dict[str, str], found: list[str]) -> None:
    atlas = make_organization(name="Atlas")
    make_organization(name="Labs", parent=atlas)
    make_organization(name="Closed", closed_on=date(2026, 2, 1))
    result = fiona.get(reverse("admin:organizations_organization_changelist"), parameters).context["cl"].queryset
    assert sorted(organization.name for organization in result) == found


def test_the_list_says_who_buys_no_provision(fiona: Client) -> None:
    make_organization(forecast_months=0)
    page = fiona.get(reverse("admin:organizations_organization_changelist")).content.decode()
    assert "no provision" in page


def test_the_page_says_why_there_is_no_invoice(fiona: Client) -> None:
    organization = make_organization(name="Poisoned")
    make_outcome(organization=organization, kind="blocked", reason_code="amount_too_large")
    page = fiona.get(url_of(organization)).content.decode()
    assert "No invoice for October 2026:" in page
    assert "The quantities or amounts are too large to be true: check the usage." in page


def test_the_page_of_an_organization_with_an_invoice_does_not(fiona: Client) -> None:
    organization = make_organization()
    make_outcome(organization=organization)
    assert "No invoice for" not in fiona.get(url_of(organization)).content.decode()
