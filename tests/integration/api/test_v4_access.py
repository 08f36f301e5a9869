"""Every address of the customers' API and everybody who might ask for it; the list is the URL configuration's."""

from base64 import b64encode
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import URLPattern, URLResolver, reverse

from billing.api.v4 import urls
from billing.models import CouponUse, Invoice
from organizations.models import Membership, MemberToken, User
from organizations.usecases.revoke_member_token import revoke_member_token
from tests.builders.api import NOW, Program, make_key
from tests.builders.archive import store
from tests.builders.customers import make_member
from tests.builders.desk import make_staff
from tests.builders.invoices import make_invoice
from tests.builders.organizations import make_organization
from tests.builders.tokens import make_token, program_of

pytestmark = pytest.mark.django_db

PUBLIC = {"price-system"}
QUERY = {"price-system": {"zone_id": "par"}, "organization-price-system": {"zone_id": "par"}}
DOWNLOADS = {"invoice-page", "invoice-file"}


def patterns(found: list[URLPattern | URLResolver]) -> Iterator[str]:
    for each in found:
        if isinstance(each, URLResolver):
            yield from patterns(each.url_patterns)
        elif each.name:
            yield each.name


NAMES = sorted(patterns([*urls.urlpatterns]))
OF_MEMBERS = [name for name in NAMES if name not in PUBLIC]


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with time_machine.travel(NOW + timedelta(minutes=1), tick=False):
        yield


@pytest.fixture
def invoice() -> Invoice:
    atlas = make_organization(external_id="orga_atlas", name="Atlas")
    return store(make_invoice(organization=atlas, status="pending", fees_cents=1_000)).invoice


def address(name: str, invoice: Invoice) -> str:
    values = {"external_id": invoice.organization.external_id, "number": invoice.number}
    wanted = () if name in PUBLIC else ("external_id", "number") if name.startswith("invoice-") else ("external_id",)
    if name == "invoice":
        wanted = ("external_id", "number")
    return reverse(f"v4:{name}", kwargs={key: values[key] for key in wanted})


def ask(program: Program, name: str, invoice: Invoice) -> Any:
    if name == "applied-coupons":
        return program.post(address(name, invoice), {"name": "NONE"})
    return program.get(address(name, invoice), **QUERY.get(name, {}))


def test_the_list_is_that_of_the_document() -> None:
    assert set(NAMES) == {
        "applied-coupons",
        "credits-summary",
        "invoice",
        "invoice-file",
        "invoice-page",
        "invoices",
        "organization-price-system",
        "payment-methods",
        "price-system",
        "unpaid-invoices",
    }


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("role", ["admin", "accountant"])
def test_admins_and_accountants_are_answered(name: str, role: str, invoice: Invoice) -> None:
    program = program_of(make_member("alice", invoice.organization, role=role))
    status = 400 if name == "applied-coupons" else 200  # there is no such coupon
    assert ask(program, name, invoice).status_code == status


@pytest.mark.parametrize("name", OF_MEMBERS)
@pytest.mark.parametrize("who", ["developer", "manager", "member of another", "member of none", "staff", "superuser"])
def test_to_everybody_else_it_does_not_exist(name: str, who: str, invoice: Invoice) -> None:
    match who:
        case "developer" | "manager":
            user = make_member("alice", invoice.organization, role=who)
        case "member of another":
            user = make_member("alice", make_organization(external_id="orga_other"), role="admin")
        case "member of none":
            user = make_member("alice")
        case "staff":
            user = make_staff("Billing manager")
        case _:
            user = User.objects.create_superuser("root@example.com", "a long enough password")
    response = ask(program_of(user), name, invoice)
    assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert CouponUse.objects.count() == 0


@pytest.mark.parametrize("name", OF_MEMBERS)
@pytest.mark.parametrize("who", ["nobody", "gibberish", "unknown", "revoked", "expired", "inactive", "platform key"])
def test_who_shows_no_token_is_told_to(name: str, who: str, invoice: Invoice) -> None:
    user = make_member("alice", invoice.organization)
    token: str | None = make_token(user, expires_at=NOW + timedelta(seconds=30) if who == "expired" else None)
    match who:
        case "nobody":
            token = None
        case "gibberish":
            token = "é\x7f{}"
        case "unknown":
            token = "uim_00000000_AAAA"
        case "revoked":
            assert revoke_member_token(token_id=MemberToken.objects.get().pk, user=user, at=NOW)
        case "inactive":
            User.objects.update(is_active=False)
        case "platform key":
            token = make_key()
    program = Program(token.encode().decode("latin-1") if token else None)
    response = ask(program, name, invoice)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert response.headers["Content-Type"] == "application/json"  # all that the published clients read
    assert response.json()["code"] in {"missing_key", "unknown_key"}


