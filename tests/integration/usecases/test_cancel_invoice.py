"""Cancel and re-invoice: what an invoice billed is unbilled again, and closing its month bills it anew."""

from datetime import date

import pytest

from billing.models import (
    AddOn,
    ApprovalPolicy,
    Charge,
    CloseOutcome,
    CreditEntry,
    CreditGrant,
    Event,
    Invoice,
)
from billing.queries.exports import ExportedDocument, export_documents
from billing.usecases._accounts import NoSuchInvoice
from billing.usecases._permissions import NotAllowed
from billing.usecases.adjust_invoice import Discount
from billing.usecases.cancel_invoice import (
    BeingCredited,
    Cancelled,
    CreditedMeanwhile,
    InvalidEInvoice,
    NeedsApproval,
    NotTheLatest,
    UnableToCredit,
    cancel_invoice,
)
from billing.usecases.check_drafts import check_drafts
from organizations.models import BillingProfile, Organization, User
from tests.builders.adjusting import adjust, undo
from tests.builders.closing import (
    broken_promises,
    close,
    close_and_issue,
    consume,
    everything_stored,
    invoice_of,
    issue,
    local,
    make_add_on,
    make_charge,
    make_metered_price,
    make_plan,
    month,
    outcome_of,
    pay,
    remaining_of,
    why_blocked,
)
from tests.builders.credits import make_grant
from tests.builders.desk import make_staff
from tests.builders.four_eyes import approve
from tests.builders.money import credit, credits_of, prepare, stands
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db

DECEMBER_20 = local("2026-12-20 10:00")


@pytest.fixture
def atlas() -> Organization:
    """It has something of everything: a sub-organization, a discount, free credits, an add-on, a charge."""
    make_metered_price()
    atlas = make_organization(
        external_id="orga_atlas", name="Atlas", opened_on=date(2026, 9, 1), consumption_discount_ppm=100_000
    )
    lab = make_organization(external_id="orga_lab", name="Lab", parent=atlas, opened_on=date(2026, 9, 1))
    make_grant(organization=atlas, type="free", amount_cents=1_500, reference="TRIAL", expires_on=date(2026, 11, 30))
    make_grant(organization=atlas, type="free", amount_cents=700, reference="LATER", starts_on=date(2026, 12, 1))
    make_add_on(organization=atlas, plan=make_plan(), started_on=date(2026, 10, 12))
    make_charge(organization=atlas, day=date(2026, 11, 20))
    consume(atlas, quantity=10_000, on="2026-10-03")
    consume(lab, quantity=2_000, on="2026-10-04")
    consume(atlas, quantity=12_000, on="2026-11-03")
    consume(lab, quantity=300, on="2026-11-04")
    return atlas


def cancel(
    invoice: Invoice, *, reason: str = "Wrong address", actor: User | None = None, seen: int | None = None
) -> Cancelled:
    return cancel_invoice(invoice_id=invoice.pk, reason=reason, seen_credited_cents=seen, actor=actor, at=DECEMBER_20)


def billed(organization: Organization, text: str) -> ExportedDocument:
    """What the live invoice of a month says, without its number and dates."""
    number = invoice_of(organization, text).number
    found = [document for document in export_documents(month(text)) if document.number == number]
    [document] = [document for document in found if document.type == "invoice"]
    document.number = document.issue_date = document.due_date = None
    return document


def grants_of(organization: Organization) -> list[tuple[str, int, int]]:
    """Every grant as it stands: state, remaining, pending; without those that are gone."""
    rows = CreditGrant.objects.filter(organization=organization).order_by("pk")
    return [
        (grant.state, grant.remaining_cents, grant.pending_cents)
        for grant in rows
        if grant.remaining_cents or grant.pending_cents
    ]


def two_months(atlas: Organization, *, paid: bool = True) -> Invoice:
    close_and_issue("2026-10")
    if paid:
        pay(invoice_of(atlas, "2026-10"))
    close_and_issue("2026-11")
    return invoice_of(atlas, "2026-11")


