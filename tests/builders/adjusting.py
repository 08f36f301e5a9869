"""Finance staff at work on the draft of an organization's month."""

from datetime import datetime, timedelta

from billing.models import Adjustment, Invoice
from billing.usecases.adjust_invoice import AdjustedMonth, Change, Effect, adjust_invoice
from billing.usecases.confirm_adjustment import confirm_adjustment
from billing.usecases.undo_adjustment import undo_adjustment
from organizations.models import Organization, User
from tests.builders.closing import month
from tests.builders.desk import make_staff


def draft_of(organization: Organization, text: str = "2026-10") -> Invoice | None:
    """The live draft of a month, if there is one."""
    drafts = Invoice.objects.filter(organization=organization, document_state="draft")
    return drafts.filter(consumption_month=month(text).first_day).first()


def seen(organization: Organization, text: str = "2026-10") -> str:
    """What somebody who looks at the draft now would send with the change."""
    draft = draft_of(organization, text)
    return draft.fingerprint if draft else ""


def later(text: str = "2026-10") -> datetime:
    """Some hours after the close."""
    return month(text).end + timedelta(hours=6)


def try_adjust(
    organization: Organization,
    change: Change,
    *,
    text: str = "2026-10",
    reason: str = "As agreed with the customer",
    seen_: str | None = None,
    actor: User | None = None,
    at: datetime | None = None,
    dry_run: bool = False,
) -> AdjustedMonth:
    """Adjust a month as fiona the accountant, who has just looked at it."""
    return adjust_invoice(
        organization_id=organization.pk,
        month=month(text),
        change=change,
        reason=reason,
        seen=seen(organization, text) if seen_ is None else seen_,
        actor=actor or make_staff("Accountant"),
        at=at or later(text),
        dry_run=dry_run,
    )


def adjust(organization: Organization, change: Change, *, text: str = "2026-10") -> Adjustment:
    """Adjust a month and return the stored adjustment."""
    return try_adjust(organization, change, text=text).adjustment


def undo(organization: Organization, adjustment: Adjustment, *, text: str = "2026-10", dry_run: bool = False) -> Effect:
    """Undo an adjustment as fiona, who has just looked at the draft."""
    return undo_adjustment(
        adjustment_id=adjustment.pk,
        seen=seen(organization, text),
        actor=make_staff("Accountant"),
        at=later(text),
        dry_run=dry_run,
    )


def confirm(organization: Organization, adjustment: Adjustment, *, text: str = "2026-10") -> Effect:
    """Keep an adjustment whose line changed, as fiona."""
    return confirm_adjustment(
        adjustment_id=adjustment.pk,
        reason="Still right",
        seen=seen(organization, text),
        actor=make_staff("Accountant"),
        at=later(text),
    )
