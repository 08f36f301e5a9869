"""Every route with every kind of key, and with what is no key."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.urls import URLPattern

from billing.api.urls import urlpatterns
from billing.api.views import KeyView
from billing.models import ApiKey
from billing.usecases.revoke_api_key import revoke_api_key
from organizations.models import User
from tests.builders.api import NOW, Program, key_row, make_key
from tests.builders.desk import make_staff
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db

PARTS = {"identity": "orga_atlas", "number": "F1", "month": "2026-10"}


@pytest.fixture(autouse=True)
def _at_nine() -> Iterator[None]:
    cache.clear()
    with time_machine.travel(NOW, tick=False):
        yield


def routes() -> list[tuple[str, str, str]]:
    """Method, address and scope of everything that takes a key."""
    found = []
    for pattern in urlpatterns:
        view: Any = getattr(pattern.callback, "cls", None) if isinstance(pattern, URLPattern) else None
        if view is None or not issubclass(view, KeyView):
            continue
        address = str(pattern.pattern)
        for name, value in PARTS.items():
            for converter in ("any", "str"):
                address = address.replace(f"<{converter}:{name}>", value)
        found += [(method, f"/api/{address}", scope) for method, scope in view.scopes.items()]
    return found


ROUTES = routes()


def test_there_are_routes_and_none_issues_or_refunds() -> None:
    assert len(ROUTES) >= 20
    assert {method for method, _, _ in ROUTES} == {"GET", "PUT", "POST"}


@pytest.mark.parametrize(("method", "url", "scope"), ROUTES)
def test_a_route_opens_to_its_scope_only(method: str, url: str, scope: str) -> None:
    from billing.domain.scopes import SCOPES

    others = [other for other in SCOPES if other != scope]
    refused = Program(make_key(*others)).send(method, url, {})
    assert (refused.status_code, refused.json()["code"]) == (403, "missing_scope")
    assert scope in refused.json()["detail"]
    opened = Program(make_key(scope)).send(method, url, {})
    assert opened.status_code not in (401, 403, 405, 500)


@pytest.mark.parametrize(("method", "url", "scope"), ROUTES)
def test_what_is_no_key_opens_nothing(method: str, url: str, scope: str) -> None:
    expired = make_key(expires_at=NOW + timedelta(minutes=1), at=NOW - timedelta(days=1))
    ApiKey.objects.update(expires_at=NOW)
    revoked = make_key()
    revoke_api_key(key_id=key_row(revoked).pk, actor=None, at=NOW)
    for key in (None, expired, revoked, revoked[:-1], "uik", "é"):
        answer = Program(key).send(method, url, {})
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"] == 'Bearer realm="api"'
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["code"] == ("unknown_key" if key else "missing_key")


def test_only_the_header_carries_a_key() -> None:
    key = make_key()
    client = Client()
    assert client.get("/api/invoices", {"key": key, "access_token": key}).status_code == 401
    assert client.get("/api/invoices", headers={"Authorization": f"Basic {key}"}).status_code == 401
    assert client.get("/api/invoices", headers={"Authorization": f"bearer  {key}"}).status_code == 200
    assert client.get("/api/invoices", headers={"X-Api-Key": key}).status_code == 401


def test_who_is_signed_in_is_nobody_here() -> None:
    make_organization(external_id="orga_atlas")
    root = User.objects.create_superuser("root@example.com", "a long enough password")
    for user in (make_staff("Billing manager"), root):
        client = Client(enforce_csrf_checks=True)
        client.force_login(user)
        assert client.get("/api/invoices").status_code == 401
        assert client.post("/api/charges", {}, "application/json").status_code == 401
    # And a key needs no token against forgery.
    answer = Client(enforce_csrf_checks=True).post(
        "/api/usage", "[]", "application/json", headers={"Authorization": f"Bearer {make_key()}"}
    )
    assert answer.status_code == 200


def test_what_is_not_there() -> None:
    program = Program(make_key())
    for url in ("/api/", "/api/none", "/api/usage/", "/api/organizations/", "/api/a%0Ab%0A", "/api/invoices/F1/pdf"):
        answer = program.get(url)
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    for method, url, allowed in (
        ("DELETE", "/api/organizations/x", "GET, PUT, HEAD"),
        ("GET", "/api/usage", "POST"),
        ("OPTIONS", "/api/usage", "POST"),
        ("PATCH", "/api/charges", "POST"),
    ):
        answer = program.send(method, url, {})
        assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
        assert set(answer["Allow"].split(", ")) == set(allowed.split(", "))
    assert program.send("HEAD", "/api/invoices", b"").status_code == 200


def test_requests_are_counted_per_key(settings: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = 3
    one, other = Program(make_key()), Program(make_key())
    for left in (2, 1, 0):
        answer = one.get("/api/invoices")
        assert answer["RateLimit-Limit"] == "3"
        assert answer["RateLimit-Remaining"] == str(left)
        assert answer["RateLimit"] == f'"key";r={left};t=60'
        assert answer["RateLimit-Policy"] == '"key";q=3;w=60'
    refused = one.get("/api/invoices")
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
    assert refused["Retry-After"] == refused["RateLimit-Reset"] == "60"
    assert other.get("/api/invoices").status_code == 200
    with time_machine.travel(NOW + timedelta(seconds=60)):
        assert one.get("/api/invoices").status_code == 200
    settings.API_REQUESTS_PER_MINUTE = 0
    assert "RateLimit" not in one.get("/api/invoices")
