"""Keys of the API: what is stored of them, who may make them, and when they stop to open anything."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from billing.models import ApiKey, Event
from billing.usecases._permissions import NotAllowed
from billing.usecases.create_api_key import KeyRefused, create_api_key
from billing.usecases.recognize_api_key import UnknownKey, recognize_api_key
from billing.usecases.revoke_api_key import revoke_api_key
from tests.builders.api import NOW, key_row, make_key
from tests.builders.desk import make_staff
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db


def test_only_a_hash_of_the_key_is_kept() -> None:
    key = make_key("usage:write")
    row = key_row(key)
    assert key.startswith(row.prefix)
    assert len(key) > 50
    assert key.encode() not in bytes(row.digest)
    assert key[len(row.prefix) + 1 :] not in str(ApiKey.objects.values().get())
    assert key[len(row.prefix) + 1 :] not in str(Event.objects.values().get(kind="api_key.created"))


def test_scopes_are_checked_and_the_refusal_names_them_all() -> None:
    with pytest.raises(KeyRefused, match=r"Unknown scope invoices:issue: choose among usage:write, .*closes:read"):
        make_key("usage:write", "invoices:issue")
    with pytest.raises(KeyRefused, match="cannot have closes:read, coupons:write"):
        make_key("coupons:write", "closes:read", organization=make_organization())
    assert not ApiKey.objects.exists()


def test_a_key_expires_after_it_was_made_and_has_a_name() -> None:
    with pytest.raises(KeyRefused):
        make_key("usage:write", expires_at=NOW)
    with pytest.raises(KeyRefused):
        make_key("usage:write", name=" ")


@pytest.mark.parametrize(
    ("role", "scope", "is_allowed"),
    [
        ("Billing manager", "credits:write", True),
        ("Billing manager", "catalogue:write", False),
        ("Controller", "usage:write", True),
        ("Controller", "catalogue:write", True),
        ("Controller", "credits:write", False),
        ("Controller", "charges:write", False),
        ("Accountant", "usage:write", False),
        ("Auditor", "invoices:read", False),
    ],
)
def test_who_makes_a_key_gives_only_what_they_may_do_themselves(role: str, scope: str, is_allowed: bool) -> None:
    actor = make_staff(role)
    if is_allowed:
        assert create_api_key(name="scaler", scopes=[scope], actor=actor, at=NOW).row.created_by == actor
        return
    with pytest.raises(NotAllowed):
        create_api_key(name="scaler", scopes=[scope], actor=actor, at=NOW)
    assert not ApiKey.objects.exists()


def test_its_use_is_written_down_once_a_minute() -> None:
    key = make_key("usage:write")
    for seconds, noted in ((0, 0), (59, 0), (61, 61)):
        recognize_api_key(key=key, at=NOW + timedelta(seconds=seconds))
        assert key_row(key).last_used_at == NOW + timedelta(seconds=noted)


def test_an_expired_or_revoked_key_is_not_known() -> None:
    key = make_key("usage:write", expires_at=NOW + timedelta(days=1))
    recognize_api_key(key=key, at=NOW + timedelta(hours=23))
    with pytest.raises(UnknownKey, match="expired"):
        recognize_api_key(key=key, at=NOW + timedelta(days=1))
    assert revoke_api_key(key_id=key_row(key).pk, actor=make_staff("Controller"), at=NOW)
    assert not revoke_api_key(key_id=key_row(key).pk, actor=None, at=NOW)
    with pytest.raises(UnknownKey, match="revoked"):
        recognize_api_key(key=key, at=NOW)
    with pytest.raises(UnknownKey):
        recognize_api_key(key="uik_\ud800", at=NOW)


def test_the_command_prints_the_key() -> None:
    make_organization(external_id="orga_atlas")
    out = StringIO()
    arguments = ("--name", "scaler", "--scope", "usage:write", "invoices:read", "--organization", "orga_atlas")
    call_command("create_api_key", *arguments, "--days", "30", stdout=out)
    row = key_row(out.getvalue().strip())
    assert row.scopes == ["usage:write", "invoices:read"]
    assert row.organization is not None
    for wrong in (("--scope", "all"), ("--scope", "usage:write", "--organization", "orga_none")):
        with pytest.raises(CommandError):
            call_command("create_api_key", "--name", "scaler", *wrong)
