"""Issue one draft, as the person saw it."""

from datetime import date, datetime

from django.db import transaction

from billing.models import Invoice
from billing.queries.accounts import Scope, lock_accounts
from billing.queries.months import local_day, month_of
from billing.queries.reasons import reason_sentence
from billing.usecases._drafts import ChangedMeanwhile, NotADraft, lock_draft
from billing.usecases._permissions import require
from billing.usecases._price_gate import hold_prices
from billing.usecases.issue_invoices import UnableToIssue, issue_payers
from organizations.models import User

__all__ = ["ChangedMeanwhile", "NotADraft", "UnableToIssue", "issue_invoice"]


@transaction.atomic
def issue_invoice(
    *, invoice_id: int, seen: str, actor: User | None, at: datetime, issue_date: date | None = None
) -> Invoice:
    """Issue a draft whose content is what the person saw, `seen` being its fingerprint; the date defaults to today's.

    Issuing computes it a last time: when that gives another content (usage arrived, a price changed), nothing is
    issued. Raises NotAllowed, NotADraft, ChangedMeanwhile, and UnableToIssue with the reason of what is in the way.
    """
    require(actor, "billing.issue_invoice")
    hold_prices()
    _lock_tree(invoice_id)
    draft = lock_draft(invoice_id=invoice_id, seen=seen)
    day = issue_date or local_day(at)
    if day > local_day(at):
        raise UnableToIssue(f"The issue date {day} is in the future: use {local_day(at)} or an earlier day.")
    month = month_of(draft.consumption_month)
    report = issue_payers(month=month, payer_ids=[draft.organization_id], issue_date=day, actor=actor, at=at)
    if report.not_issued:
        reason = report.not_issued[0].reason
        raise UnableToIssue(reason_sentence(reason.code, reason.values))
    draft.refresh_from_db()
    if draft.fingerprint != seen or not draft.number:
        raise ChangedMeanwhile
    return draft


def _lock_tree(invoice_id: int) -> None:
    """Take all accounts of the payer at once, in the order of everybody: the payer alone may come out of turn."""
    row = Invoice.objects.filter(pk=invoice_id).values_list("consumption_month", "organization_id").first()
    if row is not None:
        lock_accounts(month_of(row[0]), Scope(ids=[row[1]]))
