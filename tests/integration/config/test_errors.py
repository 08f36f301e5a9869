"""What fails without anybody having foreseen it."""

from typing import Any, Never

import pytest
from django.test import Client

from billing.api.v4.prices import PriceSystemView
from billing.api.views import ProgramView
from tests.builders.desk import make_staff

pytestmark = pytest.mark.django_db


def fail(*_: Any, **__: Any) -> Never:
    raise RuntimeError("the secret of a connection")


@pytest.mark.parametrize("url", ["/api/usage", "/v4/billing/price-system?zone_id=par"])
def test_programs_get_a_problem(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PriceSystemView, "get", fail)
    monkeypatch.setattr(ProgramView, "check_throttles", fail)
    response = Client(raise_request_exception=False).get(url)
    assert (response.status_code, response.json()["code"]) == (500, "server_error")
    assert b"secret" not in response.content
    is_v4 = url.startswith("/v4/")
    assert response.headers["Content-Type"] == ("application/json" if is_v4 else "application/problem+json")
    assert ("message" in response.json()) == is_v4


def test_people_get_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("billing.portal.entrance.memberships_of", fail)
    client = Client(raise_request_exception=False)
    client.force_login(make_staff("Viewer"))
    response = client.get("/")
    assert response.status_code == 500
    assert response.headers["Content-Type"].startswith("text/html")
