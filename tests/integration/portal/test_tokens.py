"""The page on which a person makes, sees and revokes tokens for programs."""

import re
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from organizations.models import MemberToken, User
from organizations.usecases import create_member_token as use_case
from tests.builders.api import Program
from tests.builders.customers import make_member, signed_in
from tests.builders.desk import PASSWORD
from tests.builders.organizations import make_organization
from tests.builders.tokens import make_token

pytestmark = pytest.mark.django_db

URL = "/tokens/"


@pytest.fixture
def alice() -> User:
    return make_member("alice", make_organization(external_id="orga_atlas"))


def confirmed(user: User) -> Client:
    """Somebody who signed in and then said the password again, as the page wants before it makes a token."""
    client = signed_in(user)
    response = client.post(f"{reverse('account_reauthenticate')}?next={URL}", {"password": PASSWORD})
    assert response["Location"] == URL
    return client


def test_a_token_is_shown_once_and_opens_what_its_owner_sees(alice: User) -> None:
    client = confirmed(alice)
    page = client.post(URL, {"name": "Bookkeeping", "kind": "all", "lifetime": "month"}).content.decode()
    (token,) = re.findall(r"uim_[\w-]{40,}", page)
    answer = Program(token).get("/v4/billing/organisations/orga_atlas/invoices")
    assert (answer.status_code, answer.json()) == (200, [])
    page = client.get(URL).content.decode()
    assert token not in page
    assert "Bookkeeping" in page
    row = MemberToken.objects.get()
    assert row.expires_at is not None
    assert row.expires_at - row.created_at == timedelta(days=30)
    assert token.encode() not in bytes(row.digest)


def test_who_only_signed_in_says_the_password_again(alice: User) -> None:
    page = signed_in(alice).get(URL).content.decode()
    assert "Confirm that it is you" in page
    assert 'name="lifetime"' not in page
    response = signed_in(alice).post(URL, {"name": "Bookkeeping", "kind": "all", "lifetime": "month"})
    assert response["Location"].startswith(reverse("account_reauthenticate"))
    assert MemberToken.objects.count() == 0


def test_only_ones_own_tokens_are_seen_and_revoked(alice: User) -> None:
    bob = make_member("bob", make_organization(external_id="orga_other"))
    make_token(alice)
    row = MemberToken.objects.get()
    assert row.prefix not in signed_in(bob).get(URL).content.decode()
    signed_in(bob).post(reverse("portal:revoke_token", args=[row.pk]))
    row.refresh_from_db()
    assert row.revoked_at is None

    page = signed_in(alice).post(reverse("portal:revoke_token", args=[row.pk]), follow=True).content.decode()
    assert "opens nothing any more" in page
    assert row.prefix not in page
    row.refresh_from_db()
    assert row.revoked_at is not None


@pytest.mark.parametrize(
    "form",
    [
        {"name": " ", "kind": "all", "lifetime": "month"},
        {"name": "x" * 101, "kind": "all", "lifetime": "month"},
        {"name": "\0", "kind": "all", "lifetime": "month"},
        {"name": "A", "kind": "all", "lifetime": "forever"},
        {"name": "A", "kind": "root", "lifetime": "hour"},
        {},
    ],
)
def test_what_cannot_be_made_is_said(form: dict[str, str], alice: User) -> None:
    response = confirmed(alice).post(URL, form)
    assert response.status_code == 400
    assert 'role="alert"' in response.content.decode()
    assert MemberToken.objects.count() == 0


def test_there_are_not_endless_tokens(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(use_case, "MOST_TOKENS", 1)
    make_token(alice, expires_at=timezone.now() + timedelta(days=1))
    with pytest.raises(use_case.TokenRefused, match="revoke one"):
        make_token(alice)


def test_nobody_else_finds_the_page(alice: User) -> None:
    assert Client().get(URL)["Location"].startswith(reverse("account_login"))
    assert signed_in(alice).get(reverse("portal:revoke_token", args=[1])).status_code == 405


def test_the_command_prints_a_token(alice: User, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("create_member_token", "ALICE@example.com", "--days", "7", "--name", "till")
    token = capsys.readouterr().out.strip()
    assert Program(token).get("/v4/billing/organisations/orga_atlas/invoices").status_code == 200
    assert MemberToken.objects.get().name == "till"
    for arguments in (["nobody@example.com"], ["alice@example.com", "--days", "0"]):
        with pytest.raises(CommandError):
            call_command("create_member_token", *arguments)
