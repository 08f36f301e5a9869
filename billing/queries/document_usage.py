"""The usage details of documents: as they were written, then grouped as they are printed."""

from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from billing.domain.documents import OrganizationUsage, ResourceUsage, UsageLine
from billing.domain.pricing import Price
from billing.models import Price as PriceRow
from billing.models import UsageDetail
from billing.queries.among import among
from billing.queries.prices import stored_price
from billing.queries.printed import Printed

type Names = Mapping[int, tuple[str, str]]
"""Identifier and name of organizations."""


class Detail(NamedTuple):
    """A usage detail and whose it is; one without a meter is the discount."""

    organization_id: int
    resource: str
    resource_name: str
    line: UsageLine


def group_usage(details: Sequence[Detail], names: Names, payer_id: int) -> tuple[OrganizationUsage, ...]:
    """Group the details; they are written by organization and resource, so what belongs together is together."""
    groups = {
        organization_id: OrganizationUsage(
            *names[organization_id],
            tuple(
                ResourceUsage(*resource, tuple(detail.line for detail in of_resource))
                for resource, of_resource in groupby(of_organization, key=attrgetter("resource", "resource_name"))
            ),
        )
        for organization_id, of_organization in groupby(details, key=attrgetter("organization_id"))
    }
    order = sorted(groups, key=lambda id_: (id_ != payer_id, names[id_][1], id_))
    return tuple(groups[id_] for id_ in order)


_DETAIL_COLUMNS = (
    "organization_id",
    "resource__external_id",
    "resource_name",
    "month",
    "meter__code",
    "meter__unit",
    "zone",
    "quantity_micro",
    "amount_cents",
    "price_id",
)


def load_details(printed: Mapping[int, Printed]) -> dict[int, list[Detail]]:
    """The usage details of each document, as they were written, with its names of their meters."""
    found = UsageDetail.objects.filter(among("invoice", printed)).order_by("invoice_id", "id")
    values = list(found.values_list("invoice_id", *_DETAIL_COLUMNS))
    prices = _load_prices({value[-1] for value in values if value[-1]})
    details: dict[int, list[Detail]] = {}
    for (
        invoice_id,
        owner_id,
        resource,
        name,
        month,
        code,
        unit,
        zone,
        quantity,
        cents,
        price_id,
    ) in values:
        line = UsageLine(
            month=month,
            meter_code=code or "",
            meter_name=printed[invoice_id].meters[code] if code else "",
            unit=unit or "",
            zone=zone,
            quantity_micro=quantity or 0,
            amount_cents=cents,
            price=prices.get(price_id),
        )
        details.setdefault(invoice_id, []).append(Detail(owner_id, resource or "", name, line))
    return details


def _load_prices(ids: Collection[int]) -> dict[int, Price]:
    rows = PriceRow.objects.filter(among("id", ids)).prefetch_related("tiers")
    return {row.pk: stored_price(row) for row in rows}