@pytest.mark.parametrize("october_is_paid", [True, False])
def test_closed_again_the_month_says_the_same(atlas: Organization, october_is_paid: bool) -> None:
    november = two_months(atlas, paid=october_is_paid)
    before, grants = billed(atlas, "2026-11"), grants_of(atlas)
    add_on = AddOn.objects.get().billed_until

    cancel(november)
    assert not broken_promises()
    close("2026-11", at=DECEMBER_20)
    issue("2026-11", at=DECEMBER_20)

    assert billed(atlas, "2026-11") == before
    assert grants_of(atlas) == grants
    assert AddOn.objects.get().billed_until == add_on
    assert Charge.objects.get().invoice == invoice_of(atlas, "2026-11") != november
    assert not broken_promises()


def test_everything_is_unbilled_in_between(atlas: Organization) -> None:
    november = two_months(atlas)
    trial = CreditGrant.objects.get(reference="TRIAL")
    october = invoice_of(atlas, "2026-10")
    # October took 15.00 of the free credits; November 108.00 of the 108.00 that were provided.
    assert (remaining_of(trial), credits_of(october)) == (0, ("active", 0, 0))

    note = cancel(november).credit_note

    november.refresh_from_db()
    assert note is not None
    assert (november.released, november.payment_state, november.credited_cents) == (True, "canceled", note.total_cents)
    assert credits_of(october) == ("active", 10_800, 0)
    assert credits_of(november) == ("cancelled", 0, 0)
    assert Charge.objects.get().invoice is None
    assert AddOn.objects.get().billed_until == date(2026, 12, 1)
    assert why_blocked(atlas, "2026-11").startswith(f"Its invoice {november.number} was cancelled: close the month")
    event = Event.objects.get(kind="invoice.cancelled")
    assert (event.reason, event.values["returned_cents"]) == ("Wrong address", 10_800)


def test_cancelled_and_billed_again_at_another_price(atlas: Organization) -> None:
    november = two_months(atlas)
    cancel(november)
    consume(atlas, quantity=1_000, on="2026-11-28", at=DECEMBER_20)  # late, but before November is billed anew

    close("2026-11", at=DECEMBER_20)
    issue("2026-11", at=DECEMBER_20)

    # 120.00 + 3.00 + 10.00 less 10 %
    assert billed(atlas, "2026-11").fees == "119.70"
    assert not broken_promises()


def test_the_next_month_waits_until_it_is_billed_again(atlas: Organization) -> None:
    november = two_months(atlas)
    consume(atlas, quantity=5_000, on="2026-12-03")
    cancel(november)

    close("2026-12")
    assert "November 2026 of orga_atlas is blocked" in why_blocked(atlas, "2026-12")
    close("2026-11", at=DECEMBER_20)
    issue("2026-11", at=DECEMBER_20)
    close_and_issue("2026-12")

    assert billed(atlas, "2026-12").fees == "45.00"
    assert not broken_promises()


def test_a_first_invoice_can_be_cancelled(atlas: Organization) -> None:
    close_and_issue("2026-10")
    october = invoice_of(atlas, "2026-10")
    before = billed(atlas, "2026-10")
    pay(october)

    cancel(october)
    assert stands(october) == ("refunded", 0)
    assert AddOn.objects.get().billed_until is None
    close("2026-10", at=DECEMBER_20)
    issue("2026-10", at=DECEMBER_20)

    assert billed(atlas, "2026-10") == before
    assert not broken_promises()


