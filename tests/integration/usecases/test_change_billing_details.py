"""Members change to whom invoices are made out: checked, written down, for invoices that are not issued yet."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.utils import translation

from billing.models import Event
from billing.queries.billing_details import details_fingerprint, vat_words
from billing.usecases.change_billing_details import (
    BilledElsewhere,
    DetailsChangedMeanwhile,
    DetailsRefused,
    change_billing_details,
)
from organizations.models import BillingProfile, Organization, User
from organizations.roles import RoleRequired
from organizations.usecases.save_organizations import ProfileValues
from tests.builders.closing import close, consume, everything_stored, invoice_of, issue, make_metered_price
from tests.builders.customers import make_member
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 5, 10, 0, tzinfo=UTC)
DETAILS = ProfileValues(
    company="Atlas SAS", name="Jane Doe", address="1 rue du Joli Cœur", postcode="54000", city="Nancy", country="FR"
)
GERMAN = replace(DETAILS, country="DE", postcode="10115", city="Berlin", vat_number="DE 136 695 976")


def change(
    organization: Organization, actor: User, details: ProfileValues = DETAILS, seen: str | None = None
) -> BillingProfile:
    stored = BillingProfile.objects.filter(organization=organization).first()
    return change_billing_details(
        organization_id=organization.pk,
        details=details,
        seen=details_fingerprint(stored) if seen is None else seen,
        actor=actor,
        at=AT,
    )


def errors_of(organization: Organization, actor: User, **changes: Any) -> dict[str, str]:
    before = everything_stored()
    with pytest.raises(DetailsRefused) as refused:
        change(organization, actor, replace(DETAILS, **changes))
    assert everything_stored() == before
    return refused.value.errors


def test_a_change_is_stored_and_written_down() -> None:
    atlas = make_organization()
    alice = make_member("alice", atlas)

    profile = change(atlas, alice, GERMAN)

    profile.refresh_from_db()
    assert (profile.city, profile.vat_number, str(profile.country)) == ("Berlin", "DE136695976", "DE")
    event = Event.objects.get(kind="billing_details.changed")
    assert (event.actor, event.organization, event.at) == (alice, atlas, AT)
    assert event.values["before"]["city"] == "Nancy"
    assert event.values["after"] == {
        "city": "Berlin",
        "country": "DE",
        "postcode": "10115",
        "vat_number": "DE136695976",
    }
    logged = LogEntry.objects.get_for_object(profile).first()
    assert logged is not None
    assert logged.changes_dict["city"] == ["Nancy", "Berlin"]


def test_the_same_again_changes_nothing() -> None:
    atlas = make_organization()
    bob = make_member("bob", atlas)
    change(atlas, bob)
    before = everything_stored()

    change(atlas, bob)

    assert everything_stored() == before


def test_an_organization_without_details_gets_some() -> None:
    atlas = make_organization(with_profile=False)

    change(atlas, make_member("alice", atlas))

    assert BillingProfile.objects.get(organization=atlas).company == "Atlas SAS"
    assert Event.objects.count() == 1


def test_whether_e_invoices_are_required_is_not_for_members() -> None:
    atlas = make_organization()
    BillingProfile.objects.update(requires_e_invoice=True)

    assert change(atlas, make_member("alice", atlas), GERMAN).requires_e_invoice


@pytest.mark.parametrize("name", ["dave", "erin"])
def test_who_does_not_see_money_changes_nothing(name: str) -> None:
    atlas = make_organization()
    with pytest.raises(RoleRequired):
        change(atlas, make_member(name, atlas))


def test_members_of_others_and_staff_change_nothing() -> None:
    atlas, boreal = make_organization(), make_organization(name="Boreal")
    stranger = make_member("charlie", boreal, role="admin")
    with pytest.raises(RoleRequired):
        change(atlas, stranger)
    with pytest.raises(RoleRequired):
        change(atlas, User.objects.create_superuser("root@example.com"))


def test_a_sub_organization_has_no_details_of_its_own() -> None:
    labs = make_organization(name="Labs", parent=make_organization())
    with pytest.raises(BilledElsewhere, match="billed on another one's invoice"):
        change(labs, make_member("alice", labs))


def test_the_second_of_two_is_told() -> None:
    atlas = make_organization()
    alice, bob = make_member("alice", atlas), make_member("bob", atlas)
    seen = details_fingerprint(BillingProfile.objects.get(organization=atlas))
    change(atlas, alice, replace(DETAILS, city="Metz"), seen)

    with pytest.raises(DetailsChangedMeanwhile, match="Somebody changed these details while you did"):
        change(atlas, bob, replace(DETAILS, city="Toul"), seen)

    assert BillingProfile.objects.get(organization=atlas).city == "Metz"


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"city": " "}, {"city": "This is needed on every invoice."}),
        ({"company": ""}, {"company": "Give the name of the company, or say that there is none."}),
        ({"is_company": False, "name": ""}, {"name": "Give a name: the invoice is made out to it."}),
        ({"country": "QQ"}, {"country": "Choose a country of the list."}),
        ({"email": "nobody"}, {"email": "This is not an e-mail address."}),
        ({"language": "de"}, {"language": "Choose one of the languages."}),
        ({"address": "a" * 501}, {"address": "At most 500 characters fit here."}),
        ({"city": "Nan\0cy"}, {"city": "There is a character in it that cannot be stored."}),
        ({"siren": "123"}, {"siren": "A SIREN has 9 digits, a SIRET has 14."}),
        (
            {"siren": "303265046"},
            {"siren": "The check digit of this number is wrong: probably one digit is mistyped."},
        ),
        (
            {"vat_number": "FR41303265045"},
            {"vat_number": "The check digits of this VAT number are wrong: probably one character is mistyped."},
        ),
        (
            {"vat_number": "DE136695976"},
            {"vat_number": "A VAT number of this country begins with FR; yours does not."},
        ),
        ({"vat_number": "FR1"}, {"vat_number": "This does not have the form of a VAT number of this country."}),
        (
            {"vat_number": "FR40303265045", "siren": "732829320"},
            {"siren": "This is not the company of the VAT number, which ends with the SIREN 303265045."},
        ),
        (
            {"is_company": False, "vat_number": "FR40303265045"},
            {"vat_number": "Only a company has a VAT number: say that you are one, or leave it empty."},
        ),
        (
            {"electronic_address": "303265045"},
            {"electronic_address": "An electronic address and its kind go together: give both or neither."},
        ),
        (
            {"electronic_address": "303265045", "electronic_scheme": "FR"},
            {"electronic_scheme": "The kind is a code of four digits, such as 0225."},
        ),
    ],
)
def test_what_cannot_be_right_is_refused_at_its_field(changes: dict[str, Any], errors: dict[str, str]) -> None:
    atlas = make_organization()
    assert errors_of(atlas, make_member("alice", atlas), **changes) == errors


def test_numbers_are_stored_without_spaces() -> None:
    atlas = make_organization()
    profile = change(
        atlas, make_member("alice", atlas), replace(DETAILS, vat_number="fr 40 303 265 045", siren="303 265 045")
    )
    assert (profile.vat_number, profile.siren) == ("FR40303265045", "303265045")


def test_issued_invoices_stay_and_drafts_follow_when_they_are_computed_again() -> None:
    make_metered_price(unit_price="0.01")
    atlas = make_organization()
    alice = make_member("alice", atlas)
    consume(atlas, quantity=1_000, on="2026-09-05")
    close("2026-09")
    issue("2026-09")
    consume(atlas, quantity=1_000, on="2026-10-05")
    close("2026-10")

    change(atlas, alice, GERMAN)
    close("2026-10")

    issued, draft = invoice_of(atlas, "2026-09"), invoice_of(atlas, "2026-10")
    assert issued.buyer is not None
    assert (issued.buyer["city"], issued.vat_cents > 0) == ("Nancy", True)
    assert draft.vat_cents == 0


@pytest.mark.parametrize(
    ("country", "postcode", "is_company", "vat_number", "words"),
    [
        ("FR", "54000", True, "", "Your invoices carry 20 % VAT."),
        ("RE", "97400", True, "", "Your invoices carry 8.5 % VAT."),
        ("DE", "", True, "DE136695976", "you declare it yourself (reverse charge)"),
        ("DE", "", True, "", "With a VAT number of your country they would carry none"),
        ("DE", "", True, "DE1", "the VAT number is not a valid one"),
        ("DE", "", False, "", "Your invoices carry 20 % VAT."),
        ("US", "", True, "", "United States of America is outside its territory"),
        ("", "", True, "", "once your address has a country"),
    ],
)
def test_what_the_details_mean_for_vat(
    country: str, postcode: str, is_company: bool, vat_number: str, words: str
) -> None:
    profile = BillingProfile(country=country, postcode=postcode, is_company=is_company, vat_number=vat_number)
    with translation.override("en"):
        assert words in vat_words(profile, on=AT.date())
