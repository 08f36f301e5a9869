"""Every address of the portal and everybody who might ask for it; the list of addresses is the URL configuration's."""

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, reverse

from billing.models import Invoice
from billing.portal import urls
from organizations.models import Organization
from tests.builders.archive import store
from tests.builders.customers import make_member, signed_in
from tests.builders.desk import desk, make_staff
from tests.builders.invoices import make_invoice
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db

# What every member may see; all other pages of an organization are for its Admins and Accountants.
FOR_EVERY_MEMBER = {"organization", "members"}
CHANGING = {"coupons", "billing_details", "members", "change_role", "remove_member"}
ANSWERS = {200, 302, 405}


def patterns(found: list[URLPattern | URLResolver]) -> Iterator[URLPattern]:
    for each in found:
        if isinstance(each, URLResolver):
            yield from patterns(each.url_patterns)
        else:
            yield each


OF_AN_ORGANIZATION = [
    pattern
    for resolver in urls.urlpatterns
    if isinstance(resolver, URLResolver)
    for pattern in patterns(resolver.url_patterns)
]
NAMES = [str(pattern.name) for pattern in OF_AN_ORGANIZATION]


@pytest.fixture
def atlas() -> Organization:
    return make_organization(external_id="orga_atlas", name="Atlas")


@pytest.fixture
def invoice(atlas: Organization) -> Invoice:
    return store(make_invoice(organization=atlas, status="pending", fees_cents=1_000)).invoice


def address(name: str, invoice: Invoice) -> str:
    (pattern,) = (each for each in OF_AN_ORGANIZATION if each.name == name)
    known = {"external_id": invoice.organization.external_id, "number": invoice.number}
    kwargs = {key: known.get(key, 1) for key in (*pattern.pattern.converters, "external_id")}
    return reverse(f"portal:{name}", kwargs=kwargs)


def visiting(organization: Organization, role: str = "Viewer") -> Client:
    client = desk(role)
    start = reverse("admin:organizations_organization_do", args=[organization.pk, "see-portal"])
    assert client.post(start, {"reason": "A question on the phone"})["Location"].startswith("/organizations/")
    return client


def status(client: Client, name: str, invoice: Invoice) -> int:
    return client.get(address(name, invoice)).status_code


