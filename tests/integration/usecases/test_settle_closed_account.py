"""Closing an account: pending refills are credited, unused prepaid credits refunded, free ones lost by the close."""

from datetime import date

import pytest

from billing.models import ApprovalPolicy, CreditEntry, CreditGrant, Event
from billing.usecases._permissions import NotAllowed
from billing.usecases.check_drafts import check_drafts
from billing.usecases.settle_closed_account import AccountNotOver, SettledAccount, settle_closed_account
from organizations.models import BillingProfile, Organization, User
from tests.builders.closing import (
    broken_promises,
    close,
    close_and_issue,
    consume,
    invoice_of,
    issue,
    local,
    make_metered_price,
    pay,
    remaining_of,
)
from tests.builders.credits import make_grant
from tests.builders.desk import make_staff
from tests.builders.four_eyes import approve
from tests.builders.money import credits_of, ledger_of, stands
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db

JANUARY_10 = local("2027-01-10 10:00")


@pytest.fixture
def atlas() -> Organization:
    """Consumes 100.00 in October, 40.00 in November; closes on 10 November."""
    make_metered_price()
    atlas = make_organization(external_id="orga_atlas", opened_on=date(2026, 9, 1))
    consume(atlas, quantity=10_000, on="2026-10-03")
    close_and_issue("2026-10")
    Organization.objects.update(closed_on=date(2026, 11, 10))
    consume(atlas, quantity=4_000, on="2026-11-03")
    return atlas


def settle(organization: Organization, *, actor: User | None = None) -> SettledAccount:
    return settle_closed_account(
        organization_id=organization.pk, reason="The account is closed", actor=actor, at=JANUARY_10
    )


def test_who_must_get_e_invoices_waits_for_their_check(atlas: Organization) -> None:
    pay(invoice_of(atlas, "2026-10"))
    close_and_issue("2026-11")
    BillingProfile.objects.update(requires_e_invoice=True)

    first = settle(atlas)
    [note] = first.waiting
    assert (first.issued, note.document_state) == ([], "draft")

    check_drafts(check=lambda document: (), at=JANUARY_10)
    assert settle(atlas).issued == [note]
    assert not broken_promises()


def test_unused_prepaid_credits_are_refunded_at_their_vat_rate(atlas: Organization) -> None:
    october = invoice_of(atlas, "2026-10")
    pay(october)
    close_and_issue("2026-11")  # 40.00 of the 100.00 that October provided

    [note] = settle(atlas).issued

    assert (note.refers_to, note.subtotal_cents, note.total_cents) == (october, 6_000, 7_200)
    assert ledger_of(october) == ["grant 10000", "use -4000", "refund -6000"]
    assert stands(october) == ("paid", 16_800)  # 240.00 - 72.00, which can be refunded now
    assert Event.objects.get(kind="account.settled").values["credit_notes"] == [note.number]
    assert not broken_promises()


def test_pending_refills_are_credited(atlas: Organization) -> None:
    close_and_issue("2026-11")
    october = invoice_of(atlas, "2026-10")
    assert credits_of(october) == ("pending", 0, 10_000)

    settle(atlas)

    assert credits_of(october) == ("cancelled", 0, 0)
    assert not CreditEntry.objects.filter(kind="refund").exists()
    assert not broken_promises()


def test_again_it_changes_nothing(atlas: Organization) -> None:
    pay(invoice_of(atlas, "2026-10"))
    close_and_issue("2026-11")
    settle(atlas)

    assert settle(atlas) == SettledAccount([], [], [])

    assert Event.objects.filter(kind="account.settled").count() == 1


def test_credits_that_no_invoice_sold_are_named(atlas: Organization) -> None:
    old = make_grant(organization=atlas, amount_cents=9_000, reference="FROM-BEFORE")
    free = make_grant(organization=atlas, type="free", amount_cents=10_000)
    close_and_issue("2026-11")

    settled = settle(atlas)

    assert [grant.reference for grant in settled.unsold] == ["FROM-BEFORE"]
    assert remaining_of(old) == 9_000
    assert remaining_of(free) == 0  # 40.00 used, 60.00 lost by the close
    assert not broken_promises()


def test_credits_of_a_sub_organization_that_lives_on_stay(atlas: Organization) -> None:
    lab = make_organization(external_id="orga_lab", parent=atlas, opened_on=date(2026, 11, 1))
    kept = make_grant(organization=lab, amount_cents=500)
    close_and_issue("2026-11")

    assert settle(atlas).unsold == []
    assert CreditGrant.objects.get(pk=kept.pk).state == "active"


def test_waits_for_the_last_month(atlas: Organization) -> None:
    with pytest.raises(AccountNotOver, match="close and issue November 2026 first"):
        settle(atlas)
    close("2026-11")
    with pytest.raises(AccountNotOver):
        settle(atlas)
    issue("2026-11")
    with pytest.raises(NotAllowed):
        settle(atlas, actor=make_staff("Accountant"))
    assert settle(atlas, actor=make_staff("Billing manager")).issued


def test_an_open_account_is_not_settled() -> None:
    with pytest.raises(AccountNotOver, match="is not closed"):
        settle(make_organization())


def test_large_ones_wait_for_a_second_person(atlas: Organization) -> None:
    ApprovalPolicy.objects.update(credit_note_cents=5_000)
    pay(invoice_of(atlas, "2026-10"))
    close_and_issue("2026-11")
    manager = make_staff("Billing manager")

    settled = settle(atlas, actor=manager)
    [note] = settled.waiting
    assert (settled.issued, note.document_state) == ([], "draft")
    approve(note, make_staff("Controller"), at=JANUARY_10)

    assert settle(atlas, actor=manager).issued == [note]
    assert not broken_promises()
