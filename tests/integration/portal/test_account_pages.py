"""Credits, consumption, coupons, billing details and members, as the people of an organization see them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.core import mail
from django.core.cache.backends.locmem import LocMemCache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from billing.models import Coupon, CouponUse, Event
from billing.queries.billing_details import details_fingerprint, values_of
from billing.queries.months import local_day
from billing.usecases import coupon_tries as _tries
from organizations.models import BillingProfile, Membership, Organization, User
from organizations.usecases import invite_member
from tests.builders.closing import close, consume, issue, make_metered_price
from tests.builders.credits import make_grant
from tests.builders.customers import make_member, signed_in
from tests.builders.invoices import make_invoice
from tests.builders.organizations import make_organization
from tests.builders.usage import make_resource

pytestmark = pytest.mark.django_db

MONEY_PAGES = ("credits", "consumption", "coupons", "billing_details")
PAGES = (*MONEY_PAGES, "members")


@pytest.fixture
def atlas() -> Organization:
    return make_organization(name="Atlas")


def page_of(organization: Organization, name: str, *arguments: object) -> str:
    return reverse(f"portal:{name}", args=[organization.external_id, *arguments])


def text_of(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200, (url, response.status_code)
    return " ".join(response.content.decode().split())


def make_coupon(name: str = "WELCOME", **values: object) -> Coupon:
    return Coupon.objects.create(name=name, amount_cents=20_00, currency="EUR", **values)


def details_of(organization: Organization, **changes: str) -> dict[str, str | bool]:
    stored = BillingProfile.objects.filter(organization=organization).first()
    sent = {**values_of(stored), "seen": details_fingerprint(stored), **changes}
    return {name: value for name, value in sent.items() if value is not False}


class TestWhoSeesWhat:
    @pytest.mark.parametrize("name", PAGES)
    @pytest.mark.parametrize("person", ["alice", "bob"])
    def test_admins_and_accountants_see_all(self, atlas: Organization, name: str, person: str) -> None:
        assert signed_in(make_member(person, atlas)).get(page_of(atlas, name)).status_code == 200

    @pytest.mark.parametrize("name", MONEY_PAGES)
    @pytest.mark.parametrize("method", ["get", "post"])
    def test_to_others_money_does_not_exist(self, atlas: Organization, name: str, method: str) -> None:
        boreal = make_organization(name="Boreal")
        for person in (
            make_member("dave", atlas),
            make_member("erin", atlas),
            make_member("charlie", boreal, role="admin"),
            User.objects.create_user("nobody@example.com"),
        ):
            assert getattr(signed_in(person), method)(page_of(atlas, name)).status_code == 404

    @pytest.mark.parametrize("name", PAGES)
    def test_who_is_not_signed_in_is_asked_to(self, atlas: Organization, name: str) -> None:
        assert "/accounts/login/" in Client().get(page_of(atlas, name))["Location"]

    def test_members_are_for_members(self, atlas: Organization) -> None:
        make_member("alice", atlas)
        dave, charlie = make_member("dave", atlas), make_member("charlie", make_organization(name="B"), role="admin")
        page = text_of(signed_in(dave), page_of(atlas, "members"))
        assert "alice@example.com" in page
        assert "Add a member" not in page
        assert "charlie@example.com" not in page
        assert signed_in(charlie).get(page_of(atlas, "members")).status_code == 404

    @pytest.mark.parametrize("name", MONEY_PAGES)
    def test_a_sub_organization_is_told_where_its_money_is(self, atlas: Organization, name: str) -> None:
        labs = make_organization(name="Labs", parent=atlas)
        client = signed_in(make_member("alice", labs))
        assert "Labs is billed on the invoice of the organization that it belongs to" in text_of(
            client, page_of(labs, name)
        )
        make_coupon()
        client.post(page_of(labs, "coupons"), {"code": "WELCOME"})
        assert not CouponUse.objects.exists()
        assert client.get(page_of(atlas, name)).status_code == 404


class TestCredits:
    def test_balance_and_movements(self, atlas: Organization) -> None:
        make_grant(organization=atlas, type="free", amount_cents=1_234_56, reason="A gesture", at=timezone.now())
        page = text_of(signed_in(make_member("bob", atlas)), page_of(atlas, "credits"))
        assert "You were given €1,234.56 of free credits: A gesture" in page
        assert "Balance at the end" in page

    def test_only_documents_of_its_own_are_links(self, atlas: Organization) -> None:
        joined = make_organization(name="Joined")
        own, of_the_other = (make_invoice(organization=each, status="pending") for each in (atlas, joined))
        for invoice in (own, of_the_other):
            make_grant(organization=invoice.organization, sold_by=invoice, state="pending", type="prepaid")
        Organization.objects.filter(pk=joined.pk).update(parent=atlas)

        page = signed_in(make_member("bob", atlas)).get(page_of(atlas, "credits")).content.decode()

        assert f"/invoices/{own.number}" in page
        assert f"/invoices/{of_the_other.number}" not in page
        assert str(of_the_other.number) in page

    def test_nothing_yet(self, atlas: Organization) -> None:
        page = text_of(signed_in(make_member("bob", atlas)), page_of(atlas, "credits"))
        assert "No credits yet" in page

    def test_earlier_months(self, atlas: Organization) -> None:
        make_grant(organization=atlas, at=timezone.now() - timedelta(days=900))
        client = signed_in(make_member("bob", atlas))
        assert "Earlier months" in text_of(client, page_of(atlas, "credits"))
        before = local_day(timezone.now() - timedelta(days=700))
        assert "The latest months" in text_of(client, f"{page_of(atlas, 'credits')}?until={before:%Y-%m}")
        for nonsense in ("x", "2026-13", "9999-01", "0000-01"):
            text_of(client, f"{page_of(atlas, 'credits')}?until={nonsense}")


class TestConsumption:
    def test_the_forecast_and_the_charts(self, atlas: Organization) -> None:
        make_metered_price(unit_price="0.01")
        resource = make_resource(organization=atlas, name="<b>api</b>")
        now = timezone.now()
        consume(atlas, quantity=1_000, on=_hour(now - timedelta(days=1)), resource=resource, at=now)
        page = text_of(signed_in(make_member("alice", atlas)), page_of(atlas, "consumption"))
        assert "The next invoice, as it looks today" in page
        assert "&lt;b&gt;api&lt;/b&gt;" in page
        assert "<b>api" not in page
        assert "<svg" in page
        assert "style=" not in page.split("<main")[1]

    def test_the_reckoning_has_no_negative_amounts(self, atlas: Organization) -> None:
        make_metered_price(unit_price="0.01")
        Organization.objects.update(opened_on=timezone.localdate().replace(day=1))
        now = timezone.now()
        consume(atlas, quantity=30_000, on=_hour(now - timedelta(hours=3)), at=now)
        make_grant(organization=atlas, type="free", amount_cents=5_00)
        make_grant(organization=atlas, amount_cents=7_00)
        reckoning = text_of(signed_in(make_member("alice", atlas)), page_of(atlas, "consumption"))
        reckoning = reckoning.partition("How is this reckoned?")[2].partition("</details>")[0]
        assert "free ones" in reckoning
        assert "€5.00" in reckoning
        assert "€7.00" in reckoning
        assert "−" not in reckoning
        assert "lets you begin the month after" in reckoning

    def test_an_agreed_provision_is_not_said_to_be_what_is_needed(self, atlas: Organization) -> None:
        make_metered_price(unit_price="0.01")
        Organization.objects.update(opened_on=timezone.localdate().replace(day=1), negotiated_refill_cents=9_00)
        now = timezone.now()
        consume(atlas, quantity=30_000, on=_hour(now - timedelta(hours=3)), at=now)
        page = text_of(signed_in(make_member("alice", atlas)), page_of(atlas, "consumption"))
        assert '<span class="money">€9.00</span> was agreed with you' in page
        assert "lets you begin the month after" not in page

    def test_nothing_yet_is_no_table_without_rows(self, atlas: Organization) -> None:
        make_organization(name="Labs", parent=atlas)
        page = text_of(signed_in(make_member("alice", atlas)), page_of(atlas, "consumption"))
        assert "By organization" not in page

    def test_a_month_within_a_sentence_is_written_small_in_french(self, atlas: Organization) -> None:
        make_metered_price(unit_price="0.01")
        Organization.objects.update(opened_on=date(2026, 10, 1))
        consume(atlas, quantity=1_000, on="2026-10-05")
        close("2026-10")
        client = signed_in(make_member("alice", atlas))
        client.cookies["django_language"] = "fr"
        with time_machine.travel(datetime(2026, 11, 20, tzinfo=UTC)):
            page = text_of(client, page_of(atlas, "consumption"))
        assert "octobre 2026" in page
        assert "de Octobre" not in page
        assert "oct. 26" in page

    def test_incomplete_details_lead_to_where_they_are_completed(self) -> None:
        make_metered_price(unit_price="0.01")
        atlas = make_organization(with_profile=False)
        now = timezone.now()
        consume(atlas, quantity=1_000, on=_hour(now - timedelta(hours=3)), at=now)
        page = text_of(signed_in(make_member("alice", atlas)), page_of(atlas, "consumption"))
        assert "Your billing details lack: name or company, address, city, country." in page
        assert page_of(atlas, "billing_details") in page

    def test_nothing_yet_and_no_longer(self, atlas: Organization) -> None:
        alice = make_member("alice", atlas)
        assert "there will be no invoice" in text_of(signed_in(alice), page_of(atlas, "consumption"))
        Organization.objects.update(closed_on=date(2026, 2, 1))
        assert "takes no part in the month" in text_of(signed_in(alice), page_of(atlas, "consumption"))


class TestCoupons:
    @pytest.fixture(autouse=True)
    def _nobody_has_guessed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_tries, "cache", LocMemCache(str(uuid4()), {}))

    def test_a_coupon_gives_credits_once(self, atlas: Organization) -> None:
        make_coupon(credits_last_days=60)
        client = signed_in(make_member("bob", atlas))

        response = client.post(page_of(atlas, "coupons"), {"code": " WELCOME "}, follow=True)

        assert "20.00 EUR of free credits are yours." in response.content.decode()
        assert "bob@example.com" in response.content.decode()
        again = client.post(page_of(atlas, "coupons"), {"code": "WELCOME"})
        assert again.status_code == 422
        assert "This organization has already used this coupon." in again.content.decode()
        assert CouponUse.objects.count() == 1

    @pytest.mark.parametrize("code", ["", "NOPE", "<script>", "\0", "x" * 5_000])
    def test_what_is_no_coupon_gets_a_sentence(self, atlas: Organization, code: str) -> None:
        response = signed_in(make_member("alice", atlas)).post(page_of(atlas, "coupons"), {"code": code})
        assert response.status_code == 422
        assert "There is no coupon of this name." in response.content.decode()
        assert "<script>" not in response.content.decode()

    def test_codes_cannot_be_guessed_one_after_the_other(self, atlas: Organization) -> None:
        make_coupon()
        client, url = signed_in(make_member("alice", atlas)), page_of(atlas, "coupons")
        for number in range(_tries.MOST):
            assert "There is no coupon" in client.post(url, {"code": f"W{number}"}).content.decode()

        response = client.post(url, {"code": "WELCOME"})

        assert response.status_code == 422
        assert "Too many codes that do not exist" in response.content.decode()
        assert not CouponUse.objects.exists()
        boreal = make_organization(name="Boreal")
        client.force_login(make_member("bob", boreal))
        client.post(page_of(boreal, "coupons"), {"code": "WELCOME"})
        assert CouponUse.objects.get().organization == boreal

    def test_days_are_written_as_elsewhere(self, atlas: Organization) -> None:
        make_coupon(valid_until=date(2026, 3, 1))
        response = signed_in(make_member("alice", atlas)).post(page_of(atlas, "coupons"), {"code": "WELCOME"})
        assert "This coupon was valid until 1 March 2026." in response.content.decode()


class TestBillingDetails:
    def test_a_change_is_saved_and_explained(self, atlas: Organization) -> None:
        client = signed_in(make_member("bob", atlas))
        sent = details_of(atlas, country="DE", postcode="10115", city="Berlin", vat_number="DE136695976")

        response = client.post(page_of(atlas, "billing_details"), sent, follow=True)

        page = response.content.decode()
        assert "It counts for invoices that are not issued yet" in page
        assert "reverse charge" in page
        assert BillingProfile.objects.get().city == "Berlin"
        assert Event.objects.get().kind == "billing_details.changed"

    def test_mistakes_are_shown_at_their_fields(self, atlas: Organization) -> None:
        client = signed_in(make_member("alice", atlas))
        sent = details_of(atlas, vat_number="FR41303265045", city="<i>", siren="1")
        response = client.post(page_of(atlas, "billing_details"), sent)
        page = response.content.decode()
        assert response.status_code == 422
        assert "The check digits of this VAT number are wrong" in page
        assert "A SIREN has 9 digits" in page
        assert "&lt;i&gt;" in page
        assert BillingProfile.objects.get().city == "Nancy"

    def test_the_second_of_two_sees_what_the_first_wrote(self, atlas: Organization) -> None:
        first, second = signed_in(make_member("alice", atlas)), signed_in(make_member("bob", atlas))
        stale = details_of(atlas, city="Toul")
        first.post(page_of(atlas, "billing_details"), details_of(atlas, city="Metz"))

        response = second.post(page_of(atlas, "billing_details"), stale)

        assert "Somebody changed these details while you did" in response.content.decode()
        assert 'value="Metz"' in response.content.decode()
        assert BillingProfile.objects.get().city == "Metz"

    @pytest.mark.parametrize(("country", "name"), [("XI", "Northern Ireland"), ("XK", "Kosovo")])
    def test_countries_that_have_no_code_of_their_own_are_kept(
        self, atlas: Organization, country: str, name: str
    ) -> None:
        BillingProfile.objects.update(country=country, is_company=False, vat_number="")
        client, url = signed_in(make_member("alice", atlas)), page_of(atlas, "billing_details")
        page = client.get(url).content.decode()
        assert f'<option value="{country}" selected>{name}</option>' in page
        assert client.post(url, details_of(atlas, city="Elsewhere")).status_code == 302
        assert BillingProfile.objects.get().country == country

    def test_a_forged_form_is_refused(self, atlas: Organization) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(make_member("alice", atlas))
        assert client.post(page_of(atlas, "billing_details"), details_of(atlas)).status_code == 403


class TestMembers:
    def test_nobody_learns_who_has_an_account(self, atlas: Organization) -> None:
        make_member("charlie", make_organization(name="Boreal"), role="admin")
        client = signed_in(make_member("alice", atlas))
        pages = []
        for email in ("CHARLIE@example.com", "UNKNOWN@example.com"):
            page = client.post(page_of(atlas, "members"), {"email": email, "role": "developer"}, follow=True)
            member = Membership.objects.get(organization=atlas, user__email__iexact=email)
            text = (
                page.content.decode()
                .replace(member.user.email.partition("@")[0].lower(), "X")
                .replace(f"-{member.pk}", "-N")
            )
            pages.append([line for line in text.replace(f"/{member.pk}/", "/N/").splitlines() if "X@" in line])
            client.post(page_of(atlas, "remove_member", member.pk), follow=True)
        assert pages[0] == pages[1] != []

    def test_nobody_learns_names_or_how_an_address_was_written(self, atlas: Organization) -> None:
        User.objects.create_user("Charlie@example.com", name="Charles of Boreal")
        client = signed_in(make_member("alice", atlas))
        sent = {"email": "charlie@example.com", "role": "accountant"}
        page = client.post(page_of(atlas, "members"), sent, follow=True).content.decode()
        assert "charlie@example.com is a member now" in page
        client.force_login(make_member("dave", atlas))
        page += client.get(page_of(atlas, "organization")).content.decode()
        assert not any(told in page for told in ("Charlie@", "Charles of Boreal"))

    def test_an_admin_changes_and_removes(self, atlas: Organization) -> None:
        client, bob = signed_in(make_member("alice", atlas)), make_member("bob", atlas)
        membership = Membership.objects.get(user=bob)
        client.post(page_of(atlas, "change_role", membership.pk), {"role": "manager"})
        membership.refresh_from_db()
        assert membership.role == "manager"
        assert "bob@example.com" in text_of(client, page_of(atlas, "remove_member", membership.pk))
        client.post(page_of(atlas, "remove_member", membership.pk))
        assert not Membership.objects.filter(user=bob).exists()

    def test_the_last_admin_is_told(self, atlas: Organization) -> None:
        client = signed_in(make_member("alice", atlas))
        membership = Membership.objects.get()
        for name, sent in (("change_role", {"role": "developer"}), ("remove_member", {})):
            page = client.post(page_of(atlas, name, membership.pk), sent, follow=True).content.decode()
            assert "make somebody else one first" in page
        assert Membership.objects.get().role == "admin"

    @pytest.mark.parametrize("person", ["bob", "dave"])
    def test_others_change_nothing(self, atlas: Organization, person: str) -> None:
        make_member("alice", atlas)
        membership = Membership.objects.get()
        client = signed_in(make_member(person, atlas))
        client.post(page_of(atlas, "members"), {"email": "new@example.com", "role": "admin"})
        client.post(page_of(atlas, "change_role", membership.pk), {"role": "developer"})
        client.post(page_of(atlas, "remove_member", membership.pk))
        assert not User.objects.filter(email="new@example.com").exists()
        assert Membership.objects.get(pk=membership.pk).role == "admin"

    def test_who_leaves_goes_home(self, atlas: Organization) -> None:
        make_member("alice", atlas)
        other = make_member("erin", atlas, role="admin")
        client = signed_in(other)
        membership = Membership.objects.get(user=other)
        assert client.post(page_of(atlas, "remove_member", membership.pk))["Location"] == reverse("portal:home")
        assert client.get(page_of(atlas, "members")).status_code == 404


class TestForgottenPasswords:
    def test_somebody_new_chooses_a_password(self, atlas: Organization) -> None:
        admin = signed_in(make_member("alice", atlas))
        admin.post(page_of(atlas, "members"), {"email": "new@example.com", "role": "accountant"})
        client = Client()

        client.post(reverse("account_reset_password"), {"email": "new@example.com"})
        [message] = mail.outbox
        link = next(word for word in message.body.split() if "/password/reset/key/" in word)
        form = client.get("/" + link.split("/", 3)[3], follow=True)
        assert form.status_code == 200
        password = {"password1": "correct horse battery", "password2": "correct horse battery"}
        assert client.post(form.request["PATH_INFO"], password).status_code == 302

        assert User.objects.get(email="new@example.com").check_password("correct horse battery")

    def test_the_address_has_the_same_name_as_where_one_signs_in(self) -> None:
        for name in ("account_login", "account_reset_password"):
            page = Client().get(reverse(name), headers={"Accept-Language": "fr"}).content.decode()
            assert "Adresse électronique" in page
            assert "placeholder" not in page

    def test_the_answer_does_not_tell_who_has_an_account(self, atlas: Organization) -> None:
        make_member("alice", atlas)
        answers = [
            Client().post(reverse("account_reset_password"), {"email": email}, follow=True).content
            for email in ("alice@example.com", "unknown@example.com")
        ]
        assert answers[0] == answers[1]
        assert [message.to for message in mail.outbox] == [["alice@example.com"]]

    def test_a_mail_server_that_is_down_tells_nothing_either(
        self, atlas: Organization, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_args: object, **_kwargs: object) -> None:
            raise ConnectionRefusedError

        make_member("alice", atlas)
        monkeypatch.setattr("django.core.mail.EmailMessage.send", refuse)
        answer = Client().post(reverse("account_reset_password"), {"email": "alice@example.com"})
        assert answer.status_code == 302

    def test_nobody_waits_for_as_long_as_an_invoice_may(self, atlas: Organization, settings: Any) -> None:
        settings.MAILERS = settings.MAILERS | {"default": {"BACKEND": "config.no_mail_server.EmailBackend"}}
        make_member("alice", atlas)
        Client().post(reverse("account_reset_password"), {"email": "alice@example.com"})
        assert [message.to for message in mail.outbox] == [["alice@example.com"]]


class TestQueries:
    @pytest.mark.parametrize("name", PAGES)
    def test_as_many_for_a_large_organization_as_for_a_small_one(self, name: str) -> None:
        make_metered_price(unit_price="0.01")
        now = timezone.now()
        counts = []
        for person, size in (("alice", 2), ("bob", 15)):
            organization = make_organization(name=f"Size {size}")
            make_organization(name="Labs", parent=organization)
            client = signed_in(make_member(person, organization, role="admin"))
            for number in range(size):
                resource = make_resource(organization=organization)
                consume(organization, quantity=50, on=_hour(now - timedelta(hours=2)), resource=resource, at=now)
                make_grant(organization=organization, type="free", at=now - timedelta(days=20 * number))
                CouponUse.objects.create(
                    coupon=make_coupon(f"C{size}-{number}"),
                    organization=organization,
                    grant=make_grant(organization=organization, type="free"),
                    used_at=now,
                )
                Membership.objects.create(
                    organization=organization, user=User.objects.create_user(f"{size}-{number}@x.org"), role="developer"
                )
            with CaptureQueriesContext(connection) as captured:
                text_of(client, page_of(organization, name))
            counts.append(len(captured))
        assert counts[0] == counts[1]


def _hour(instant: datetime) -> str:
    return timezone.localtime(instant).strftime("%Y-%m-%d %H:00")


def test_a_closed_month_is_explained_on_the_page(atlas: Organization) -> None:
    make_metered_price(unit_price="0.01")
    consume(atlas, quantity=1_000, on="2026-09-05")
    close("2026-09")
    issue("2026-09")
    page = text_of(signed_in(make_member("alice", atlas)), page_of(atlas, "credits"))
    assert "Why is there a provision?" in page
    assert "October 2026 will probably cost" in page


def test_nobody_adds_endless_members(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invite_member, "MOST_MEMBERS", 2)
    atlas = make_organization(external_id="orga_atlas")
    client = signed_in(make_member("alice", atlas))
    url = reverse("portal:members", args=["orga_atlas"])
    assert client.post(url, {"email": "one@example.org", "role": "developer"}).status_code == 302
    page = client.post(url, {"email": "two@example.org", "role": "developer"})
    assert page.status_code == 422
    assert "at most 2 members" in page.content.decode()
    assert not User.objects.filter(email="two@example.org").exists()
