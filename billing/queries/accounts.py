"""Which organizations are billed together for a month, and where each of them stands."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date

from django.db import connection
from django.db.models import Max, Min, Q, QuerySet
from msgspec import Struct

from billing.domain.facts import Reason, Terms
from billing.domain.periods import Month
from billing.domain.review import RECENT_MONTHS
from billing.models import CloseOutcome
from billing.queries.among import among
from organizations.models import Organization


class Scope(Struct, frozen=True):
    """Paying organizations: a range of ids (a batch), or a list."""

    first_id: int = 0
    last_id: int = 2**63 - 1
    ids: Sequence[int] | None = None

    def q(self, column: str) -> Q:
        """The condition that a column names one of them."""
        if self.ids is not None:
            return among(column, self.ids)
        return Q(**{f"{column}__gte": self.first_id, f"{column}__lte": self.last_id})

    def __contains__(self, organization_id: int) -> bool:
        return self.first_id <= organization_id <= self.last_id if self.ids is None else organization_id in self.ids


class Past(Struct):
    """What the months before (and after) say about closing this one.

    `own_consumption_cents` are those that the estimate may look at, `recent_consumption_cents` those of the last three
    months, whatever the estimate looks at; newest first.
    """

    own_consumption_cents: list[int]
    first_month: date
    recent_consumption_cents: list[int] = []
    is_first_invoice: bool = True
    is_first_close: bool = True
    closed_later: bool = False
    obstacle: Reason | None = None


class Account(Struct):
    """One organization's row, with its outcome of the month if there is one."""

    id: int
    external_id: str
    name: str
    parent_id: int | None
    parent_is_not_open: bool
    opened_on: date
    terms: Terms
    payer_id: int
    outcome_id: int | None
    outcome_kind: str | None
    invoice_id: int | None
    invoice_state: str | None
    past: Past

    def is_open_in(self, month: Month) -> bool:
        """Whether the organization takes part in the close of a month."""
        return _is_open(month, self.opened_on, self.terms.closed_on)

    @property
    def is_settled(self) -> bool:
        """Whether the month is over for this payer: issued, or nothing to bill and the next month closed."""
        if self.outcome_kind is None:
            return self.past.closed_later
        return self.invoice_state == "issued" or (self.outcome_kind == "nil" and self.past.closed_later)


def _is_open(month: Month, opened_on: date, closed_on: date | None) -> bool:
    return opened_on <= month.last_day and (closed_on is None or closed_on >= month.first_day)


class Accounts(Struct):
    """Payers to close, in order of id, each with itself and its sub-organizations; `others` are settled already."""

    trees: dict[int, list[Account]]
    others: list[Account]

    @property
    def payer_ids(self) -> list[int]:
        """The organizations that get an invoice of their own."""
        return list(self.trees)

    @property
    def members(self) -> list[Account]:
        """Everybody billed on those invoices."""
        return [account for tree in self.trees.values() for account in tree]


def load_accounts(month: Month, scope: Scope, *, lock: bool) -> Accounts:
    """The payers of a scope with their sub-organizations, locked for this transaction if asked for.

    A sub-organization whose parent takes no part in the month stands alone: its usage must not vanish.
    A sub-organization that was already closed on another payer's invoice stays there for that month: a new parent
    counts from the next month that is closed.
    """
    if lock:
        lock_accounts(month, scope)
    accounts = _load_rows(month, scope)
    _load_pasts(month, accounts)
    by_payer: dict[int, list[Account]] = {}
    for account in accounts:
        by_payer.setdefault(account.payer_id, []).append(account)
    trees: dict[int, list[Account]] = {}
    others = []
    for payer in accounts:
        if payer.payer_id != payer.id or not (payer.outcome_id or payer.is_open_in(month)):
            continue
        if payer.is_settled:
            others.append(payer)
        else:
            members = sorted(by_payer[payer.id], key=lambda account: (account.id != payer.id, account.external_id))
            trees[payer.id] = members
    return Accounts(trees, others)


def load_tree(month: Month, payer_id: int, *, lock: bool) -> Accounts:
    """One payer with its sub-organizations, whether the month can be closed for it or not: to look at months before."""
    scope = Scope(ids=[payer_id])
    if lock and connection.features.has_select_for_no_key_update:
        lock_accounts(month, scope)
    accounts = _load_rows(month, scope)
    _load_pasts(month, accounts)
    tree = [account for account in accounts if account.payer_id == payer_id]
    return Accounts({payer_id: sorted(tree, key=lambda account: (account.id != payer_id, account.external_id))}, [])


def lock_accounts(month: Month, scope: Scope) -> None:
    """Wait for whoever else bills these accounts or their sub-organizations, in the order of their ids.

    In a statement of its own: one that waited would still see the outcomes as they were when it began.
    """
    if not connection.features.has_select_for_no_key_update:
        return
    rows = _concerned(month, scope).select_for_update(no_key=True).order_by("id")
    list(rows.values_list("id", flat=True))


def _concerned(month: Month, scope: Scope) -> QuerySet[Organization]:
    """The organizations of a scope, their children and whoever was closed on their invoice."""
    billed_here = CloseOutcome.objects.filter(scope.q("payer"), month=month.first_day, kind="on_parent")
    moved_ids = list(billed_here.values_list("organization_id", flat=True))
    return Organization.objects.filter(scope.q("id") | scope.q("parent") | among("id", moved_ids))


