"""Check the e-invoices of drafts, some at a time: claimed first, checked outside of any transaction, then noted.

Killed in the middle, what was claimed is taken up again some minutes later. What a draft says is noted from before it
is read: if it changes meanwhile, the check does not count and is made again.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import batched, islice

from django.db import connection, transaction
from django.db.models import Q
from msgspec import to_builtins

from billing.domain.documents import Document
from billing.domain.e_invoices import Failure
from billing.models import DraftCheck
from billing.queries.among import among
from billing.queries.draft_checks import Content, find_due, load_contents
from billing.queries.draft_documents import load_as_if_issued
from billing.queries.months import local_day

type Check = Callable[[Document], Sequence[Failure]]

CHUNK = 20
MOST = 100
"""How many one run checks, so that other tasks get their turn."""
CLAIM_LASTS = timedelta(minutes=10)


def check_drafts(*, check: Check, at: datetime, most: int = MOST) -> int:
    """Check the drafts whose check is missing, out of date or asked for; returns how many.

    Drafts of customers who must get e-invoices, and those that somebody asked for (see `ask_for_check`). What `check`
    raises when it cannot tell ends the run; what was checked before is noted.
    """
    checked = 0
    for chunk in batched(islice(find_due(at), most), CHUNK, strict=False):
        claimed = _claim(chunk, at)
        contents = load_contents(claimed)
        documents = load_as_if_issued(list(contents), day=local_day(at))
        for id_, (content, _) in contents.items():
            _note(id_, content, check(documents[id_]), at)
            checked += 1
    return checked


@transaction.atomic
def _claim(invoice_ids: Sequence[int], at: datetime) -> list[int]:
    """Take those that nobody else is at."""
    DraftCheck.objects.bulk_create([DraftCheck(invoice_id=id_) for id_ in invoice_ids], ignore_conflicts=True)
    free = Q(claimed_at=None) | Q(claimed_at__lt=at - CLAIM_LASTS)
    can_skip = connection.features.has_select_for_update_skip_locked
    rows = DraftCheck.objects.filter(free, among("invoice", invoice_ids)).order_by("invoice_id")
    claimed = list(rows.select_for_update(skip_locked=can_skip).values_list("invoice_id", flat=True))
    DraftCheck.objects.filter(among("invoice", claimed)).update(claimed_at=at)
    return claimed


@transaction.atomic
def _note(invoice_id: int, content: Content, failures: Sequence[Failure], at: datetime) -> None:
    row = DraftCheck.objects.filter(pk=invoice_id)
    row.update(
        fingerprint=content.fingerprint,
        parties=content.parties,
        failures=to_builtins(list(failures)),
        failure_count=len(failures),
        checked_at=at,
        claimed_at=None,
    )
    # Asked again while it was checked, it is checked again.
    row.filter(asked_at__lte=at).update(asked_at=None)
