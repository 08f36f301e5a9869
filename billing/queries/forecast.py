"""The month in progress of one payer, and its next invoice, by the code that closes months; locks nothing."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from msgspec import Struct, structs

from billing.domain.assembly import Assembled, Blocked, assemble
from billing.domain.consumption import Unrateable, UsageLine, rate_month
from billing.domain.facts import Facts, Reason
from billing.domain.forecast import Window, carried_on, extrapolate, window_at
from billing.domain.periods import Month
from billing.models import Resource
from billing.queries.accounts import Accounts, Scope, load_accounts
from billing.queries.among import among
from billing.queries.close_facts import CloseFacts
from billing.queries.months import billing_zone, midnight
from billing.queries.usage_sums import last_measured, sum_measured
from organizations.models import Organization

PREVIOUS_MONTH_IS_OPEN = {"previous_month_not_closed", "previous_month_draft", "previous_month_blocked"}


class Consumption(Struct, frozen=True):
    """Rated usage lines of the month, before any discount; `obstacle` says why they are not known, if they are not."""

    lines: tuple[UsageLine, ...] = ()
    obstacle: Reason | None = None

    @property
    def gross_cents(self) -> int:
        """What the lines cost."""
        return sum(line.amount_cents for line in self.lines)


class Forecast(Struct, frozen=True):
    """What a payer and its sub-organizations have consumed so far, and what the next invoice would be.

    `known_until` is the instant up to which usage is known; `so_far` is what it costs, `expected` what the whole month
    probably will. `invoice` is what the close would make of that. `open_month`: the first day of the month before,
    whose invoice is not issued yet and is reckoned with as it would be now; `open_lines` are its usage.
    """

    month: Month
    at: datetime
    known_until: datetime
    currency: str
    discount_ppm: int
    so_far: Consumption
    expected: Consumption
    invoice: Assembled
    open_month: date | None
    open_lines: tuple[UsageLine, ...]
    organizations: Mapping[int, str]
    resources: Mapping[int, tuple[str, str]]


def load_forecast(organization: Organization, *, at: datetime) -> Forecast | None:
    """Forecast the next invoice of an organization, in a number of queries that does not depend on how much it runs.

    None for one that gets no invoice of its own for the month in progress: it is billed on its parent's, or not open.
    """
    month = Month.containing(at, billing_zone())
    scope = Scope(ids=[organization.pk])
    accounts = load_accounts(month, scope, lock=False)
    if organization.pk not in accounts.trees:
        return None
    loaded = _load(month, accounts)
    [facts] = loaded
    ids = [account.id for account in accounts.members]
    window = window_at(month, at, last_measured(month, ids))
    measured = sum_measured([month.previous, month], ids, window.start, window.end)
    whole = structs.replace(facts, usage=extrapolate(facts.usage, measured, window, _last_instant(facts)))
    so_far, expected = _rate(facts, loaded), _rate(whole, loaded)
    before, invoice = _invoice(whole, loaded, scope)
    return Forecast(
        month=month,
        at=at,
        known_until=_known_until(month, window),
        currency=facts.terms.currency,
        discount_ppm=facts.terms.discount_ppm,
        so_far=so_far,
        expected=expected,
        invoice=invoice,
        open_month=None if before is None else month.previous.first_day,
        open_lines=() if before is None or isinstance(before, Blocked) else before.usage,
        organizations={account.id: account.name for account in accounts.members},
        resources=_names_of({line.resource_id for line in (*so_far.lines, *expected.lines)}),
    )


def _load(month: Month, accounts: Accounts) -> CloseFacts:
    # VAT as on the day on which the invoice can be issued.
    return CloseFacts(month, accounts, tax_date=month.next.first_day, lock=False)


def _known_until(month: Month, window: Window) -> datetime:
    return max(month.start, window.end)


def _last_instant(facts: Facts) -> datetime:
    """Until when there is usage to come: the end of the month, or of the last day of an account that closes."""
    closed_on = facts.terms.closed_on
    if closed_on is None:
        return facts.month.end
    return min(facts.month.end, midnight(closed_on + timedelta(days=1)))


def _rate(facts: Facts, loaded: CloseFacts) -> Consumption:
    try:
        rated = rate_month(
            facts.usage, loaded.rate_card(facts.usage), currency=facts.terms.currency, owners=facts.organizations
        )
    except Unrateable as error:
        return Consumption(obstacle=error.reason)
    return Consumption(rated.lines)


def _invoice(facts: Facts, loaded: CloseFacts, scope: Scope) -> tuple[Assembled | None, Assembled]:
    """Assemble the invoice; first the one of the month before, as it would be now, when that is not settled yet."""
    if facts.blocked is None or facts.blocked.code not in PREVIOUS_MONTH_IS_OPEN:
        return None, assemble(facts, loaded.rate_card)
    month = facts.month.previous
    accounts = load_accounts(month, scope, lock=False)
    if facts.payer_id not in accounts.trees:
        return None, Blocked(facts.blocked)
    loaded_before = _load(month, accounts)
    [facts_before] = loaded_before
    before = assemble(facts_before, loaded_before.rate_card)
    if isinstance(before, Blocked):
        return before, before
    is_known = accounts.trees[facts.payer_id][0].outcome_id is not None
    return before, assemble(carried_on(facts, before, is_known=is_known), loaded.rate_card)


def _names_of(resource_ids: set[int]) -> dict[int, tuple[str, str]]:
    rows = Resource.objects.filter(among("id", resource_ids)).values_list("id", "name", "external_id")
    return {id_: (name, external_id) for id_, name, external_id in rows}
