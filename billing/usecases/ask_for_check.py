"""Ask for a check of a draft's e-invoice: a worker makes it shortly, and its page shows what was found."""

from datetime import datetime

from django.db import transaction

from billing.models import DraftCheck
from billing.usecases._drafts import lock_draft
from billing.usecases._permissions import require
from organizations.models import User


@transaction.atomic
def ask_for_check(*, invoice_id: int, seen: str, actor: User | None, at: datetime) -> None:
    """Mark a draft of which the person saw the fingerprint `seen`. Asking twice is asking once.

    Raises NotAllowed, NotADraft and ChangedMeanwhile.
    """
    require(actor, "billing.adjust_invoice")
    draft = lock_draft(invoice_id=invoice_id, seen=seen)
    DraftCheck.objects.update_or_create(invoice=draft, defaults={"asked_at": at})
