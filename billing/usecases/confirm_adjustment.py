"""Decide that an adjustment stays although its line is another now."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_noop as _
from msgspec import structs

from billing.domain.adjustments import Conflict
from billing.domain.assembly import Draft
from billing.domain.facts import Adjustment as InForce
from billing.domain.money import format_cents
from billing.models import Adjustment
from billing.queries.months import month_of
from billing.usecases._changes import adjustment_event, targets_of
from billing.usecases._close_batch import Result
from billing.usecases._drafts import ChangedMeanwhile, Effect, OpenMonth, UnableToAdjust, check_reason, open_month
from billing.usecases._events import record_event
from billing.usecases._permissions import require
from organizations.models import User

__all__ = ["ChangedMeanwhile", "UnableToAdjust", "confirm_adjustment"]


@transaction.atomic
def confirm_adjustment(*, adjustment_id: int, reason: str, seen: str, actor: User | None, at: datetime) -> Effect:
    """Keep an adjustment that is in conflict: it now belongs to its line as that is computed today.

    Raises NotAllowed, ChangedMeanwhile, and UnableToAdjust when there is nothing to decide, or when a discount is more
    than what is left to take it off: that one can only be undone.
    """
    require(actor, "billing.adjust_invoice")
    reason = check_reason(reason)
    row = Adjustment.objects.filter(pk=adjustment_id).first()
    if row is None:
        raise UnableToAdjust(_("There is no such adjustment."))
    opened = open_month(organization_id=row.organization_id, month=month_of(row.month), seen=seen, at=at)
    if _conflict(opened.result, row) is None:
        raise UnableToAdjust(_("This adjustment is in no conflict: there is nothing to decide."))
    net_cents = targets_of(opened, without=row.pk).get(row.target, 0) if row.target else None
    confirmed = opened.with_adjustments(_pinned(opened, row, net_cents))
    left = _conflict(confirmed, row)
    if left is not None:
        raise UnableToAdjust(
            _("This discount is more than the %(left)s that can be taken off: undo it, then give a smaller one."),
            left=format_cents(left.now_cents),
        )
    Adjustment.objects.filter(pk=row.pk).update(target_net_cents=net_cents)
    effect = opened.rewrite(confirmed)
    event = adjustment_event("adjustment.confirmed", row, opened, effect, reason)
    pins = {"line_before_cents": row.target_net_cents, "line_after_cents": net_cents}
    record_event(structs.replace(event, values={**event.values, **pins}), actor=actor, at=at)
    return effect


def _conflict(result: Result, row: Adjustment) -> Conflict | None:
    if not isinstance(result.assembled, Draft):
        return None
    return next((each for each in result.assembled.conflicts if each.adjustment_id == row.pk), None)


def _pinned(opened: OpenMonth, row: Adjustment, net_cents: int | None) -> list[InForce]:
    return [
        structs.replace(each, target_net_cents=net_cents) if each.id == row.pk else each for each in opened.adjustments
    ]
