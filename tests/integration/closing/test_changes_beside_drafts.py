"""What people do beside a draft meets the limits of a second person too, and makes them its authors.

Usage of apps.S costs 0.01 a second. Atlas' October is 100.00 + 100.00 of provision + 20 % VAT = 240.00.
"""

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import ApprovalPolicy, Charge, Coupon, CreditGrant, Invoice
from billing.queries.organizations import fixed_currencies
from billing.usecases.apply_coupon import apply_coupon
from billing.usecases.approve_invoice import UnableToApprove
from billing.usecases.grant_credits import grant_credits
from organizations.models import Organization, User
from organizations.usecases.save_organizations import OrganizationValues, save_organizations
from tests.builders.closing import close, consume, invoice_of, issue, make_charge, why_not_issued
from tests.builders.desk import desk
from tests.builders.four_eyes import NOVEMBER_3, approve

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("draft")]

ADDED = "A second person has to approve 800.00 added by hand (from 500.00 on)."
DISCOUNT = "A second person has to approve a discount of 50.00 (from 50.00 on)."
CREDITS = "A second person has to approve using 80.00 of credits given by hand (from 50.00 on)."


@pytest.fixture(autouse=True)
def limits(draft: Invoice) -> None:
    ApprovalPolicy.objects.update(
        invoice_total_cents=None, manual_line_cents=500_00, discount_cents=50_00, credit_note_cents=50_00
    )


def set_terms(organization: Organization, *, author: User | None, **terms: Any) -> None:
    """Agree on terms, as the desk (with an author) and the platform do."""
    values = OrganizationValues(
        external_id=organization.external_id,
        name=organization.name,
        currency="EUR",
        opened_on=organization.opened_on,
        **terms,
    )
    save_organizations(organizations=[values], currency_fixed=fixed_currencies, author=author)


def give(organization: Organization, *, author: User | None, cents: int = 80_00) -> None:
    grant_credits(organization_id=organization.pk, type="free", amount_cents=cents, at=NOVEMBER_3, author=author)


def refuse_then_approve(atlas: Organization, why: str, author: User, other: User) -> None:
    """It is not issued; its author cannot approve it, somebody else can."""
    close("2026-10")
    draft = invoice_of(atlas, "2026-10")
    assert why_not_issued(issue("2026-10")) == {"orga_atlas": why}
    with pytest.raises(UnableToApprove, match="somebody else approves it"):
        approve(draft, author)
    approve(draft, other)
    assert len(issue("2026-10").numbers) == 1


def issues_at_once() -> bool:
    close("2026-10")
    return len(issue("2026-10").numbers) == 1


# --- Charges ----------------------------------------------------------------------------------------------------------


def test_a_charge_made_in_the_desk_counts_as_a_line_by_hand(atlas: Organization, max_: User, clara: User) -> None:
    Charge.objects.filter(pk=make_charge(organization=atlas).pk).update(author=max_)
    refuse_then_approve(atlas, ADDED, max_, clara)


def test_a_charge_of_the_platform_does_not(atlas: Organization) -> None:
    make_charge(organization=atlas)
    assert issues_at_once()


def test_the_desk_writes_down_who_set_what_a_charge_bills(atlas: Organization) -> None:
    form = {
        "organization": atlas.pk,
        "reference": "CH",
        "type": "one_shot",
        "description": "Migration",
        "date": "2026-10-20",
        "quantity_micro": "1",
        "unit_price_micro": "800",
    }
    desk("Accountant").post("/admin/billing/charge/add/", form)
    charge = Charge.objects.get()
    assert charge.author is not None
    assert charge.author.email == "fiona@example.com"

    url = f"/admin/billing/charge/{charge.pk}/change/"
    desk().post(url, {**form, "description": "Moving"})
    charge.refresh_from_db()
    assert (charge.description, charge.author.email) == ("Moving", "fiona@example.com")
    desk().post(url, {**form, "unit_price_micro": "900"})
    charge = Charge.objects.get()
    assert charge.author is not None
    assert charge.author.email == "max@example.com"


# --- Terms ------------------------------------------------------------------------------------------------------------


def test_a_discount_agreed_in_the_desk_counts_as_one_by_hand(atlas: Organization, max_: User, clara: User) -> None:
    set_terms(atlas, author=max_, consumption_discount_ppm=500_000)
    set_terms(atlas, author=clara, consumption_discount_ppm=500_000, payment_term_days=10)  # leaves it as it is
    refuse_then_approve(atlas, DISCOUNT, max_, clara)


