"""What a document prints of rows that may change afterwards: names, and the rate of the euro. Issuing copies it."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date

import msgspec
from msgspec import Struct

from billing.domain.documents import Exchange
from billing.models import Invoice, InvoiceLine, Meter, UsageDetail
from billing.queries.among import among
from billing.queries.legal_texts import EURO, ExchangeRates
from organizations.models import Organization


class Printed(Struct, frozen=True, omit_defaults=True):
    """Identifier and name of the organizations of a document, by id; names of its meters, by code; the rate of VAT."""

    organizations: dict[int, tuple[str, str]] = {}
    meters: dict[str, str] = {}
    exchange: Exchange | None = None


def printed_of(rows: Sequence[Invoice], days: Mapping[int, date]) -> dict[int, Printed]:
    """The copy that an issued document keeps; for a draft what it would be on its day. By id.

    Documents that were issued before there was a copy are read like drafts.
    """
    copied = {row.pk: msgspec.convert(row.printed, Printed, str_keys=True) for row in rows if row.printed}
    return copied | load_printed({row.pk: (row.currency, days[row.pk]) for row in rows if row.pk not in copied})


def load_printed(documents: Mapping[int, tuple[str, date]]) -> dict[int, Printed]:
    """What documents print as of now, by id, from their currencies and days; five queries at most."""
    if not documents:
        return {}
    organizations, meters = _named(documents)
    rows = Organization.objects.filter(among("id", set().union(*organizations.values())))
    names = {id_: (identifier, name) for id_, identifier, name in rows.values_list("id", "external_id", "name")}
    meter_rows = Meter.objects.filter(among("id", set().union(*meters.values()))) if meters else Meter.objects.none()
    meter_names = {id_: (code, name) for id_, code, name in meter_rows.values_list("id", "code", "name")}
    rates = ExchangeRates([value for value in documents.values() if value[0] != EURO])
    return {
        id_: Printed(
            {organization_id: names[organization_id] for organization_id in sorted(organizations[id_])},
            dict(meter_names[meter_id] for meter_id in sorted(meters[id_])),
            rates.on(currency, day),
        )
        for id_, (currency, day) in documents.items()
    }


def _named(invoice_ids: Collection[int]) -> tuple[dict[int, set[int]], dict[int, set[int]]]:
    """The keys of organizations and meters that the rows of each document name."""
    organizations: dict[int, set[int]] = defaultdict(set)
    meters: dict[int, set[int]] = defaultdict(set)
    details = UsageDetail.objects.filter(among("invoice", invoice_ids)).order_by()
    for id_, organization_id, meter_id in details.values_list("invoice_id", "organization_id", "meter_id").distinct():
        organizations[id_].add(organization_id)
        if meter_id is not None:  # the discount has none
            meters[id_].add(meter_id)
    lines = InvoiceLine.objects.filter(among("invoice", invoice_ids)).order_by()
    for id_, organization_id in lines.values_list("invoice_id", "organization_id").distinct():
        organizations[id_].add(organization_id)
    return organizations, meters
