"""Adjust the invoice of an organization and month: one change, with who, when and why."""

from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.utils.translation import gettext_noop as _

from billing.domain.adjustments import Conflict
from billing.domain.assembly import Assembled, Draft
from billing.domain.money import format_cents
from billing.domain.periods import Month
from billing.models import Adjustment
from billing.queries.adjustments import as_value
from billing.queries.months import local_day
from billing.usecases._changes import (
    AddedLine,
    Change,
    Discount,
    DueDate,
    Note,
    PurchaseOrder,
    Refill,
    Skip,
    adjustment_event,
    check_change,
    targets_of,
    to_row,
)
from billing.usecases._drafts import (
    ChangedMeanwhile,
    Effect,
    OpenMonth,
    UnableToAdjust,
    check_reason,
    open_month,
    roll_back_if,
)
from billing.usecases._events import record_event
from billing.usecases._permissions import require
from organizations.models import User

__all__ = [
    "AddedLine",
    "AdjustedMonth",
    "Change",
    "ChangedMeanwhile",
    "Discount",
    "DueDate",
    "Effect",
    "Note",
    "PurchaseOrder",
    "Refill",
    "Skip",
    "UnableToAdjust",
    "adjust_invoice",
]


class AdjustedMonth(NamedTuple):
    """The stored adjustment, and what it does to the total."""

    adjustment: Adjustment
    effect: Effect


@transaction.atomic
def adjust_invoice(
    *,
    organization_id: int,
    month: Month,
    change: Change,
    reason: str,
    seen: str,
    actor: User | None,
    at: datetime,
    dry_run: bool = False,
) -> AdjustedMonth:
    """Add one adjustment to a closed month that is not issued, and compute and write its draft anew.

    `seen` is the fingerprint of the draft that the person looked at, empty when there is none (nothing was to bill). A
    dry run does the same, a reason aside, and takes it all back: the effect is what saving would lead to.

    Raises NotAllowed, ChangedMeanwhile, and UnableToAdjust with the limit named: a discount above what there is to
    discount (so that no total is negative), a due date in the past, an unknown line, an empty reason.
    """
    require(actor, "billing.adjust_invoice")
    reason = "-" if dry_run else check_reason(reason)
    check_change(change, local_day(at))
    opened = open_month(organization_id=organization_id, month=month, seen=seen, at=at)
    row = to_row(change, targets_of(opened))
    row.organization_id, row.month = organization_id, month.first_day
    row.reason, row.author, row.created_at = reason, actor, at
    row.save(force_insert=True)
    adjusted = opened.with_adjustments([*opened.adjustments, as_value(row)])
    _check_result(row, opened, adjusted.assembled)
    effect = opened.rewrite(adjusted)
    record_event(adjustment_event("adjustment.added", row, opened, effect, reason), actor=actor, at=at)
    roll_back_if(dry_run)
    return AdjustedMonth(row, effect)


def _check_result(row: Adjustment, opened: OpenMonth, assembled: Assembled) -> None:
    """A discount must fit below what there is, and must not push out one that fitted before."""
    if row.kind == Adjustment.Kind.REFILL and opened.result.facts.is_last_month:
        raise UnableToAdjust(_("The account closes with this month: no credits are sold any more."))
    if row.kind != Adjustment.Kind.DISCOUNT or not isinstance(assembled, Draft):
        return
    before = opened.result.assembled
    known = {conflict.adjustment_id for conflict in before.conflicts} if isinstance(before, Draft) else set()
    new = [conflict for conflict in assembled.conflicts if conflict.adjustment_id not in known]
    own = [line for line in assembled.lines if line.kind == "discount" and line.source_id == row.pk]
    taken_cents = -sum(line.net_cents for line in own)
    if new:
        raise _too_much(row, new, taken_cents)
    if not taken_cents:
        raise UnableToAdjust(_("There is nothing to take a discount off."))


def _too_much(row: Adjustment, conflicts: list[Conflict], taken_cents: int) -> UnableToAdjust:
    own = next((conflict for conflict in conflicts if conflict.adjustment_id == row.pk), None)
    others = [conflict for conflict in conflicts if conflict.adjustment_id != row.pk]
    limit_cents = max(0, taken_cents - sum(other.then_cents - other.now_cents for other in others))
    wanted_cents = own.then_cents if own else taken_cents
    return UnableToAdjust(
        _("%(wanted)s is too much: at most %(limit)s can be taken off here, so that nothing is negative."),
        wanted=format_cents(wanted_cents),
        limit=format_cents(limit_cents),
    )
