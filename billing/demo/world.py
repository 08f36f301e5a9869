"""The whole demo platform as NDJSON objects (interfaces, section 2), in the order in which it becomes known."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from billing.demo import chance
from billing.demo.accounts import Account, Consumption, Json, Resource
from billing.demo.crowd import make_account
from billing.demo.months import IN_PROGRESS, LAST, FourMonths, Span, within
from billing.demo.price_list import catalogue
from billing.demo.story import STORY
from billing.domain.quantities import MICRO, format_micro

LATE_MONTH = LAST - 1
"""The last issued month: some of its usage arrives after its invoices."""


@dataclass(frozen=True)
class World:
    """A platform of so many organizations over four months. Usage is made up again on every pass and never kept."""

    months: FourMonths
    size: int

    @cached_property
    def accounts(self) -> tuple[Account, ...]:
        """Every customer, those with a story first."""
        story = [make(index, self.months) for index, make in enumerate(STORY[: self.size])]
        return (*story, *(make_account(index, self.months) for index in range(len(STORY), self.size)))

    def catalogue(self) -> Iterator[Json]:
        """Yield what is for sale, before the first month."""
        return catalogue(self.months)

    def news(self, month: int) -> Iterator[Json]:
        """Yield what becomes known in a month besides usage: customers, resources, credits, add-ons, charges."""
        for account in self.accounts:
            if account.known_from == month:
                yield _organization(account)
                for resource in account.resources:
                    yield _resource(account, resource)
            elif account.closed_on and month == LAST:
                yield _organization(account) | {"closed_on": f"{account.closed_on}"}
            yield from (change for known_in, change in account.changes if known_in == month)

    def usage(self, month: int) -> Iterator[Json]:
        """Yield the usage of a month that is reported in time."""
        for account in self.accounts:
            late = account.late_days if month == LATE_MONTH else range(0)
            for span, record in self._records(account, month):
                if span.first_day.day not in late:
                    yield record

    def late_usage(self) -> Iterator[Json]:
        """Yield the usage of the last issued month that arrives after its invoices."""
        for account in self.accounts:
            if account.late_days:
                for span, record in self._records(account, LATE_MONTH):
                    if span.first_day.day in account.late_days:
                        yield record

    def usage_so_far(self, today: date) -> Iterator[Json]:
        """Yield what is measured of the month in progress before a day."""
        for account in self.accounts:
            for span, record in self._records(account, IN_PROGRESS):
                if span.last_day < today:
                    yield record

    def _records(self, account: Account, month: int) -> Iterator[tuple[Span, Json]]:
        if account.known_from > month:
            return
        for resource_number, resource in enumerate(account.resources):
            resource_id = _resource_id(account, resource)
            for number, use in enumerate(resource.uses):
                seed = (account.seed * 64 + resource_number) * 64 + number
                for span, quantity_micro in self._quantities(account, use, month, seed):
                    yield span, _usage(account, resource_id, use, span, quantity_micro)

    def _quantities(self, account: Account, use: Consumption, month: int, seed: int) -> Iterator[tuple[Span, int]]:
        since = max(account.opened_on, use.since or account.opened_on)
        spans = within(self.months.spans(account.report_days)[month], since, account.closed_on)
        if use.curve:
            for span in spans:
                yield span, use.curve.quantity_micro(month, span, seed)
        elif spans and month < IN_PROGRESS:
            # Users are counted on the last day of the month.
            yield self.months.spans(1)[month][-1], use.counts[month] * MICRO


def _organization(account: Account) -> Json:
    organization: Json = {
        "kind": "organization",
        "id": account.id,
        "name": account.name,
        "parent": account.parent_id,
        "currency": "EUR",
        "opened_on": f"{account.opened_on}",
        "closed_on": None,
        **account.terms,
    }
    return organization if account.billing is None else organization | {"billing": account.billing}


def _resource_id(account: Account, resource: Resource) -> str:
    return chance.identifier(resource.prefix, f"{account.id} {resource.name}")


def _resource(account: Account, resource: Resource) -> Json:
    return {
        "kind": "resource",
        "id": _resource_id(account, resource),
        "organization": account.id,
        "name": resource.name,
    }


def _usage(account: Account, resource_id: str, use: Consumption, span: Span, quantity_micro: int) -> Json:
    return {
        "kind": "usage",
        "source": use.source,
        "event_id": f"{resource_id}/{use.meter}/{span.first_day}",
        "organization": account.id,
        "resource": resource_id,
        "meter": use.meter,
        "zone": use.zone,
        "start": span.start,
        "end": span.end,
        "quantity": format_micro(quantity_micro),
    }