def test_everybody_reads_the_catalogue(invoice: Invoice) -> None:
    assert ask(Program(), "price-system", invoice).status_code == 200


def test_a_role_that_is_taken_away_counts_at_once(invoice: Invoice) -> None:
    program = program_of(make_member("alice", invoice.organization))
    Membership.objects.update(role="developer")
    assert ask(program, "invoices", invoice).status_code == 404


def test_an_invoice_of_another_organization_is_not_there(invoice: Invoice) -> None:
    other = make_organization(external_id="orga_other")
    program = program_of(make_member("alice", other))
    for suffix in ("", ".html", ".pdf"):
        url = f"/v4/billing/organisations/orga_other/invoices/{invoice.number}{suffix}"
        assert program.get(url).status_code == 404


# --- Tokens in addresses ----------------------------------------------------------------------------------------------


def packed(token: str) -> str:
    return b64encode(f"Bearer {token}".encode()).decode()


@pytest.mark.parametrize("name", OF_MEMBERS)
def test_only_downloads_take_a_token_from_the_address(name: str, invoice: Invoice) -> None:
    token = make_token(make_member("alice", invoice.organization), downloads_only=True)
    url = address(name, invoice)
    query = {**QUERY.get(name, {}), "authorization": packed(token)}
    response = Client().get(url, query)
    assert response.status_code == (200 if name in DOWNLOADS else 401)


@pytest.mark.parametrize("name", OF_MEMBERS)
def test_a_token_for_downloads_opens_nothing_else(name: str, invoice: Invoice) -> None:
    program = Program(make_token(make_member("alice", invoice.organization), downloads_only=True))
    response = ask(program, name, invoice)
    assert response.status_code == (200 if name in DOWNLOADS else 403)


def test_a_token_in_an_address_opens_little_or_not_for_long(invoice: Invoice) -> None:
    user = make_member("alice", invoice.organization)
    url = address("invoice-file", invoice)
    for expires_at, status in ((None, 403), (NOW + timedelta(days=1), 403), (NOW + timedelta(hours=1), 200)):
        response = Client().get(url, {"authorization": packed(make_token(user, expires_at=expires_at))})
        assert response.status_code == status
    for broken in ("", "%", "AAAA", b64encode(b"Basic QQ==").decode(), b64encode(b"\xff\xfe").decode()):
        assert Client().get(url, {"authorization": broken}).status_code == 401


# --- Manners ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_browser_on_another_site_may_ask(name: str, invoice: Invoice) -> None:
    asked = Client().options(address(name, invoice), headers={"Origin": "https://console.example.org"})
    assert asked.status_code == 204
    assert asked.headers["Access-Control-Allow-Origin"] == "*"
    assert "Authorization" in asked.headers["Access-Control-Allow-Headers"]
    answer = ask(program_of(make_member("alice", invoice.organization)), name, invoice)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("name", NAMES)
def test_other_methods_are_refused(name: str, invoice: Invoice) -> None:
    program = program_of(make_member("alice", invoice.organization))
    for method in ("PUT", "PATCH", "DELETE"):
        response = program.send(method, address(name, invoice), {})
        assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
def test_what_is_nowhere_is_plain_json_too(method: str) -> None:
    response = Client().generic(method, "/v4/billing/nothing")
    assert (response.status_code, response.headers["Content-Type"]) == (404, "application/json")
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    if method != "HEAD":
        assert response.json()["message"] == "There is nothing at this address."


def test_a_token_has_a_quota(invoice: Invoice, settings: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = 2
    program = program_of(make_member("alice", invoice.organization))
    answers = [ask(program, "invoices", invoice) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].headers["Retry-After"]


def test_the_use_of_a_token_is_written_down(invoice: Invoice) -> None:
    ask(program_of(make_member("alice", invoice.organization)), "invoices", invoice)
    assert MemberToken.objects.get().last_used_at == NOW + timedelta(minutes=1)