def _load_rows(month: Month, scope: Scope) -> list[Account]:
    rows = list(_concerned(month, scope).order_by("id").values_list(*_COLUMNS))
    outcomes = _load_outcomes(month, [row[0] for row in rows])
    accounts = []
    for id_, external_id, name, parent_id, parent_opened_on, parent_closed_on, opened_on, *terms in rows:
        outcome_payer_id, outcome_id, kind, invoice_id, state = outcomes.get(id_, _NOT_CLOSED)
        parent_is_open = parent_opened_on is not None and _is_open(month, parent_opened_on, parent_closed_on)
        payer_id = outcome_payer_id or (parent_id if parent_id and parent_is_open else id_)
        if payer_id in scope:
            past = Past([], month.first_day)
            accounts.append(
                Account(
                    id_,
                    external_id,
                    name,
                    parent_id,
                    not parent_is_open,
                    opened_on,
                    Terms(*terms),
                    payer_id,
                    outcome_id,
                    kind,
                    invoice_id,
                    state,
                    past,
                )
            )
    return accounts


_COLUMNS = (
    "id",
    "external_id",
    "name",
    "parent_id",
    "parent__opened_on",
    "parent__closed_on",
    "opened_on",
    "currency",
    "forecast_months",
    "negotiated_refill_cents",
    "consumption_discount_ppm",
    "closed_on",
    "negotiated_refill_until",
)

type _Closed = tuple[int | None, int | None, str | None, int | None, str | None]
"""Payer, id, kind, invoice and its state of an outcome."""

_NOT_CLOSED: _Closed = (None, None, None, None, None)


def _load_outcomes(month: Month, organization_ids: Collection[int]) -> dict[int, _Closed]:
    """The outcomes of the month, by organization.

    Asked for from the month before on: PostgreSQL's statistics do not know the rows of the month that is being closed.
    It would expect a handful, and read all of them for every batch.
    """
    rows = CloseOutcome.objects.filter(
        among("organization", organization_ids), month__gte=month.back(1).first_day
    ).values_list("month", "organization_id", "payer_id", "id", "kind", "invoice_id", "invoice__document_state")
    return {
        organization_id: (payer_id, id_, kind, invoice_id, state)
        for day, organization_id, payer_id, id_, kind, invoice_id, state in rows
        if day == month.first_day
    }


def _load_pasts(month: Month, accounts: Sequence[Account]) -> None:
    """Fill in each account's past: its estimates' months, and what stands in the way of closing this one."""
    ids = [account.id for account in accounts]
    others = CloseOutcome.objects.filter(among("organization", ids)).exclude(month=month.first_day)
    bounds = others.values_list("organization_id").annotate(
        first=Min("month"),
        last=Max("month", filter=~Q(kind="blocked")),
        first_invoice=Min("month", filter=Q(kind="invoice")),
    )
    known = {organization_id: days for organization_id, *days in bounds}
    estimated_since = {n: _estimated_since(month, n) for n in {account.terms.forecast_months for account in accounts}}
    reviewed_since = month.back(RECENT_MONTHS).first_day
    recent = others.filter(month__lt=month.first_day, month__gte=min([reviewed_since, *estimated_since.values()]))
    history: dict[int, list[_PastOutcome]] = {}
    for organization_id, closed, kind, own_cents, reason_code, state in recent.order_by("-month").values_list(
        "organization_id", "month", "kind", "own_consumption_cents", "reason_code", "invoice__document_state"
    ):
        outcome = _PastOutcome(closed, kind, own_cents, reason_code, state)
        history.setdefault(organization_id, []).append(outcome)
    for account in accounts:
        first, last, first_invoice = known.get(account.id, (None, None, None))
        outcomes = history.get(account.id, [])
        account.past = Past(
            _own_consumptions(outcomes, estimated_since[account.terms.forecast_months]),
            min(first or month.first_day, month.first_day),
            recent_consumption_cents=_own_consumptions(outcomes, reviewed_since),
            is_first_invoice=first_invoice is None or first_invoice > month.first_day,
            is_first_close=first is None or first > month.first_day,
            closed_later=last is not None and last > month.first_day,
        )
        if not account.past.is_first_close and account.is_open_in(month.previous):
            account.past.obstacle = _obstacle(account, month.previous, outcomes)


def _estimated_since(month: Month, forecast_months: int) -> date:
    """The first of the last N months, this one included; others are loaded for who looks back further."""
    return month.back(max(forecast_months - 1, 0)).first_day


def _own_consumptions(outcomes: Iterable["_PastOutcome"], since: date) -> list[int]:
    """What an organization that paid for itself consumed in the closed months since a day."""
    return [
        outcome.own_consumption_cents for outcome in outcomes if outcome.kind != "on_parent" and outcome.month >= since
    ]


class _PastOutcome(Struct):
    month: date
    kind: str
    own_consumption_cents: int
    reason_code: str
    invoice_state: str | None


def _obstacle(account: Account, previous: Month, outcomes: Iterable[_PastOutcome]) -> Reason | None:
    """A month is closed only after the one before is issued or nil (domain page, section 6)."""
    outcome = next((outcome for outcome in outcomes if outcome.month == previous.first_day), None)
    values: dict[str, str | int] = {"month": str(previous), "organization": account.external_id}
    if outcome is None:
        return Reason("previous_month_not_closed", values)
    if outcome.kind == "blocked" or (outcome.kind == "on_parent" and outcome.reason_code):
        return Reason("previous_month_blocked", values)
    if outcome.invoice_state == "draft":
        return Reason("previous_month_draft", values)
    return None
