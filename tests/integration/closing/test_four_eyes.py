"""A second person: who may approve what, what voids it, and what is issued.

Usage of apps.S costs 0.01 a second. Atlas' October is 100.00 + 100.00 of provision + 20 % VAT = 240.00.
"""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import (
    Acknowledgement,
    Adjustment,
    Approval,
    ApprovalPolicy,
    Event,
    Invoice,
    InvoiceLine,
    ReviewThresholds,
)
from billing.usecases._drafts import ChangedMeanwhile, NotADraft
from billing.usecases._events import NewEvent, record_event
from billing.usecases._permissions import NotAllowed
from billing.usecases.approve_invoice import UnableToApprove
from billing.usecases.issue_invoices import IssueReport
from organizations.models import Organization, User
from tests.builders.closing import (
    close,
    consume,
    everything_stored,
    invoice_of,
    issue,
    why_not_issued,
)
from tests.builders.desk import make_staff
from tests.builders.four_eyes import NOVEMBER_3, approve
from tests.builders.invoices import make_invoice
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db

OCTOBER = date(2026, 10, 1)
TOTAL = "A second person has to approve a total of 240.00 (from 200.00 on)."
VOID = "It has changed since it was approved: close the month again, then have it approved anew."


def adjust(invoice: Invoice, author: User) -> Adjustment:
    """A note to the customer: the least that somebody can change."""
    return Adjustment.objects.create(
        organization=invoice.organization,
        month=invoice.consumption_month,
        kind="note",
        text="Thank you.",
        reason="Courtesy",
        author=author,
        created_at=NOVEMBER_3,
    )


def refused(report: IssueReport) -> str:
    """The sentence about Atlas, which must not have been issued."""
    assert report.numbers == []
    return why_not_issued(report)["orga_atlas"]


# --- Issuing ----------------------------------------------------------------------------------------------------------


def test_without_a_policy_nobody_is_asked(draft: Invoice) -> None:
    ApprovalPolicy.objects.all().delete()
    assert len(issue("2026-10").numbers) == 1


def test_below_the_limit_nobody_is_asked(draft: Invoice) -> None:
    ApprovalPolicy.objects.update(invoice_total_cents=240_01)
    assert len(issue("2026-10").numbers) == 1


def test_from_the_limit_on_nothing_is_written_without_an_approval(draft: Invoice, max_: User) -> None:
    before = everything_stored()

    assert refused(issue("2026-10")) == TOTAL
    assert refused(issue("2026-10", actor=max_)) == TOTAL

    assert everything_stored() == before


def test_what_somebody_approved_another_issues(draft: Invoice, clara: User, max_: User) -> None:
    approve(draft, clara)

    assert len(issue("2026-10", actor=max_).numbers) == 1

    event = Event.objects.get(kind="invoice.approved")
    assert (event.actor, event.invoice, event.at) == (clara, draft, NOVEMBER_3)
    assert event.values["total_cents"] == 240_00
    assert event.values["why"] == {"rule": "invoice_total", "cents": 240_00, "from_cents": 200_00}


def test_the_system_issues_what_somebody_approved(draft: Invoice, clara: User) -> None:
    approve(draft, clara)
    assert len(issue("2026-10").numbers) == 1


def test_who_approved_does_not_issue(draft: Invoice, max_: User, clara: User) -> None:
    approve(draft, max_)
    before = everything_stored()

    assert refused(issue("2026-10", actor=max_)) == "You approved it yourself: somebody else has to issue it."
    assert everything_stored() == before

    approve(draft, clara)
    assert len(issue("2026-10", actor=max_).numbers) == 1


@pytest.mark.parametrize("role", ["Viewer", "Accountant", "Controller", "Auditor"])
def test_issuing_needs_the_permission(draft: Invoice, role: str) -> None:
    with pytest.raises(NotAllowed, match=r"billing\.issue_invoice"):
        issue("2026-10", actor=make_staff(role))
    draft.refresh_from_db()
    assert draft.document_state == "draft"


def test_a_draft_on_hold_is_not_issued_and_nothing_is_written(atlas: Organization, draft: Invoice, clara: User) -> None:
    approve(draft, clara)
    Invoice.objects.update(hold_reason="Waits for the new contract")
    consume(atlas, quantity=1, on="2026-10-05")
    before = everything_stored()

    assert refused(issue("2026-10")) == "It is on hold: Waits for the new contract"

    assert everything_stored() == before


def test_a_held_draft_with_nothing_left_to_bill_stays(atlas: Organization, draft: Invoice) -> None:
    Invoice.objects.update(hold_reason="Waits")
    atlas.consumption_discount_ppm = 1_000_000
    atlas.save()

    assert refused(issue("2026-10")) == "It is on hold: Waits"
    draft.refresh_from_db()
    assert draft.document_state == "draft"


# --- What voids an approval -------------------------------------------------------------------------------------------


def test_usage_that_arrives_before_issuing_voids_it(atlas: Organization, draft: Invoice, clara: User) -> None:
    approve(draft, clara)
    consume(atlas, quantity=1, on="2026-10-05")
    before = everything_stored()

    assert refused(issue("2026-10")) == VOID
    assert everything_stored() == before

    close("2026-10")
    assert refused(issue("2026-10")) == VOID
    approve(draft, clara)
    assert len(issue("2026-10").numbers) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"negotiated_refill_cents": 99_00},
        {"consumption_discount_ppm": 10_000},
        {"forecast_months": 0, "negotiated_refill_cents": 100_00},  # other words of the statement, the same total
    ],
)
def test_other_terms_void_it(atlas: Organization, draft: Invoice, clara: User, change: dict[str, int]) -> None:
    approve(draft, clara)
    Organization.objects.filter(pk=atlas.pk).update(**change)
    close("2026-10")
    assert refused(issue("2026-10")) == VOID


