"""Close a month for a batch of payers in the transaction of the caller: load, assemble, write."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime

import msgspec

from billing.domain.assembly import Assembled, Blocked, Draft, Nil, assemble
from billing.domain.facts import Facts, Reason
from billing.domain.periods import Month
from billing.domain.review import review
from billing.models import CreditEntry, Invoice, UsageMonth
from billing.queries.accounts import Account, Accounts, Scope, load_accounts
from billing.queries.among import among
from billing.queries.close_facts import CloseFacts
from billing.queries.drafts import ExistingDraft, PrintedNames, load_drafts
from billing.queries.late_usage import load_months_settled_by
from billing.queries.reviews import Reviews, load_reviews
from billing.usecases._bulk import allocate_ids
from billing.usecases._draft_rows import PrintedDraft, insert_invoices, insert_parts, print_draft, update_invoices
from billing.usecases._ledger import book_entries
from billing.usecases._outcomes import Outcome, member_outcome, payer_outcome, write_outcomes


class Result(msgspec.Struct, frozen=True):
    """What the close made of one payer; `page` is there for a draft, `existing` when there was a draft before."""

    account: Account
    facts: Facts
    assembled: Assembled
    page: PrintedDraft | None
    existing: ExistingDraft | None

    @property
    def is_unchanged_draft(self) -> bool:
        """Whether the stored draft says the same already."""
        return (
            self.page is not None and self.existing is not None and self.page.fingerprint == self.existing.fingerprint
        )


class Batch(msgspec.Struct, frozen=True):
    """A computed batch, before it is written."""

    month: Month
    accounts: Accounts
    loaded: CloseFacts
    results: list[Result]


def compute_batch(month: Month, scope: Scope, *, tax_date: date, lock: bool) -> Batch:
    """Load the facts of a scope and assemble every invoice; writes nothing."""
    accounts = load_accounts(month, scope, lock=lock)
    loaded = CloseFacts(month, accounts, tax_date=tax_date, lock=lock)
    return assemble_batch(loaded, loaded)


def assemble_batch(loaded: CloseFacts, of: Iterable[Facts]) -> Batch:
    """Assemble the invoices of loaded facts, as they are or changed in memory; writes nothing."""
    month, accounts = loaded.month, loaded.accounts
    assembled = [(facts, assemble(facts, loaded.rate_card)) for facts in of]
    names = PrintedNames([line for _, result in assembled if isinstance(result, Draft) for line in result.usage])
    drafts = load_drafts(month, accounts.payer_ids)
    reviews = load_reviews(month.first_day, accounts.payer_ids)
    results = [
        Result(
            accounts.trees[facts.payer_id][0],
            facts,
            result,
            _print(facts, result, names, reviews) if isinstance(result, Draft) else None,
            drafts.get(facts.payer_id),
        )
        for facts, result in assembled
    ]
    return Batch(month, accounts, loaded, results)


def _print(facts: Facts, draft: Draft, names: PrintedNames, reviews: Reviews) -> PrintedDraft:
    findings = review(facts, draft, reviews.thresholds_of(facts.payer_id))
    return print_draft(facts, draft, names, findings, reviews.acknowledged_of(facts.payer_id))


def write_batch(batch: Batch, *, close_id: int, at: datetime) -> dict[int, int]:
    """Write drafts, outcomes and what nil outcomes settle; returns the invoice id of each payer that has a draft."""
    invoice_ids = _write_drafts(batch, at)
    _discard(result.existing for result in batch.results if isinstance(result.assembled, Nil))
    outcome_ids = write_outcomes(_outcomes(batch, invoice_ids), close_id=close_id, month=batch.month.first_day)
    book_entries(_expiries(batch, outcome_ids, at))
    _flag_usage(batch)
    return invoice_ids


def _write_drafts(batch: Batch, at: datetime) -> dict[int, int]:
    invoice_ids: dict[int, int] = {}
    new: list[PrintedDraft] = []
    changed: list[tuple[int, PrintedDraft]] = []
    for result in batch.results:
        if result.page is None:
            continue
        if result.existing is None:
            new.append(result.page)
            continue
        invoice_ids[result.facts.payer_id] = result.existing.id
        if not result.is_unchanged_draft:
            changed.append((result.existing.id, result.page))
    inserted = list(zip(allocate_ids(Invoice, len(new)), new, strict=True))
    insert_invoices(inserted, legal_entity_id=batch.loaded.seller.pk, at=at)
    update_invoices(changed, at=at)
    insert_parts([*inserted, *changed])
    new_ids = {page.facts.payer_id: id_ for id_, page in inserted}
    _hold_again(batch, new_ids)
    return invoice_ids | new_ids


def _hold_again(batch: Batch, new_ids: Mapping[int, int]) -> None:
    """A draft that was discarded on hold and is needed after all is still on hold."""
    was_nil = {result.account.id for result in batch.results if result.account.outcome_kind == "nil"}
    payer_ids = was_nil.intersection(new_ids)
    if not payer_ids:
        return
    discarded = Invoice.objects.filter(
        among("organization", payer_ids), consumption_month=batch.month.first_day, document_state="discarded"
    )
    reasons = dict(discarded.order_by("id").values_list("organization_id", "hold_reason"))  # the newest one's
    for payer_id, reason in reasons.items():
        if reason:
            Invoice.objects.filter(pk=new_ids[payer_id]).update(hold_reason=reason)


def _discard(drafts: Iterable[ExistingDraft | None]) -> None:
    """A draft that has nothing to bill any more; it never had a number."""
    ids = [draft.id for draft in drafts if draft is not None]
    if ids:
        Invoice.objects.filter(id__in=ids, document_state="draft").update(document_state="discarded")


def _outcomes(batch: Batch, invoice_ids: Mapping[int, int]) -> list[Outcome]:
    """The outcomes to write: of everybody who takes part in the month and whose stored outcome may say otherwise."""
    outcomes: list[Outcome] = []
    for result in batch.results:
        payer = payer_outcome(result.account, result.assembled, invoice_ids.get(result.account.id))
        tree = batch.accounts.trees[result.account.id]
        if result.is_unchanged_draft:
            tree = [account for account in tree if account.invoice_id != payer.invoice_id]
        outcomes += _tree_outcomes(batch.month, tree, payer)
    return outcomes


def _tree_outcomes(month: Month, tree: Iterable[Account], payer: Outcome) -> Iterable[Outcome]:
    for account in tree:
        if account.outcome_id is not None or account.is_open_in(month):
            yield payer if account.id == payer.organization_id else member_outcome(account, payer)


def block_payer(month: Month, payer_id: int, reason: Reason, *, close_id: int) -> None:
    """Record that a payer and its sub-organizations cannot be closed, when there is not even a batch of its own."""
    tree = load_accounts(month, Scope(ids=[payer_id]), lock=True).trees[payer_id]
    if tree[0].outcome_kind == "nil" and tree[0].outcome_id:
        members = {account.id for account in tree}
        _flag_again({**load_months_settled_by([tree[0].outcome_id]), month.first_day: members})
    blocked = payer_outcome(tree[0], Blocked(reason), None)
    write_outcomes(list(_tree_outcomes(month, tree, blocked)), close_id=close_id, month=month.first_day)


def _expiries(batch: Batch, outcome_ids: Mapping[int, int], at: datetime) -> list[CreditEntry]:
    """What expires with nil outcomes, as the difference to what an earlier run of this close booked.

    The expiries of a draft are booked when it is issued; those of a former nil outcome are then taken back here.
    """
    entries = []
    for result in batch.results:
        outcome_id = outcome_ids.get(result.account.id)
        if outcome_id is None or isinstance(result.assembled, Blocked):
            continue
        booked = batch.loaded.booked_expiries.get(outcome_id, {})
        due = dict(result.assembled.expired) if isinstance(result.assembled, Nil) else {}
        for grant_id in {**booked, **due}:
            cents = booked.get(grant_id, 0) - due.get(grant_id, 0)
            if cents:
                entries.append(
                    CreditEntry(
                        grant_id=grant_id,
                        kind=CreditEntry.Kind.EXPIRY,
                        amount_cents=cents,
                        month=batch.month.first_day,
                        outcome_id=outcome_id,
                        booked_at=at,
                    )
                )
    return entries


def _flag_usage(batch: Batch) -> None:
    """What a nil outcome settles is not unbilled any more; when it becomes a draft, it is again until issued."""
    settled = {result.facts.payer_id for result in batch.results if isinstance(result.assembled, Nil)}
    clear_flags(batch, settled)
    reopened = {
        account.id
        for result in batch.results
        if result.account.outcome_kind == "nil" and not isinstance(result.assembled, Nil)
        for account in batch.accounts.trees[result.facts.payer_id]
    }
    if reopened:
        months = {day: reopened.intersection(ids) for day, ids in batch.loaded.unbilled_months.items()}
        _flag_again({**months, batch.month.first_day: reopened})


def _flag_again(months: Mapping[date, Collection[int]]) -> None:
    for month, organization_ids in months.items():
        UsageMonth.objects.filter(among("organization", organization_ids), month=month).update(unbilled=True)


def clear_flags(batch: Batch, settled_payer_ids: set[int]) -> None:
    """Mark the loaded months with unbilled usage of these payers as billed; the rows are locked since the load.

    A month that late usage made cheaper keeps its flag: something is still to be given back.
    """
    members = {account.id for payer_id in settled_payer_ids for account in batch.accounts.trees[payer_id]}
    lowered = {
        (line.month, line.organization_id)
        for result in batch.results
        if not isinstance(result.assembled, Blocked)
        for line in result.assembled.lowered
    }
    for month, organization_ids in batch.loaded.unbilled_months.items():
        settled = [id_ for id_ in organization_ids if id_ in members and (month, id_) not in lowered]
        if settled:
            UsageMonth.objects.filter(organization__in=settled, month=month).update(unbilled=False)
