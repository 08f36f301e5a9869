"""Generate the drafts of a consumption month, or say what that would change."""

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import batched

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Min

from billing.domain.assembly import Blocked, Draft, Nil
from billing.domain.facts import Reason
from billing.domain.periods import Month
from billing.models import CloseOutcome
from billing.queries.accounts import Account, Scope, load_accounts
from billing.queries.close_reports import BlockedOrganization, CloseReport, Difference, Totals
from billing.queries.months import local_day
from billing.usecases._close_batch import Result, compute_batch
from billing.usecases._runs import (
    BATCH_SIZE,
    Progress,
    close_range,
    get_close,
    orphaned_in,
    payer_ids,
    scopes,
    start,
    unexpected,
    work,
)
from organizations.models import Organization

log = logging.getLogger(__name__)


class UnableToClose(Exception):
    """The month cannot be closed as asked; the message says why and what to do."""


def close_month(
    *,
    month: Month,
    at: datetime,
    organization_ids: Sequence[str] | None = None,
    dry_run: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
) -> CloseReport:
    """Close `month` as of the instant `at` for everybody, or for the organizations with these public ids.

    Doing it twice, from two processes at once, or again after a crash leads to the same drafts. A dry run writes
    nothing, reports the same and what would change; it may look at a month that has not ended.

    Raises UnableToClose for a month that has not ended, one before the first that was closed, or an unknown id.
    """
    _check(month, at, dry_run=dry_run)
    chosen = None if organization_ids is None else _payers_of(month, organization_ids)
    if dry_run:
        return _preview(month, chosen, at, on_progress)
    if chosen is None:
        work(start(month, at=at), at=at, wait=True, on_progress=on_progress)
        return CloseReport.load(month, Scope())
    close = get_close(month)
    for chunk in batched(chosen, BATCH_SIZE, strict=False):
        with transaction.atomic():
            close_range(close, Scope(ids=chunk), at=at)
    return CloseReport.load(month, Scope(ids=chosen))


def _check(month: Month, at: datetime, *, dry_run: bool) -> None:
    if not dry_run and not month.has_ended(at):
        raise UnableToClose(f"{month} has not ended yet: wait until {month.next}-01, or look at it with a dry run.")
    first = CloseOutcome.objects.aggregate(first=Min("month"))["first"]
    if first is not None and month.first_day < first:
        raise UnableToClose(
            f"{month} is before {first:%Y-%m}, the first month that was closed here: its usage is billed as late usage."
        )


def _payers_of(month: Month, external_ids: Sequence[str]) -> list[int]:
    """Who pays for the organizations; a sub-organization stands for its parent, if that takes part in the month."""
    found = dict(Organization.objects.filter(external_id__in=external_ids).values_list("external_id", "id"))
    unknown = [external_id for external_id in external_ids if external_id not in found]
    if unknown:
        raise UnableToClose(f"Unknown organization: {', '.join(unknown)}.")
    with_parent = Organization.objects.filter(id__in=found.values(), parent__isnull=False).exclude(orphaned_in(month))
    outcomes = CloseOutcome.objects.filter(month=month.first_day, organization__in=found.values())
    payers = {
        **dict(with_parent.values_list("id", "parent_id")),
        **dict(outcomes.values_list("organization_id", "payer_id")),
    }
    return sorted({payers.get(id_, id_) for id_ in found.values()})


def _preview(
    month: Month, chosen: list[int] | None, at: datetime, on_progress: Callable[[Progress], None] | None
) -> CloseReport:
    report = CloseReport()
    ranges = scopes(payer_ids(month)) if chosen is None else [Scope(ids=chosen)]
    for done, scope in enumerate(ranges, start=1):
        _preview_scope(report, month, scope, at)
        if on_progress is not None:
            on_progress(Progress(done, len(ranges)))
    report.blocked_organizations.sort(key=lambda organization: organization.external_id)
    report.differences.sort(key=lambda difference: difference.external_id)
    return report


def _preview_scope(report: CloseReport, month: Month, scope: Scope, at: datetime) -> None:
    """Compute a batch at once; if that fails, one payer after the other, as a real run does."""
    try:
        batch = compute_batch(month, scope, tax_date=local_day(at), lock=False)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        payers = load_accounts(month, scope, lock=False).trees
        if len(payers) > 1:
            for payer_id in payers:
                _preview_scope(report, month, Scope(ids=[payer_id]), at)
            return
        log.exception("Organizations %s could not be previewed", list(payers))
        for account, *_ in payers.values():
            _count_blocked(report, account, unexpected(error))
        return
    for result in batch.results:
        _count(report, result)
    _merge(report, CloseReport.load(month, Scope(ids=[account.id for account in batch.accounts.others])))


def _count(report: CloseReport, result: Result) -> None:
    account, currency = result.account, result.facts.terms.currency
    match result.assembled:
        case Draft() as draft:
            report.invoices += 1
            report.totals.setdefault(currency, Totals()).add(draft.subtotal_cents, draft.vat_cents)
        case Nil():
            report.nil += 1
        case Blocked(reason):
            _count_blocked(report, account, reason)
    report.differences += _differences(result, currency)


def _count_blocked(report: CloseReport, account: Account, reason: Reason) -> None:
    report.blocked += 1
    report.blocked_organizations.append(
        BlockedOrganization(account.external_id, account.name, reason.code, reason.values)
    )


def _differences(result: Result, currency: str) -> Iterator[Difference]:
    if result.is_unchanged_draft or (result.page is None and result.existing is None):
        return
    yield Difference(
        result.account.external_id,
        result.account.name,
        currency,
        result.existing.total_cents if result.existing else None,
        result.page.draft.total_cents if result.page else None,
    )


def _merge(report: CloseReport, other: CloseReport) -> None:
    report.invoices += other.invoices
    report.nil += other.nil
    report.blocked += other.blocked
    report.blocked_organizations += other.blocked_organizations
    for currency, totals in other.totals.items():
        report.totals.setdefault(currency, Totals()).add(totals.subtotal_cents, totals.vat_cents)