def test_a_discount_of_the_platform_does_not(atlas: Organization, max_: User) -> None:
    set_terms(atlas, author=max_, consumption_discount_ppm=400_000)
    set_terms(atlas, author=None, consumption_discount_ppm=500_000)
    assert issues_at_once()


def test_nobody_approves_a_refill_that_they_agreed_on(atlas: Organization, max_: User, clara: User) -> None:
    ApprovalPolicy.objects.update(invoice_total_cents=1_000_00)
    set_terms(atlas, author=max_, negotiated_refill_cents=900_00)
    # (100.00 + 900.00) * 1.2
    why = "A second person has to approve a total of 1,200.00 (from 1,000.00 on)."
    refuse_then_approve(atlas, why, max_, clara)


def test_the_desk_writes_down_who_agreed_on_terms(atlas: Organization) -> None:
    url = f"/admin/organizations/organization/{atlas.pk}/change/"
    client = desk("Accountant")
    page = client.get(url)
    form = page.context["adminform"].form
    values = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    inlines = {
        f"{formset.formset.prefix}-{name}": value
        for formset in page.context["inline_admin_formsets"]
        for name, value in (("TOTAL_FORMS", 0), ("INITIAL_FORMS", 0))
    }
    given = {name: value for name, value in values.items() if value not in (None, "")}
    client.post(url, {**given, **inlines, "consumption_discount_ppm": "12.5"})
    atlas.refresh_from_db()
    assert atlas.consumption_discount_ppm == 125_000
    assert atlas.discount_author is not None
    assert (atlas.discount_author.email, atlas.refill_author) == ("fiona@example.com", None)


# --- Credits ----------------------------------------------------------------------------------------------------------


def test_credits_given_in_the_desk_meet_the_limit_of_credit_notes(atlas: Organization, max_: User, clara: User) -> None:
    give(atlas, author=max_, cents=40_00)
    give(atlas, author=max_, cents=40_00)  # small steps count together
    refuse_then_approve(atlas, CREDITS, max_, clara)


def test_credits_of_a_sub_organization_are_used_by_its_payer(atlas: Organization, max_: User, clara: User) -> None:
    set_parent = OrganizationValues(
        external_id="orga_sub", name="Sub", currency="EUR", opened_on=atlas.opened_on, parent=atlas.external_id
    )
    save_organizations(organizations=[set_parent], currency_fixed=fixed_currencies)
    give(Organization.objects.get(external_id="orga_sub"), author=max_)
    refuse_then_approve(atlas, CREDITS, max_, clara)


def test_credits_of_the_platform_used_up_or_expired_ask_nobody(atlas: Organization, max_: User) -> None:
    give(atlas, author=None)
    give(atlas, author=max_)
    CreditGrant.objects.filter(author=max_).update(expires_on=date(2026, 9, 30))
    assert issues_at_once()


def test_a_coupon_used_in_the_desk_is_a_gift_of_who_used_it(atlas: Organization, max_: User, clara: User) -> None:
    coupon = Coupon.objects.create(name="LAUNCH", amount_cents=80_00)
    apply_coupon(coupon_name=coupon.name, organization=atlas, user=max_, at=NOVEMBER_3)
    CreditGrant.objects.update(starts_on=None)
    refuse_then_approve(atlas, CREDITS, max_, clara)


def test_a_customer_who_uses_a_coupon_gives_nothing(atlas: Organization) -> None:
    customer = User.objects.create_user("alice@example.com", "a long enough password", name="Alice")
    coupon = Coupon.objects.create(name="LAUNCH", amount_cents=80_00)
    apply_coupon(coupon_name=coupon.name, organization=atlas, user=customer, at=NOVEMBER_3)
    assert CreditGrant.objects.get().author is None


# --- Cost -------------------------------------------------------------------------------------------------------------


def test_many_drafts_take_no_more_queries_than_one(atlas: Organization, max_: User) -> None:
    give(atlas, author=max_)
    Charge.objects.filter(pk=make_charge(organization=atlas).pk).update(author=max_)
    close("2026-10")
    with CaptureQueriesContext(
        connection,
    ) as one:
        issue("2026-10")
    for number in range(5):
        other = Organization.objects.create(
            external_id=f"orga_{number}", name=f"Other {number}", opened_on=atlas.opened_on
        )
        consume(other, quantity=1_000, on="2026-10-04")
        give(other, author=max_)
        Charge.objects.filter(pk=make_charge(organization=other).pk).update(author=max_)
    with CaptureQueriesContext(connection) as all_:
        issue("2026-10")
    assert len(all_) == len(one)
