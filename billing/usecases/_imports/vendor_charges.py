"""Storing rows of another provider: the charge as it came, and the usage record that bills it."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b

import msgspec
from django.db import connection

from billing.domain.pricing import Tier
from billing.domain.quantities import MICRO, format_micro, parse_unit_price
from billing.models import Meter, Price, Resource, VendorCharge
from billing.usecases._bulk import allocate_ids, bulk_write
from billing.usecases._imports.storing import Rejected, Verdicts
from billing.usecases._imports.vendor_rows import VendorRow
from billing.usecases._references import References, meters_by_code
from billing.usecases.record_usage import NewUsage, record_usage
from billing.usecases.set_price import PriceKey, PriceTerms, set_price

AT_LIST_PRICE = PriceTerms(per_quantity_micro=MICRO * MICRO, tiers=(Tier(None, parse_unit_price("1")),))
UNIT = "millionth"
_COLUMNS = (
    "id",
    "source",
    "event_id",
    "organization_id",
    "vendor",
    "service",
    "charge_category",
    "started_at",
    "ended_at",
    "currency",
    "list_cost",
    "list_unit_price",
    "row",
    "received_at",
)
_DIFFERENT = (
    "A row that differs from this one in nothing but figures, names or tags was taken before; what was taken is never "
    "changed nor added to, so correct it by hand."
)


def store_vendor_charges(rows: Sequence[VendorRow], *, at: datetime, references: References) -> Verdicts:
    """Store a batch within the transaction of the caller; a row that is refused leaves nothing behind."""
    meters = _ensure_meters({(row.vendor, row.currency) for row in rows})
    resources = _ensure_resources(rows, references)
    references.forget()
    usage = [
        NewUsage(
            source=_source(row),
            event_id=row.identity,
            organization=row.organization,
            resource=resource,
            meter=meters[row.vendor],
            start=row.start,
            end=row.end,
            quantity=format_micro(row.list_cost_pico),
        )
        for row, resource in zip(rows, resources, strict=True)
    ]
    result = record_usage(records=usage, at=at, references=references)
    refused = {rejection.index for rejection in result.rejected}
    taken = [row for index, row in enumerate(rows) if index not in refused]
    _keep(taken, at, references)
    rejected = [
        Rejected(
            rows[each.index].number,
            f"{each.code}: {_DIFFERENT if each.code == 'different_content' else each.detail}",
            each.code,
        )
        for each in result.rejected
    ]
    return Verdicts(result.accepted, result.unchanged, rejected)


def _source(row: VendorRow) -> str:
    return f"focus:{row.vendor}"


def _ensure_meters(wanted: set[tuple[str, str]]) -> dict[str, str]:
    """A meter per provider, priced at 1.00 per unit of each currency unless a controller has set another price."""
    codes = {vendor: f"vendor:{vendor}" for vendor, _ in wanted}
    stored = {meter.code.upper(): meter for meter in meters_by_code(codes.values())}
    for vendor, code in codes.items():
        if code.upper() not in stored:
            name = f"{vendor}, at list price"
            stored[code.upper()] = Meter.objects.create(code=code, name=name, unit=UNIT, category="vendor")
    for vendor, currency in sorted(wanted):
        meter = stored[codes[vendor].upper()]
        if not Price.objects.filter(meter=meter, currency=currency, organization=None).exists():
            key = PriceKey(meter_id=meter.pk, zone="", currency=currency)
            set_price(key=key, valid_from=None, terms=AT_LIST_PRICE)
    return codes


def _ensure_resources(rows: Sequence[VendorRow], references: References) -> list[str]:
    """A resource per organization and service of a provider: what a line of the invoice is about."""
    names = {_resource_id(row): (row.organization, f"{row.service} ({row.vendor})"[:300]) for row in rows}
    stored = set(Resource.objects.filter(external_id__in=names).values_list("external_id", flat=True))
    owners = references.organizations({organization for organization, _ in names.values()})
    Resource.objects.bulk_create(
        [
            Resource(external_id=id_, organization_id=owners[organization].id, name=name)
            for id_, (organization, name) in sorted(names.items())
            if id_ not in stored
        ],
        ignore_conflicts=True,
    )
    return [_resource_id(row) for row in rows]


def _resource_id(row: VendorRow) -> str:
    content = msgspec.msgpack.encode([row.organization, row.vendor, row.service])
    return f"vendor_{blake2b(content, digest_size=16).hexdigest()}"


def _keep(rows: Sequence[VendorRow], at: datetime, references: References) -> None:
    """Keep what was delivered; what is kept already stays as it came first."""
    new = {(_source(row), row.identity): row for row in reversed(rows)}
    kept = VendorCharge.objects.filter(source__in={source for source, _ in new}, event_id__in=[key for _, key in new])
    for key in kept.values_list("source", "event_id"):
        new.pop(key, None)
    owners = references.organizations({row.organization for row in new.values()})
    ids = allocate_ids(VendorCharge, len(new))
    values = (
        (
            id_,
            *key,
            owners[row.organization].id,
            row.vendor,
            row.service,
            row.charge_category,
            row.start,
            row.end,
            row.currency,
            row.values["ListCost"],
            row.values.get("ListUnitPrice", ""),
            msgspec.json.encode(row.values).decode(),
            at,
        )
        for id_, (key, row) in zip(ids, new.items(), strict=True)
    )
    bulk_write(connection, VendorCharge._meta.db_table, _COLUMNS, values)
