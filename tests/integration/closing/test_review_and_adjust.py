"""Reviewing and adjusting the same draft: changes by hand need a second person, and void what was approved before.

Usage of apps.S costs 0.01 a second. Atlas' October is 100.00 + 100.00 of provision + 20 % VAT = 240.00.
"""

from datetime import date

import pytest

from billing.domain.quantities import MICRO
from billing.models import Approval, ApprovalPolicy, Invoice, ReviewThresholds
from billing.usecases.adjust_invoice import AddedLine, Change, Discount, Note, Refill
from billing.usecases.approve_invoice import UnableToApprove
from organizations.models import Organization, User
from tests.builders import four_eyes
from tests.builders.adjusting import adjust, later, try_adjust, undo
from tests.builders.closing import (
    broken_promises,
    close,
    close_and_issue,
    consume,
    invoice_of,
    issue,
    make_metered_price,
    why_not_issued,
)
from tests.builders.desk import make_staff
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db

VOID = "It has changed since it was approved: close the month again, then have it approved anew."
LINE = AddedLine(name="Training", quantity_micro=2 * MICRO, unit_price_micro=30 * MICRO)  # 60.00
DISCOUNT = Discount(amount_cents=25_00)


@pytest.fixture
def atlas() -> Organization:
    make_metered_price()
    atlas = make_organization(external_id="orga_atlas", opened_on=date(2026, 8, 1))
    consume(atlas, quantity=10_000, on="2026-10-03")
    close("2026-10")
    return atlas


def approve(atlas: Organization, actor: User) -> Approval:
    return four_eyes.approve(invoice_of(atlas, "2026-10"), actor, at=later())


@pytest.mark.parametrize(
    ("limits", "change", "sentence"),
    [
        ({"manual_line_cents": 60_00}, LINE, "A second person has to approve 60.00 added by hand (from 60.00 on)."),
        ({"discount_cents": 25_00}, DISCOUNT, "A second person has to approve a discount of 25.00 (from 25.00 on)."),
        (
            {"invoice_total_cents": 1_000_00},
            Refill(amount_cents=900_00),
            "A second person has to approve a total of 1,200.00 (from 1,000.00 on).",
        ),
    ],
)
def test_what_somebody_changed_by_hand_another_approves(
    atlas: Organization, limits: dict[str, int], change: Change, sentence: str
) -> None:
    max_, clara = make_staff("Billing manager"), make_staff("Controller")
    ApprovalPolicy.objects.update(**limits)
    try_adjust(atlas, change, actor=max_)

    assert why_not_issued(issue("2026-10", actor=max_)) == {"orga_atlas": sentence}
    with pytest.raises(UnableToApprove, match="somebody else approves it"):
        approve(atlas, max_)
    approve(atlas, clara)
    # the author may issue what somebody else has approved
    assert len(issue("2026-10", actor=max_).numbers) == 1
    assert broken_promises() == []


def test_below_the_limits_nobody_is_asked(atlas: Organization) -> None:
    ApprovalPolicy.objects.update(manual_line_cents=60_01, discount_cents=25_01)
    adjust(atlas, LINE)
    adjust(atlas, DISCOUNT)
    assert len(issue("2026-10").numbers) == 1


def test_even_a_note_voids_an_approval_and_undoing_it_brings_it_back(atlas: Organization) -> None:
    ApprovalPolicy.objects.update(invoice_total_cents=200_00)
    approve(atlas, make_staff("Controller"))

    note = adjust(atlas, Note(text="Thank you."))
    assert why_not_issued(issue("2026-10")) == {"orga_atlas": VOID}

    undo(atlas, note)  # the very content that was approved
    assert len(issue("2026-10").numbers) == 1


def test_conflicts_and_findings_are_counted_together() -> None:
    make_metered_price()
    atlas = make_organization(external_id="orga_atlas", opened_on=date(2026, 8, 1))
    ReviewThresholds.objects.create(
        organization=atlas, least_change_cents=0, block_jump_percent=50, block_change_cents=1
    )
    consume(atlas, quantity=10_000, on="2026-09-03")
    close_and_issue("2026-09")
    consume(atlas, quantity=10_000, on="2026-10-03")
    close("2026-10")
    adjust(atlas, Discount(target="regularization:2026-10", percent_ppm=500_000))
    assert invoice_of(atlas, "2026-10").open_findings == 0

    consume(atlas, quantity=10_000, on="2026-10-04")
    close("2026-10")

    # a jump of 100 %, and the line under the discount is another
    draft = invoice_of(atlas, "2026-10")
    assert draft.open_findings == 2
    assert why_not_issued(issue("2026-10")) == {"orga_atlas": "2 findings are open: acknowledge or mend them first."}
    assert Invoice.objects.get(pk=draft.pk).document_state == "draft"
