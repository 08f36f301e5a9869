"""What a payer consumed, month by month, by resource and by sub-organization: as invoiced, and what is not yet."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import date

from django.db.models import QuerySet, Sum
from msgspec import Struct

from billing.domain.consumption import UsageLine
from billing.domain.periods import Month
from billing.models import Invoice, Resource, UsageDetail
from billing.queries.among import among
from organizations.models import Organization

MONTHS = 12
LARGEST = 8


class Series(Struct, frozen=True):
    """The consumption of something in each of the months, in cents; no id: of all the others together."""

    id: int | None
    name: str
    owner: str
    cents: tuple[int, ...]

    @property
    def total_cents(self) -> int:
        """Over all months."""
        return sum(self.cents)


class Breakdown(Struct, frozen=True):
    """Months, oldest first, and the series of which each is the sum; the largest first, the others last."""

    months: list[date]
    series: list[Series]

    @property
    def totals_cents(self) -> list[int]:
        """Of each month."""
        return [sum(amounts) for amounts in zip(*(each.cents for each in self.series), strict=True)]


class Charts(Struct, frozen=True):
    """The same consumption twice; by organization only where there are several."""

    by_resource: Breakdown
    by_organization: Breakdown | None


def load_charts(payer: Organization, month: Month, not_invoiced: Sequence[UsageLine]) -> Charts:
    """Break down the invoiced consumption of the last twelve months before `month`, and what is not invoiced yet.

    Gross of any discount, each month with the late usage that was billed later. Sums are made by the database, so
    thousands of resources cost as many queries as one.
    """
    details = _details(payer, month)
    totals = Counter(dict(details.values_list("month").annotate(cents=Sum("amount_cents"))))
    for line in not_invoiced:
        totals[line.month] += line.amount_cents
    first = min((day for day, cents in totals.items() if cents), default=month.first_day)
    months = [day for day in (month.back(number).first_day for number in range(MONTHS, -1, -1)) if day >= first]
    resources = _amounts(details, "resource_id", not_invoiced)
    organizations = _amounts(details, "organization_id", not_invoiced)
    return Charts(
        _breakdown(months, totals, resources, _resource_names(resources, payer.pk)),
        _breakdown(months, totals, organizations, _organization_names(organizations))
        if len(organizations) > 1
        else None,
    )


type _Amounts = dict[int, Counter[date]]
"""Cents by what consumed them and by month: of the largest only."""


def _details(payer: Organization, month: Month) -> QuerySet[UsageDetail]:
    invoices = Invoice.objects.filter(
        organization=payer, kind=Invoice.Kind.INVOICE, document_state="issued", released=False
    )
    return UsageDetail.objects.filter(
        invoice__in=invoices,
        meter__isnull=False,
        month__gte=month.back(MONTHS).first_day,
        month__lt=month.first_day,
    ).order_by()


def _amounts(details: QuerySet[UsageDetail], column: str, not_invoiced: Sequence[UsageLine]) -> _Amounts:
    """The months of those that consumed most, invoiced or so far: two queries."""
    current: Counter[int] = Counter()
    for line in not_invoiced:
        current[getattr(line, column)] += line.amount_cents
    largest = details.values_list(column).annotate(cents=Sum("amount_cents")).order_by("-cents", column)
    ids = {id_ for id_, _ in (*largest[: LARGEST + 1], *current.most_common(LARGEST + 1)) if id_ is not None}
    amounts: _Amounts = {id_: Counter() for id_ in ids}
    found = details.filter(among(column.removesuffix("_id"), ids)) if ids else details.none()
    for id_, day, cents in found.values_list(column, "month").annotate(cents=Sum("amount_cents")):
        amounts[id_][day] += cents
    for line in not_invoiced:
        if getattr(line, column) in ids:
            amounts[getattr(line, column)][line.month] += line.amount_cents
    return amounts


def _breakdown(
    months: list[date], totals: Mapping[date, int], amounts: _Amounts, names: Mapping[int, tuple[str, str]]
) -> Breakdown:
    ranked = sorted(amounts, key=lambda id_: (-sum(amounts[id_].values()), id_))
    shown = [id_ for id_ in ranked[:LARGEST] if any(amounts[id_].values())]
    series = [Series(id_, *names[id_], tuple(amounts[id_][day] for day in months)) for id_ in shown]
    rest = tuple(totals[day] - sum(amounts[id_][day] for id_ in shown) for day in months)
    return Breakdown(months, [*series, Series(None, "", "", rest)] if any(rest) else series)


def _resource_names(ids: Collection[int], payer_id: int) -> dict[int, tuple[str, str]]:
    """Names, with whose they are if not the payer's own."""
    rows = Resource.objects.filter(among("id", ids)).values_list("id", "name", "organization_id", "organization__name")
    return {id_: (name, "" if owner_id == payer_id else owner) for id_, name, owner_id, owner in rows}


def _organization_names(ids: Collection[int]) -> dict[int, tuple[str, str]]:
    return {id_: (name, "") for id_, name in Organization.objects.filter(among("id", ids)).values_list("id", "name")}