@pytest.mark.parametrize("name", NAMES)
def test_who_is_nobody_here_signs_in_first(name: str, invoice: Invoice) -> None:
    response = Client().get(address(name, invoice))
    assert response["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize("name", NAMES)
def test_admins_and_accountants_see_it(name: str, invoice: Invoice) -> None:
    for person in ("alice", "bob"):
        assert status(signed_in(make_member(person, invoice.organization)), name, invoice) in ANSWERS


@pytest.mark.parametrize("name", NAMES)
def test_managers_and_developers_do_not_find_what_is_about_money(name: str, invoice: Invoice) -> None:
    for person in ("dave", "erin"):
        found = status(signed_in(make_member(person, invoice.organization)), name, invoice)
        assert (found in ANSWERS) if name in FOR_EVERY_MEMBER else (found == 404)


@pytest.mark.parametrize("name", NAMES)
def test_to_everybody_else_the_organization_does_not_exist(name: str, invoice: Invoice) -> None:
    other = make_organization(external_id="orga_other")
    child = make_organization(external_id="orga_lab", parent=invoice.organization)
    parent = make_organization(external_id="orga_holding")
    Organization.objects.filter(pk=invoice.organization_id).update(parent=parent)
    for person in (
        make_member("charlie"),
        make_member("alice", other),
        make_member("bob", child),  # of a sub-organization
        make_member("carol", parent, role="admin"),  # of the organization that pays
        make_staff("Billing manager"),
    ):
        assert status(signed_in(person), name, invoice) == 404


@pytest.mark.parametrize("name", NAMES)
def test_staff_see_it_while_they_visit_and_only_that_one(name: str, invoice: Invoice) -> None:
    assert status(visiting(invoice.organization), name, invoice) in ANSWERS
    other = make_organization(external_id="orga_other")
    assert status(visiting(other), name, invoice) == 404


@pytest.mark.parametrize("name", NAMES)
def test_methods_that_a_page_does_not_know_are_refused(name: str, invoice: Invoice) -> None:
    client = signed_in(make_member("alice", invoice.organization))
    for method in (client.put, client.patch, client.delete):
        assert method(address(name, invoice)).status_code == 405
    if name not in CHANGING:
        assert client.post(address(name, invoice)).status_code == 405


@pytest.mark.parametrize("kind", ["draft", "discarded"])
def test_a_draft_is_not_shown_whatever_is_asked_for(kind: str, atlas: Organization) -> None:
    make_invoice(organization=atlas, status=kind, fees_cents=1_000)  # type: ignore[arg-type]
    client = signed_in(make_member("alice", atlas))
    assert client.get(reverse("portal:invoice", args=[atlas.external_id, "None"])).status_code == 404
    assert "No invoice yet" in client.get(reverse("portal:invoices", args=[atlas.external_id])).content.decode()


def test_an_invoice_is_found_below_its_own_organization_only(invoice: Invoice) -> None:
    other = make_organization(external_id="orga_other")
    client = signed_in(make_member("alice", invoice.organization, other))
    assert client.get(reverse("portal:invoice", args=[other.external_id, invoice.number])).status_code == 404
    assert client.get(reverse("portal:usage_csv", args=[other.external_id, invoice.number])).status_code == 404


class TestEntrance:
    """The first page."""

    def test_one_organization_opens_at_once(self, invoice: Invoice) -> None:
        response = signed_in(make_member("alice", invoice.organization)).get("/", follow=True)
        assert response.redirect_chain[-1][0] == reverse("portal:invoices", args=["orga_atlas"])

    def test_several_are_to_be_chosen_from(self, atlas: Organization) -> None:
        other = make_organization(external_id="orga_other", name="Berlin")
        page = signed_in(make_member("alice", atlas, other)).get("/").content.decode()
        assert all(reverse("portal:organization", args=[each]) in page for each in ("orga_atlas", "orga_other"))

    def test_who_belongs_to_none_is_told_whom_to_ask(self) -> None:
        assert "belong to no organization yet" in signed_in(make_member("charlie")).get("/").content.decode()

    def test_staff_go_to_their_desk(self) -> None:
        assert desk("Viewer").get("/")["Location"] == reverse("admin:index")

    def test_a_developer_learns_who_can_see_invoices(self, atlas: Organization) -> None:
        make_member("alice", atlas)
        page = signed_in(make_member("dave", atlas)).get("/", follow=True).content.decode()
        assert "Who can see invoices" in page
        assert "alice@example.com" in page
        assert reverse("portal:invoices", args=["orga_atlas"]) not in page

    @pytest.mark.parametrize("identifier", ["a/b", "a%2Fb", "100 %", "ä?#"])
    def test_identifiers_may_be_any_text(self, identifier: str) -> None:
        organization = make_organization(external_id=identifier)
        response = signed_in(make_member("alice", organization)).get("/", follow=True)
        assert response.status_code == 200
        assert response.context["organization"] == organization


@pytest.mark.parametrize("forged", ["%00", "orga_atlas%00", "%2500", "%FF", "..%2F..%2Forga_atlas", "ORGA_ATLAS", "1"])
def test_a_forged_identifier_is_not_found(forged: str, invoice: Invoice) -> None:
    client = signed_in(make_member("alice", invoice.organization))
    visit = visiting(invoice.organization)
    for path in ("", "invoices/", f"invoices/{invoice.number}.pdf"):
        assert client.get(f"/organizations/{forged}/{path}").status_code == 404
        assert visit.get(f"/organizations/{forged}/{path}").status_code == 404
        assert client.get(f"/organizations/orga_atlas/invoices/{forged}/").status_code == 404


def test_pages_are_kept_by_no_cache_and_run_nothing_inline(invoice: Invoice) -> None:
    client = signed_in(make_member("alice", invoice.organization))
    for name in ("invoices", "invoice"):
        response = client.get(address(name, invoice))
        page = response.content.decode()
        assert "no-store" in response["Cache-Control"]
        assert "unsafe" not in response["Content-Security-Policy"]
        assert " style=" not in page
        assert "<script" not in page