def test_only_the_latest_month_backwards(atlas: Organization) -> None:
    november = two_months(atlas)
    october = invoice_of(atlas, "2026-10")

    with pytest.raises(NotTheLatest, match=rf"Invoice {november.number} of November 2026 .*: cancel that one first"):
        cancel(october)
    assert not Invoice.objects.filter(kind="credit_note").exists()

    before = [billed(atlas, text) for text in ("2026-10", "2026-11")]
    cancel(november)
    cancel(october)
    for text in ("2026-10", "2026-11"):
        close(text, at=DECEMBER_20)
        issue(text, at=DECEMBER_20)
        if text == "2026-10":
            pay(invoice_of(atlas, text), at=DECEMBER_20)

    assert [billed(atlas, text) for text in ("2026-10", "2026-11")] == [before[0], before[1]]
    assert not broken_promises()


def test_of_an_invoice_that_credits_covered_the_credits_go_back() -> None:
    make_metered_price()
    atlas = make_organization(opened_on=date(2026, 9, 1), forecast_months=0)
    gesture = make_grant(organization=atlas, type="free", amount_cents=9_000)
    consume(atlas, quantity=4_000, on="2026-10-03")
    close_and_issue("2026-10")
    october = invoice_of(atlas, "2026-10")
    assert (stands(october), remaining_of(gesture)) == (("paid", 0), 5_000)

    note = cancel(october).credit_note

    assert note is not None
    assert (note.total_cents, note.lines.count(), note.number) == (0, 0, "A20261220-000001")
    assert (stands(october), remaining_of(gesture)) == (("canceled", 0), 9_000)
    assert not broken_promises()
    close("2026-10", at=DECEMBER_20)
    issue("2026-10", at=DECEMBER_20)
    assert remaining_of(gesture) == 5_000
    assert not broken_promises()


def test_credited_by_hand_before_only_the_rest_is_credited(atlas: Organization) -> None:
    november = two_months(atlas)
    credit(november, {"one_shot": 50_000}, at=DECEMBER_20)

    note = cancel(november).credit_note

    assert note is not None
    assert note.total_cents == november.total_cents - 60_000
    assert not broken_promises()


def test_quiet_months_after_it_are_reopened() -> None:
    make_metered_price()
    atlas = make_organization(external_id="orga_atlas", opened_on=date(2026, 9, 1), forecast_months=0)
    grant = make_grant(organization=atlas, type="free", amount_cents=9_000, expires_on=date(2026, 11, 30))
    consume(atlas, quantity=4_000, on="2026-10-03")
    close_and_issue("2026-10")
    close("2026-11")
    assert (outcome_of(atlas, "2026-11").kind, remaining_of(grant)) == ("nil", 0)

    cancel(invoice_of(atlas, "2026-10"))

    assert remaining_of(grant) == 9_000
    assert why_blocked(atlas, "2026-11") == "October 2026 of orga_atlas is blocked: unblock and issue it first."
    assert not broken_promises()
    close("2026-10", at=DECEMBER_20)
    issue("2026-10", at=DECEMBER_20)
    close("2026-11", at=DECEMBER_20)
    assert (outcome_of(atlas, "2026-11").kind, remaining_of(grant)) == ("nil", 0)
    assert not broken_promises()


def test_late_usage_that_it_billed_is_late_again(atlas: Organization) -> None:
    close_and_issue("2026-10")
    consume(atlas, quantity=500, on="2026-10-30", at=local("2026-11-10"))
    close_and_issue("2026-11")
    before = billed(atlas, "2026-11")

    cancel(invoice_of(atlas, "2026-11"))
    close("2026-11", at=DECEMBER_20)
    issue("2026-11", at=DECEMBER_20)

    assert billed(atlas, "2026-11") == before
    assert [line.month for line in before.usage].count("2026-10") == 1
    assert not broken_promises()


def test_an_approved_draft_of_all_that_is_left_is_the_one_that_is_issued(atlas: Organization) -> None:
    ApprovalPolicy.objects.update(credit_note_cents=100)
    november = two_months(atlas)
    manager = make_staff("Billing manager")
    with pytest.raises(NeedsApproval, match="have it approved, then cancel the invoice"):
        cancel(november, actor=manager)
    assert not november.credit_notes.exists()

    note = prepare(november, actor=manager, at=DECEMBER_20)
    approve(note, make_staff("Controller"), at=DECEMBER_20)

    assert cancel(november, actor=manager).credit_note == note
    assert not broken_promises()


