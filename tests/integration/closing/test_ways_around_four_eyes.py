"""Ways around a second person: changes that leave no row of one's own, and those that are on no line of the draft.

Usage of apps.S costs 0.01 a second. Atlas' October is 100.00 + 100.00 of provision + 20 % VAT = 240.00.
"""

import pytest
from django.db.models import Model

from billing.models import Invoice, LegalEntity
from billing.queries.review_pages import load_review
from billing.usecases.adjust_invoice import Discount
from billing.usecases.approve_invoice import UnableToApprove
from billing.usecases.confirm_adjustment import confirm_adjustment
from billing.usecases.undo_adjustment import undo_adjustment
from organizations.models import BillingProfile, Organization, User
from tests.builders.adjusting import seen, try_adjust
from tests.builders.closing import (
    close,
    consume,
    everything_stored,
    issue,
    why_not_issued,
)
from tests.builders.four_eyes import NOVEMBER_3, approve

pytestmark = pytest.mark.django_db

VOID = "It has changed since it was approved: close the month again, then have it approved anew."


@pytest.mark.parametrize(
    ("model", "change"),
    [
        (BillingProfile, {"company": "Somebody Else SAS"}),
        (BillingProfile, {"purchase_order": "PO-1"}),
        (Organization, {"payment_term_days": 720}),
        (LegalEntity, {"address": "Elsewhere"}),
    ],
)
def test_whom_it_is_made_out_to_and_until_when_it_is_due_are_approved_too(
    draft: Invoice, clara: User, model: type[Model], change: dict[str, str | int]
) -> None:
    approve(draft, clara)
    model._default_manager.update(**change)
    before = everything_stored()

    assert why_not_issued(issue("2026-10")) == {"orga_atlas": VOID}
    assert everything_stored() == before
    assert not load_review(draft).is_approved

    approve(draft, clara)
    assert load_review(draft).is_approved
    assert len(issue("2026-10").numbers) == 1


def test_what_was_issued_keeps_its_approval_when_its_buyer_moves(draft: Invoice, clara: User) -> None:
    approve(draft, clara)
    assert len(issue("2026-10").numbers) == 1
    BillingProfile.objects.update(address="Elsewhere")
    assert load_review(Invoice.objects.get(pk=draft.pk)).is_approved


def test_nobody_approves_a_draft_from_which_they_took_a_change_of_somebody_else(
    atlas: Organization, draft: Invoice, fiona: User, max_: User, clara: User
) -> None:
    discount = try_adjust(atlas, Discount(amount_cents=10_00), actor=fiona).adjustment
    undo_adjustment(adjustment_id=discount.pk, seen=seen(atlas), actor=max_, at=NOVEMBER_3)

    with pytest.raises(UnableToApprove, match="somebody else approves it"):
        approve(draft, max_)
    assert approve(draft, clara).approver == clara


def test_who_takes_back_a_change_of_their_own_has_changed_nothing(
    atlas: Organization, draft: Invoice, max_: User
) -> None:
    discount = try_adjust(atlas, Discount(amount_cents=10_00), actor=max_).adjustment
    undo_adjustment(adjustment_id=discount.pk, seen=seen(atlas), actor=max_, at=NOVEMBER_3)
    assert approve(draft, max_).approver == max_


def test_nobody_approves_an_adjustment_that_they_kept_on_a_changed_line(
    atlas: Organization, draft: Invoice, fiona: User, max_: User, clara: User
) -> None:
    discount = try_adjust(atlas, Discount("regularization:2026-10", amount_cents=10_00), actor=fiona).adjustment
    consume(atlas, quantity=1_000, on="2026-10-05")
    close("2026-10")
    confirm_adjustment(adjustment_id=discount.pk, reason="Still", seen=seen(atlas), actor=max_, at=NOVEMBER_3)

    with pytest.raises(UnableToApprove, match="somebody else approves it"):
        approve(draft, max_)
    approve(draft, clara)

    undo_adjustment(adjustment_id=discount.pk, seen=seen(atlas), actor=fiona, at=NOVEMBER_3)
    assert approve(draft, max_).approver == max_