def test_a_new_finding_voids_it(atlas: Organization, draft: Invoice, clara: User) -> None:
    approve(draft, clara)
    ReviewThresholds.objects.update(most_lines=0)
    assert refused(issue("2026-10")) == VOID


def test_the_same_content_again_is_what_was_approved(atlas: Organization, draft: Invoice, clara: User) -> None:
    approve(draft, clara)
    close("2026-10")
    assert len(issue("2026-10").numbers) == 1


# --- Who may approve --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["Viewer", "Accountant", "Auditor"])
def test_approving_needs_the_permission(draft: Invoice, role: str) -> None:
    with pytest.raises(NotAllowed, match=r"billing\.approve_invoice"):
        approve(draft, make_staff(role))
    assert not Approval.objects.exists()


def test_nobody_approves_a_draft_that_carries_their_own_change(draft: Invoice, max_: User, clara: User) -> None:
    adjustment = adjust(draft, max_)

    with pytest.raises(UnableToApprove, match="somebody else approves it"):
        approve(draft, max_)
    assert not Approval.objects.exists()

    adjustment.undone_at = NOVEMBER_3
    adjustment.save()
    assert approve(draft, max_).approver == max_


def test_nobody_approves_what_they_acknowledged(draft: Invoice, max_: User, clara: User) -> None:
    Acknowledgement.objects.create(
        organization=draft.organization,
        month=OCTOBER,
        code="jump",
        finding="0" * 32,
        reason="Expected",
        author=max_,
        created_at=NOVEMBER_3,
    )
    with pytest.raises(UnableToApprove, match="acknowledged a finding"):
        approve(draft, max_)
    assert approve(draft, clara).approver == clara


def test_an_approval_does_not_count_once_its_approver_changes_the_draft(draft: Invoice, max_: User) -> None:
    approve(draft, max_)
    adjust(draft, max_)
    assert refused(issue("2026-10")) == VOID


def test_open_findings_and_holds_come_first(draft: Invoice, clara: User) -> None:
    Invoice.objects.update(open_findings=1)
    with pytest.raises(UnableToApprove, match="findings that nobody has acknowledged"):
        approve(draft, clara)
    Invoice.objects.update(open_findings=0, hold_reason="Waits")
    with pytest.raises(UnableToApprove, match="on hold"):
        approve(draft, clara)
    assert not Approval.objects.exists()


def test_what_was_seen_must_still_be_there(draft: Invoice, clara: User) -> None:
    with pytest.raises(ChangedMeanwhile):
        approve(draft, clara, seen="0" * 32)
    assert not Approval.objects.exists()


def test_twice_is_once(draft: Invoice, clara: User) -> None:
    approve(draft, clara)
    with pytest.raises(UnableToApprove, match="already"):
        approve(draft, clara)
    assert (Approval.objects.count(), Event.objects.filter(kind="invoice.approved").count()) == (1, 1)


def test_issued_or_needing_nobody(draft: Invoice, clara: User) -> None:
    ApprovalPolicy.objects.update(invoice_total_cents=None)
    with pytest.raises(UnableToApprove, match="needs no second person"):
        approve(draft, clara)
    issue("2026-10")
    with pytest.raises(NotADraft):
        approve(draft, clara)


def test_lines_and_discounts_by_hand_have_limits_of_their_own(draft: Invoice, clara: User) -> None:
    ApprovalPolicy.objects.update(invoice_total_cents=None, manual_line_cents=50_00, discount_cents=20_00)
    with pytest.raises(UnableToApprove, match="needs no second person"):
        approve(draft, clara)

    template = InvoiceLine.objects.filter(invoice=draft)[0]
    for kind, net_cents in [("adjustment", 50_00), ("discount", -20_00)]:
        template.pk, template.kind, template.net_cents = None, kind, net_cents
        template.save()
    approve(draft, clara)

    assert Event.objects.get(kind="invoice.approved").values["why"]["rule"] == "manual_line"


def test_a_credit_note_has_its_own_limit_and_its_author_does_not_approve_it(max_: User, clara: User) -> None:
    ApprovalPolicy.objects.update(credit_note_cents=100_00)
    issued = make_invoice(status="pending", fees_cents=100_00)
    note = Invoice.objects.create(
        kind="credit_note",
        refers_to=issued,
        legal_entity=issued.legal_entity,
        organization=issued.organization,
        consumption_month=issued.consumption_month,
        currency="EUR",
        subtotal_cents=100_00,
        vat_cents=20_00,
        total_cents=120_00,
        fingerprint="c" * 32,
        created_at=NOVEMBER_3,
        computed_at=NOVEMBER_3,
    )
    record_event(NewEvent("credit_note.prepared", note.organization_id, note.pk), actor=max_, at=NOVEMBER_3)

    with pytest.raises(UnableToApprove, match="somebody else approves it"):
        approve(note, max_)
    approve(note, clara)

    event = Event.objects.get(kind="credit_note.approved")
    assert event.values["why"] == {"rule": "credit_note", "cents": 120_00, "from_cents": 100_00}


# --- Speed ------------------------------------------------------------------------------------------------------------


def test_the_gate_asks_as_much_for_all_as_for_two(atlas: Organization, clara: User) -> None:
    organizations = [make_organization() for _ in range(14)]
    for organization in organizations:
        consume(organization, quantity=10_000, on="2026-10-03")
    close("2026-10")
    for organization in organizations[::2]:
        approve(invoice_of(organization, "2026-10"), clara)

    counts = []
    for some in (organizations[:2], organizations[2:]):
        with CaptureQueriesContext(connection) as queries:
            assert len(issue("2026-10", *some).numbers) == len(some) // 2
        counts.append(len(queries))

    assert counts[0] == counts[1]
