"""Check the e-invoices of drafts, some at a time: claimed first, checked outside of any transaction, then noted.

Killed in the middle, what was claimed is taken up again some minutes later. What a draft says is noted from before it
is read: if it changes meanwhile, the check does not count and is made again.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import batched, islice

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Q
from msgspec import to_builtins

from billing.domain.documents import Document
from billing.domain.e_invoices import Failure
from billing.models import DraftCheck
from billing.queries.among import among
from billing.queries.draft_checks import Content, find_due, load_contents
from billing.queries.draft_documents import load_as_if_issued
from billing.queries.months import local_day

log = logging.getLogger(__name__)

type Check = Callable[[Document], Sequence[Failure]]

CHUNK = 20
MOST = 100
"""How many one run checks, so that other tasks get their turn."""
CLAIM_LASTS = timedelta(minutes=10)


def check_drafts(*, check: Check, at: datetime, most: int = MOST) -> int:
    """Check the drafts whose check is missing, out of date or asked for; returns how many.

    Drafts of customers who must get e-invoices, and those that somebody asked for (see `ask_for_check`). One that
    cannot be checked waits until its claim is over, and stops no other: what `check` raised is raised at the end. After
    the second one in a row nothing can be checked, it seems: the run ends.
    """
    checked, error = 0, None
    for chunk in batched(islice(find_due(at), most), CHUNK, strict=False):
        contents = load_contents(_claim(chunk, at))
        documents = _load(list(contents), at)
        is_working = True
        for place, (id_, (content, _)) in enumerate(contents.items()):
            try:
                failures = check(documents.get(id_) or load_as_if_issued([id_], day=local_day(at))[id_])
            except (OperationalError, InterfaceError):
                raise
            except Exception as unable:
                log.exception("The e-invoice of draft %s cannot be checked", id_)
                if not is_working:
                    _release(list(contents)[place + 1 :])
                    raise
                is_working, error = False, unable
            else:
                _note(id_, content, failures, at)
                is_working, checked = True, checked + 1
    if error is not None:
        raise error
    return checked


def _load(invoice_ids: Sequence[int], at: datetime) -> Mapping[int, Document]:
    """The drafts as documents; none if one of them keeps the others from being loaded, which are then loaded alone."""
    try:
        return load_as_if_issued(invoice_ids, day=local_day(at))
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("%s drafts from %s on cannot be loaded together", len(invoice_ids), invoice_ids[0])
        return {}


def _release(invoice_ids: Sequence[int]) -> None:
    """Leave to the next run what was not begun."""
    rows = DraftCheck.objects.filter(among("invoice", invoice_ids), claimed_at__isnull=False)
    rows.update(claimed_at=None, attempts=F("attempts") - 1)


@transaction.atomic
def _claim(invoice_ids: Sequence[int], at: datetime) -> list[int]:
    """Take those that nobody else is at."""
    DraftCheck.objects.bulk_create([DraftCheck(invoice_id=id_) for id_ in invoice_ids], ignore_conflicts=True)
    free = Q(claimed_at=None) | Q(claimed_at__lt=at - CLAIM_LASTS)
    can_skip = connection.features.has_select_for_update_skip_locked
    rows = DraftCheck.objects.filter(free, among("invoice", invoice_ids)).order_by("invoice_id")
    claimed = list(rows.select_for_update(skip_locked=can_skip).values_list("invoice_id", flat=True))
    DraftCheck.objects.filter(among("invoice", claimed)).update(claimed_at=at, attempts=F("attempts") + 1)
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
        attempts=0,
    )
    # Asked again while it was checked, it is checked again.
    row.filter(asked_at__lte=at).update(asked_at=None)
