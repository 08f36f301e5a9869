"""Undo an adjustment: its month is computed as if it had never been made; the row stays."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_noop as _

from billing.models import Adjustment
from billing.queries.months import month_of
from billing.usecases._changes import adjustment_event
from billing.usecases._drafts import ChangedMeanwhile, Effect, UnableToAdjust, open_month, roll_back_if
from billing.usecases._events import record_event
from billing.usecases._permissions import require
from organizations.models import User

__all__ = ["ChangedMeanwhile", "UnableToAdjust", "undo_adjustment"]


@transaction.atomic
def undo_adjustment(
    *, adjustment_id: int, seen: str, actor: User | None, at: datetime, reason: str = "", dry_run: bool = False
) -> Effect:
    """Take an adjustment out of force and compute and write its draft anew.

    `seen` is as for `adjust_invoice`; a dry run writes nothing. Raises NotAllowed, ChangedMeanwhile, and UnableToAdjust
    for one that is undone already or whose invoice is issued.
    """
    require(actor, "billing.adjust_invoice")
    row = Adjustment.objects.filter(pk=adjustment_id).first()
    if row is None:
        raise UnableToAdjust(_("There is no such adjustment."))
    opened = open_month(organization_id=row.organization_id, month=month_of(row.month), seen=seen, at=at)
    left = [adjustment for adjustment in opened.adjustments if adjustment.id != row.pk]
    if len(left) == len(opened.adjustments):
        raise UnableToAdjust(_("This adjustment is undone already."))
    Adjustment.objects.filter(pk=row.pk).update(undone_at=at)
    effect = opened.rewrite(opened.with_adjustments(left))
    record_event(adjustment_event("adjustment.undone", row, opened, effect, reason.strip()), actor=actor, at=at)
    roll_back_if(dry_run)
    return effect
