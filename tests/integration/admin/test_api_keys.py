"""Making and revoking keys at the desk."""

import re

import pytest
from django.urls import reverse

from billing.models import ApiKey
from tests.builders.api import key_row, make_key
from tests.builders.desk import desk

pytestmark = pytest.mark.django_db

ADD = "/admin/billing/apikey/add/"


def test_a_key_is_shown_once() -> None:
    client = desk("Billing manager")
    assert "usage:write" not in client.get("/admin/").content.decode()
    assert 'value="usage:write"' in client.get(ADD).content.decode()
    answer = client.post(ADD, {"name": "scaler", "scopes": ["usage:write", "charges:write"], "organization": ""})
    found = re.search(r"uik_\w{8}_[\w-]{43}", answer.content.decode())
    assert found
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    row = key_row(found[0])
    assert row.scopes == ["usage:write", "charges:write"]
    page = client.get(f"/admin/billing/apikey/{row.pk}/change/").content.decode()
    assert row.prefix in page
    assert found[0] not in page
    assert row.prefix in client.get("/admin/billing/apikey/").content.decode()


def test_a_refusal_is_a_sentence_on_the_form() -> None:
    answer = desk("Controller").post(ADD, {"name": "scaler", "scopes": ["credits:write"], "organization": ""})
    assert "does not have the permission billing.add_creditgrant" in answer.content.decode()
    assert not ApiKey.objects.exists()


def test_a_key_is_revoked_by_its_button_with_a_reason() -> None:
    row = key_row(make_key("usage:write"))
    client = desk("Billing manager")
    url = reverse("admin:billing_apikey_do", args=[row.pk, "revoke"])
    assert url in client.get(f"/admin/billing/apikey/{row.pk}/change/").content.decode()
    client.post(url, {"reason": "It leaked."})
    row.refresh_from_db()
    assert row.revoked_at is not None
    assert desk("Auditor").post(url, {"reason": "It leaked."}).status_code == 403


def test_making_one_takes_a_fresh_second_factor(settings) -> None:  # type: ignore[no-untyped-def]
    settings.REQUIRE_STAFF_MFA = True
    client = desk("Billing manager")
    answer = client.post(ADD, {"name": "scaler", "scopes": ["usage:write"], "organization": ""})
    assert answer.status_code == 302
    assert not ApiKey.objects.exists()
    assert desk("Viewer").get(ADD).status_code in (302, 403)
