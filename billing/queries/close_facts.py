"""Everything that decides the invoices of a batch of organizations, in a fixed number of queries."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date

from django.db.models import F, Q, Sum
from msgspec import Struct, structs

from billing.domain.consumption import RateCard
from billing.domain.credits import Grant
from billing.domain.facts import AddOn, Charge, Facts, LineKey, MonthUsage, PlanPrice, Reason, UsageSum
from billing.domain.periods import Month
from billing.domain.taxation import OUT_OF_SCOPE, Customer, TaxTreatment, UnknownRate, tax_treatment
from billing.models import AddOn as AddOnRow
from billing.models import AddOnPlanPrice, CreditEntry, CreditGrant, LegalEntity
from billing.models import Charge as ChargeRow
from billing.queries.accounts import Account, Accounts
from billing.queries.adjustments import load_adjustments
from billing.queries.among import among
from billing.queries.late_usage import load_billed, load_months_settled_by, load_payers, load_unbilled_months
from billing.queries.months import month_of
from billing.queries.price_book import load_negotiators, load_price_book, load_tax_rates
from billing.queries.usage_sums import SummedUsage, sum_usage
from organizations.models import BillingProfile


class Balance(Struct):
    """Usable grants and pending credits of one organization."""

    grants: list[Grant]
    pending_cents: int = 0


class CloseFacts:
    """The facts of a batch: iterate for one `Facts` per payer.

    The usage flags are locked before the sums are read, so whatever arrives later is flagged for the next invoice.
    """

    def __init__(self, month: Month, accounts: Accounts, *, tax_date: date, lock: bool) -> None:
        self.month = month
        self.accounts = accounts
        self._ids = [account.id for account in accounts.members]
        nil_outcome_ids = [
            account.outcome_id for account in accounts.members if account.outcome_id and account.outcome_kind == "nil"
        ]
        settled_before = load_months_settled_by(nil_outcome_ids) if nil_outcome_ids else {}
        self.unbilled_months = load_unbilled_months(month, self._ids, settled_before, lock=lock)
        self._late_months = {day: set(ids) for day, ids in self.unbilled_months.items() if day < month.first_day}
        self._payers_then = load_payers(self._late_months) if self._late_months else {}
        owners = self._possible_negotiators()
        self._book = load_price_book(owners)
        self._negotiators = load_negotiators(owners)
        self._usage = {
            day: self._sum(day, ids) for day, ids in [*self._late_months.items(), (month.first_day, self._ids)]
        }
        self._billed = load_billed(self._late_months, accounts.payer_ids, closing=month) if self._late_months else {}
        self._profiles = _load_profiles(accounts.payer_ids)
        self._seller = LegalEntity.objects.get()
        self._tax_rates = load_tax_rates(tax_date)
        self.booked_expiries = _load_booked_expiries(accounts.members)
        self._balances = _load_balances(self._ids, self.booked_expiries)
        self._add_ons = _load_add_ons(accounts.members, month)
        self._charges = _load_charges(self._ids, month)
        self._adjustments = load_adjustments(month, accounts.payer_ids)
        self._rate_cards: dict[date, RateCard] = {}

    @property
    def seller(self) -> LegalEntity:
        """Who issues the invoices."""
        return self._seller

    def rate_card(self, usage: MonthUsage) -> RateCard:
        """The compiled prices of a month, shared by the batch."""
        day = usage.month.first_day
        if day not in self._rate_cards:
            self._rate_cards[day] = RateCard(self._book, usage.month, usage.segment_starts)
        return self._rate_cards[day]

    def __iter__(self) -> Iterator[Facts]:
        for payer_id, tree in self.accounts.trees.items():
            yield self._facts(payer_id, tree)

    def _possible_negotiators(self) -> list[int]:
        parents = {account.parent_id for account in self.accounts.members if account.parent_id}
        then = {payer_id for payers in self._payers_then.values() for payer_id in payers.values()}
        return list({*self._ids, *parents, *then})

    def _sum(self, day: date, organization_ids: Collection[int]) -> SummedUsage:
        month = month_of(day)
        return sum_usage(month, organization_ids, self._book.changes_within(month.start, month.end))

    def _facts(self, payer_id: int, tree: Sequence[Account]) -> Facts:
        payer = tree[0]
        profile = self._profiles.get(payer_id)
        ids = [account.id for account in tree]
        tax = self._tax(profile)
        balances = [self._balances[id_] for id_ in ids if id_ in self._balances]
        return Facts(
            payer_id=payer_id,
            month=self.month,
            organizations={id_: self._price_owners(id_, payer_id) for id_ in ids},
            terms=payer.terms,
            customer=profile.customer if profile else Customer(""),
            tax=tax if isinstance(tax, TaxTreatment) else OUT_OF_SCOPE,
            usage=self._month_usage(self.month.first_day, ids),
            late_usage=[
                self._late_usage(day, payer_id, late_ids)
                for day, late in self._late_months.items()
                if (late_ids := [id_ for id_ in ids if id_ in late])
            ],
            grants=[grant for balance in balances for grant in balance.grants],
            pending_cents=sum(balance.pending_cents for balance in balances),
            past_consumption_cents=payer.past.own_consumption_cents,
            recent_consumption_cents=payer.past.recent_consumption_cents,
            is_first_invoice=payer.past.is_first_invoice,
            add_ons=[add_on for id_ in ids for add_on in self._add_ons.get(id_, ())],
            charges=[charge for id_ in ids for charge in self._charges.get(id_, ())],
            adjustments=self._adjustments.get(payer_id, ()),
            blocked=next((account.past.obstacle for account in tree if account.past.obstacle), None),
            unbillable=_unbillable(payer, profile, tax),
        )

    def _price_owners(self, organization_id: int, payer_id: int) -> tuple[int, ...]:
        """Whose negotiated prices serve an organization: its own first, then its parent's."""
        owners = (organization_id,) if organization_id == payer_id else (organization_id, payer_id)
        return tuple(owner for owner in owners if owner in self._negotiators) if self._negotiators else ()

    def _month_usage(self, day: date, organization_ids: Iterable[int]) -> MonthUsage:
        usage = self._usage[day]
        sums: list[UsageSum] = [row for id_ in organization_ids for row in usage.by_organization.get(id_, ())]
        billed: Mapping[LineKey, object] = self._billed.get(day, {})
        return MonthUsage(usage.month, usage.segment_starts, sums, billed)  # type: ignore[arg-type]  # SQL gives tuples

    def _late_usage(self, day: date, payer_id: int, organization_ids: Collection[int]) -> MonthUsage:
        """A late month, with the negotiated prices of whoever paid for it then, which may be another than now."""
        payers = self._payers_then.get(day, {})
        owners = {id_: self._price_owners(id_, payers.get(id_, payer_id)) for id_ in organization_ids}
        return structs.replace(self._month_usage(day, organization_ids), owners=owners)

    def _tax(self, profile: "Profile | None") -> TaxTreatment | Reason:
        if profile is None:
            return Reason("unknown_vat_rate", {"country": ""})
        try:
            return tax_treatment(
                profile.customer, rates=self._tax_rates, over_oss_threshold=self._seller.over_oss_threshold
            )
        except UnknownRate:
            return Reason("unknown_vat_rate", {"country": profile.customer.country})