def test_who_must_get_e_invoices_gets_one_of_the_credit_note_too(atlas: Organization) -> None:
    november = two_months(atlas)
    BillingProfile.objects.update(requires_e_invoice=True)
    before = everything_stored()
    with pytest.raises(InvalidEInvoice, match="wait until it has been checked"):
        cancel(november)
    assert everything_stored() == before

    note = prepare(november, at=DECEMBER_20)
    with pytest.raises(InvalidEInvoice, match="has not been checked"):
        cancel(november)
    check_drafts(check=lambda document: (), at=DECEMBER_20)
    assert cancel(november).credit_note == note
    assert not broken_promises()


def test_refuses_what_cannot_be(atlas: Organization) -> None:
    november = two_months(atlas)
    entries = CreditEntry.objects.count()

    with pytest.raises(NotAllowed):
        cancel(november, actor=make_staff("Accountant"))
    with pytest.raises(CreditedMeanwhile):
        cancel(november, seen=1)
    prepare(november, {"one_shot": 100}, at=DECEMBER_20)
    with pytest.raises(BeingCredited, match="a part of invoice"):
        cancel(november)
    with pytest.raises(NoSuchInvoice):
        cancel_invoice(invoice_id=10**9, reason="x", actor=None, at=DECEMBER_20)

    assert CreditEntry.objects.count() == entries
    assert CloseOutcome.objects.get(invoice=november, kind="invoice").payer == atlas


def test_adjustments_apply_again_and_can_be_undone_first(atlas: Organization) -> None:
    close_and_issue("2026-10")
    close("2026-11")
    kept = adjust(atlas, Discount("", amount_cents=2_000), text="2026-11")
    wrong = adjust(atlas, Discount("", amount_cents=30_000), text="2026-11")
    issue("2026-11")
    before = invoice_of(atlas, "2026-11").subtotal_cents

    cancel(invoice_of(atlas, "2026-11"))
    close("2026-11", at=DECEMBER_20)
    undo(atlas, wrong, text="2026-11")
    issue("2026-11", at=DECEMBER_20)

    assert invoice_of(atlas, "2026-11").subtotal_cents == before + 30_000
    assert invoice_of(atlas, "2026-11").lines.get(kind="discount").source_id == kept.pk
    assert not broken_promises()


def test_a_double_click_cancels_once(atlas: Organization) -> None:
    november = two_months(atlas)
    cancel(november)

    with pytest.raises(UnableToCredit, match="is cancelled already"):
        cancel(november)

    assert november.credit_notes.count() == 1


def test_an_add_on_that_costs_nothing_is_unbilled_too(atlas: Organization) -> None:
    free = make_plan(code="free", monthly_cents=0)
    earlier = make_add_on(organization=atlas, plan=free, name="Free", started_on=date(2026, 10, 12))
    close_and_issue("2026-10")
    later = make_add_on(organization=atlas, plan=free, name="Later", started_on=date(2026, 12, 5))
    close_and_issue("2026-11")
    assert set(AddOn.objects.filter(plan=free).values_list("billed_until", flat=True)) == {date(2027, 1, 1)}

    cancel(invoice_of(atlas, "2026-11"))
    billed = dict(AddOn.objects.filter(plan=free).values_list("pk", "billed_until"))
    assert billed == {earlier.pk: date(2026, 12, 1), later.pk: None}


def test_not_replaced_once_a_sub_organization_has_another_payer(atlas: Organization) -> None:
    november = two_months(atlas)
    lab = Organization.objects.get(external_id="orga_lab")
    lab.parent = None
    lab.save()
    close("2026-12")

    with pytest.raises(NotTheLatest, match=r"Lab, .* has another payer since"):
        cancel(november)
