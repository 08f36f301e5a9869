"""What may not be issued: drafts on hold, with open findings, or without the approval or the check that they need."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import NamedTuple

from msgspec import structs

from billing.domain.approvals import Policy, why_invoice_needs_approval
from billing.domain.assembly import Draft
from billing.domain.facts import Reason
from billing.queries.approvals import Given, People, load_approvals, load_authors, load_policy, printed_parties
from billing.queries.beside_drafts import Taken, load_beside
from billing.queries.draft_checks import Content, checked_parties, load_checks, who_must_get_e_invoices
from billing.queries.legal_texts import EURO, ExchangeRates
from billing.usecases._close_batch import Batch, Result
from organizations.models import User


class Gated(NamedTuple):
    """The part of a batch that may be written and issued, and what may not, with the reason."""

    batch: Batch
    refused: list[tuple[Result, Reason]]


def pass_gate(batch: Batch, *, issue_date: date, actor: User | None) -> Gated:
    """Sort out what may not be issued on that day, by what is stored under the account's lock and was just recomputed.

    A fixed number of queries, whatever the size of the batch; nothing is written.
    """
    refused = {result.account.id: reason for result in batch.results if (reason := _why_not_ready(result, issue_date))}
    ready = [result for result in batch.results if result.account.id not in refused]
    refused |= _without_e_invoice(ready, batch, issue_date)
    refused |= _without_approval([result for result in batch.results if result.account.id not in refused], batch, actor)
    ready = [result for result in batch.results if result.account.id not in refused]
    not_ready = [(result, refused[result.account.id]) for result in batch.results if result.account.id in refused]
    return Gated(structs.replace(batch, results=ready), not_ready)


def _why_not_ready(result: Result, issue_date: date) -> Reason | None:
    if result.existing is not None and result.existing.hold_reason:
        return Reason("on_hold", {"reason": result.existing.hold_reason})
    if result.page is not None and result.page.open_findings:
        return Reason("open_findings", {"count": result.page.open_findings})
    due_date = result.assembled.due_date if isinstance(result.assembled, Draft) else None
    if due_date is not None and due_date < issue_date:
        return Reason("due_date_before_issue", {"day": due_date.isoformat()})
    return None


def _without_e_invoice(results: Sequence[Result], batch: Batch, issue_date: date) -> dict[int, Reason]:
    """Why drafts of customers who must get an e-invoice may not be issued yet, by payer: it has to be a valid one.

    A rate of the euro may be gone, or too old by now, since the check found one.
    """
    pages = {result.account.id: result.page for result in results if result.page is not None}
    required = who_must_get_e_invoices(pages)
    if not required:
        return {}
    stored = {result.account.id: result.existing.id for result in results if result.existing is not None}
    parties = checked_parties(required, batch.loaded.seller)
    checks = load_checks([stored[payer_id] for payer_id in required if payer_id in stored])
    currencies = {
        result.account.id: result.facts.terms.currency
        for result in results
        if result.account.id in required and isinstance(result.assembled, Draft) and result.assembled.vat_cents
    }
    rates = ExchangeRates([(currency, issue_date) for currency in currencies.values()])
    missing: dict[int, Reason] = {}
    for payer_id in required:
        check, currency = checks.get(stored.get(payer_id, 0)), currencies.get(payer_id, EURO)
        if check is None or check.content != Content(pages[payer_id].fingerprint, parties[payer_id]):
            missing[payer_id] = Reason("e_invoice_not_checked")
        elif check.failures:
            missing[payer_id] = Reason("e_invoice_invalid", {"count": len(check.failures)})
        elif currency != EURO and rates.on(currency, issue_date) is None:
            missing[payer_id] = Reason("e_invoice_not_checked")
    return missing


def _without_approval(results: Collection[Result], batch: Batch, actor: User | None) -> dict[int, Reason]:
    """Why drafts that need a second person lack one, by payer."""
    policy = load_policy(batch.loaded.seller.pk)
    if policy == Policy():
        return {}
    drafts = {result.account.id: draft for result in results if isinstance(draft := result.assembled, Draft)}
    month = batch.month.first_day
    beside = load_beside({(payer_id, month): _taken(draft) for payer_id, draft in drafts.items()})
    needed: list[tuple[Result, Reason]] = []
    for result in results:
        if (invoice := drafts.get(result.account.id)) is not None:
            set_by_hand = beside[result.account.id, month]
            if reasons := why_invoice_needs_approval(
                policy,
                total_cents=invoice.total_cents,
                lines=set_by_hand.lines,
                given_credits_cents=set_by_hand.given_credits_cents,
            ):
                needed.append((result, reasons[0]))
    if not needed:
        return {}
    approvals = load_approvals([result.existing.id for result, _ in needed if result.existing])
    payer_ids = [result.account.id for result, _ in needed]
    authors = load_authors([(payer_id, month) for payer_id in payer_ids])
    parties = printed_parties(payer_ids, batch.loaded.seller)
    missing: dict[int, Reason] = {}
    for result, reason in needed:
        payer_id = result.account.id
        given = approvals.get(result.existing.id, []) if result.existing else []
        content = (result.page.fingerprint if result.page else "", parties[payer_id])
        of_draft = authors.get((payer_id, month), frozenset()) | beside[payer_id, month].authors
        if why := _why_not_approved(content, reason, given, of_draft, actor):
            missing[payer_id] = why
    return missing


def _taken(draft: Draft) -> Taken:
    lines = [(line.kind, line.source_id, line.net_cents) for line in draft.lines]
    return Taken(lines, draft.discount_cents, bool(draft.statement.used_free_cents))


def _why_not_approved(
    content: tuple[str, str], needed: Reason, given: list[Given], authors: People, actor: User | None
) -> Reason | None:
    """None when somebody who neither changed the draft nor issues it has approved exactly this content."""
    same = [approval for approval in given if (approval.fingerprint, approval.parties) == content]
    approvers = {approval.approver_id for approval in same} - authors
    if approvers - {actor.pk if actor else None}:
        return None
    if approvers:
        return Reason("approved_by_issuer")
    return Reason("approval_void") if given else needed