_REQUIRED = ("name", "address", "city", "country")


def _unbillable(payer: Account, profile: "Profile | None", tax: TaxTreatment | Reason) -> Reason | None:
    """Why the payer can get no invoice, whatever there is to bill."""
    if payer.parent_id is not None and payer.parent_is_not_open:
        return Reason("parent_not_open", {"organization": payer.external_id})
    missing = profile.missing if profile else _REQUIRED
    if missing:
        return Reason("incomplete_billing_profile", {"missing": ", ".join(missing)})
    return None if isinstance(tax, TaxTreatment) else tax


class Profile(Struct):
    """What VAT and the printed address need of a billing profile."""

    customer: Customer
    missing: tuple[str, ...]


def _load_profiles(payer_ids: Collection[int]) -> dict[int, Profile]:
    rows = BillingProfile.objects.filter(among("organization", payer_ids)).values_list(
        "organization_id", "country", "postcode", "is_company", "vat_number", "company", "name", "address", "city"
    )
    return {
        id_: Profile(
            Customer(country, postcode, is_company, vat_number),
            tuple(
                field
                for field, value in zip(_REQUIRED, (company or name, address, city, country), strict=True)
                if not value.strip()
            ),
        )
        for id_, country, postcode, is_company, vat_number, company, name, address, city in rows
    }


