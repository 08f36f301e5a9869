"""/healthz, /readyz, /metrics and the headers of every page."""

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.urls import reverse

pytestmark = pytest.mark.django_db


def refuse(*args: object, **options: object) -> None:
    raise ConnectionError("refused")


def test_alive(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


def test_ready(client: Client) -> None:
    response = client.get("/readyz")

    assert response.status_code == 200
    assert response.json() == {"status": "ok", "database": "ok", "cache": "ok"}


def test_not_ready_without_a_database_but_alive(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "cursor", refuse)

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json() == {"status": "unavailable", "database": "unavailable", "cache": "ok"}
    assert client.get("/healthz").status_code == 200


def test_not_ready_without_a_cache(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(cache._connections["default"]), "set", refuse)  # type: ignore[attr-defined]

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["cache"] == "unavailable"


def test_metrics_count_requests_by_view(client: Client) -> None:
    client.get("/healthz")

    text = client.get("/metrics").content.decode()

    assert 'http_request_duration_seconds_count{method="GET",status="200",view="healthz"}' in text


def test_only_the_desk_may_evaluate_scripts(client: Client) -> None:
    strict = client.get("/healthz")["Content-Security-Policy"]
    desk = client.get(reverse("admin:login"))["Content-Security-Policy"]

    assert "unsafe" not in strict
    assert "script-src 'self' 'unsafe-eval'" in desk


def test_the_front_page_asks_who_it_is(client: Client) -> None:
    assert client.get("/")["Location"] == f"{reverse('account_login')}?next=/"