def _load_booked_expiries(accounts: Iterable[Account]) -> dict[int, dict[int, int]]:
    """What the nil outcomes of this very month have expired so far, by outcome and grant, in cents >= 0.

    Closing the month again starts from the balances before: the difference is booked, nothing is ever taken twice.
    """
    outcome_ids = [account.outcome_id for account in accounts if account.outcome_id]
    entries = CreditEntry.objects.filter(among("outcome", outcome_ids))
    booked: dict[int, dict[int, int]] = {}
    sums = entries.values_list("outcome_id", "grant_id").annotate(cents=Sum("amount_cents"))
    for outcome_id, grant_id, cents in sums:
        if cents and outcome_id:
            booked.setdefault(outcome_id, {})[grant_id] = -cents
    return booked


def _load_balances(organization_ids: Collection[int], booked: Mapping[int, Mapping[int, int]]) -> dict[int, Balance]:
    given_back = {grant_id: cents for expiries in booked.values() for grant_id, cents in expiries.items()}
    rows = CreditGrant.objects.filter(
        Q(remaining_cents__gt=0) | Q(state="pending") | among("id", given_back), among("organization", organization_ids)
    )
    balances: dict[int, Balance] = {}
    for (
        organization_id,
        state,
        pending_cents,
        id_,
        type_,
        remaining_cents,
        starts_on,
        expires_on,
        priority,
    ) in rows.values_list(
        "organization_id",
        "state",
        "pending_cents",
        "id",
        "type",
        "remaining_cents",
        "starts_on",
        "expires_on",
        "priority",
    ):
        account = balances.setdefault(organization_id, Balance([]))
        if state == "pending":
            account.pending_cents += pending_cents
        else:
            remaining_cents += given_back.get(id_, 0)
            account.grants.append(Grant(id_, type_, remaining_cents, starts_on, expires_on, priority))  # type: ignore[arg-type]
    return balances


def _load_add_ons(accounts: Collection[Account], month: Month) -> dict[int, list[AddOn]]:
    owners = {account.id: account for account in accounts}
    end = month.next.next.first_day
    unbilled = Q(billed_until__lt=end) & (Q(ended_on__isnull=True) | Q(ended_on__gt=F("billed_until")))
    rows = AddOnRow.objects.filter(
        Q(billed_until__isnull=True) | unbilled, among("organization", owners), started_on__lt=end
    ).values_list("id", "organization_id", "name", "started_on", "ended_on", "quantity", "billed_until", "plan_id")
    add_ons: dict[int, list[AddOn]] = {}
    prices: dict[int, list[PlanPrice]] | None = None
    for id_, organization_id, name, started_on, ended_on, quantity, billed_until, plan_id in rows:
        if prices is None:
            prices = _load_plan_prices()
        owner = owners[organization_id]
        ends = [day for day in (ended_on, owner.terms.closed_on) if day is not None]
        add_on = AddOn(
            id_,
            organization_id,
            name,
            started_on,
            min(ends, default=None),
            quantity,
            billed_until,
            owner.past.first_month,
            prices.get(plan_id, []),
        )
        add_ons.setdefault(organization_id, []).append(add_on)
    return add_ons


def _load_plan_prices() -> dict[int, list[PlanPrice]]:
    prices: dict[int, list[PlanPrice]] = {}
    rows = AddOnPlanPrice.objects.order_by(F("valid_from").asc(nulls_first=True))
    for plan_id, valid_from, cents in rows.values_list("plan_id", "valid_from", "monthly_price_cents"):
        prices.setdefault(plan_id, []).append(PlanPrice(valid_from, cents))
    return prices


def _load_charges(organization_ids: Collection[int], month: Month) -> dict[int, list[Charge]]:
    """Charges dated up to the last day of the month that no issued invoice has taken."""
    rows = ChargeRow.objects.filter(
        among("organization", organization_ids), invoice__isnull=True, date__lte=month.last_day
    )
    charges: dict[int, list[Charge]] = {}
    for values in rows.values_list(
        "id", "organization_id", "type", "description", "quantity_micro", "unit_price_micro", "date"
    ):
        charges.setdefault(values[1], []).append(Charge(*values))
    return charges
