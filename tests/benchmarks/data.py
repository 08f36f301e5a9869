"""The benchmark's data: organizations with 5 resources, 2 meters and 10 usage records of each in October 2026.

Every organization is a French company with a complete profile; one in ten has 5.00 of free credits. Usage is stored in
the order in which it would arrive: every third day, one record of every resource and meter of everybody.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from django.db import connection, transaction

from billing.domain.quantities import MICRO
from billing.models import CreditEntry, CreditGrant, Meter, Resource, UsageMonth, UsageRecord
from billing.queries.months import month_of
from billing.usecases._bulk import Row, allocate_ids, bulk_write
from organizations.models import BillingProfile, Organization
from tests.builders.usage import ensure_partition, make_meter, make_price

MONTH = month_of(date(2026, 10, 1))
CLOSED_AT = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
RESOURCES = 5
ROUNDS = 10
RECORDS_PER_ORGANIZATION = RESOURCES * 2 * ROUNDS
FREE_CENTS = 500
_OPENED_AT = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)


def load(organizations: int) -> None:
    """Fill an empty database, and let it get to know its data as it would have in a month."""
    with transaction.atomic():
        ids = _load_organizations(organizations)
        _load_credits(ids[::10])
        meters = _load_meters()
        resource_ids = _load_resources(ids)
        ensure_partition(MONTH.first_day)
        _write(UsageMonth, ("organization_id", "month", "unbilled"), ((id_, MONTH.first_day, True) for id_ in ids))
        _write(UsageRecord, _USAGE_COLUMNS, _usage(ids, resource_ids, meters))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def _load_organizations(count: int) -> range:
    ids = allocate_ids(Organization, count)
    _write(
        Organization,
        (
            "id",
            "external_id",
            "name",
            "currency",
            "opened_on",
            "forecast_months",
            "consumption_discount_ppm",
            "payment_term_days",
            "created_at",
        ),
        ((id_, f"orga_{id_:08}", f"Company {id_}", "EUR", _OPENED_AT.date(), 1, 0, 30, _OPENED_AT) for id_ in ids),
    )
    profile = ("Jane Doe", "1 rue du Joli Cœur", "54000", "Nancy", "FR", "", "", "billing@example.com", "fr", "", "")
    _write(
        BillingProfile,
        (
            "organization_id",
            "is_company",
            "company",
            "name",
            "address",
            "postcode",
            "city",
            "country",
            "vat_number",
            "siren",
            "email",
            "language",
            "purchase_order",
            "cost_center",
        ),
        ((id_, True, f"Company {id_} SAS", *profile) for id_ in ids),
    )
    return range(ids[0], ids[-1] + 1)


def _load_credits(organization_ids: range) -> None:
    ids = allocate_ids(CreditGrant, len(organization_ids))
    grant = ("free", "active", FREE_CENTS, FREE_CENTS, "EUR", 0, "Welcome", _OPENED_AT)
    _write(
        CreditGrant,
        (
            "id",
            "organization_id",
            "type",
            "state",
            "amount_cents",
            "remaining_cents",
            "currency",
            "priority",
            "reason",
            "created_at",
        ),
        ((id_, organization_id, *grant) for id_, organization_id in zip(ids, organization_ids, strict=True)),
    )
    _write(
        CreditEntry,
        ("grant_id", "kind", "amount_cents", "booked_at"),
        ((id_, "grant", FREE_CENTS, _OPENED_AT) for id_ in ids),
    )


def _load_meters() -> tuple[Meter, Meter]:
    """A runtime at 0.0072 an hour, and storage in three tiers; `floor.sql` knows these prices by heart."""
    runtime = make_meter(code="runtime.S", unit="second")
    make_price(meter=runtime, zone="par", unit_price="0.0072", per_quantity=3600)
    storage = make_meter(code="storage", unit="GB-hour", category="storage")
    make_price(meter=storage, zone="par", tiers=((100, "0.001"), (1000, "0.0008"), (None, "0.0005")))
    return runtime, storage


def _load_resources(organization_ids: range) -> range:
    ids = allocate_ids(Resource, RESOURCES * len(organization_ids))
    owners = (organization_id for organization_id in organization_ids for _ in range(RESOURCES))
    _write(
        Resource,
        ("id", "external_id", "organization_id", "name"),
        ((id_, f"app_{id_:09}", owner, f"application-{id_}") for id_, owner in zip(ids, owners, strict=True)),
    )
    return range(ids[0], ids[-1] + 1)


_USAGE_COLUMNS = (
    "month",
    "source",
    "event_id",
    "part",
    "organization_id",
    "resource_id",
    "meter_id",
    "zone",
    "started_at",
    "ended_at",
    "quantity_micro",
    "content_hash",
    "received_at",
)


def _usage(organization_ids: range, resource_ids: range, meters: tuple[Meter, Meter]) -> Iterator[Row]:
    """Quantities of up to three days of seconds, or 300 GB-hours, with decimals."""
    month, span = MONTH.first_day, timedelta(days=3)
    for round_ in range(ROUNDS):
        start = MONTH.start + round_ * span
        end = start + span
        for meter, most in zip(meters, (span.total_seconds(), 300), strict=True):
            meter_id, largest_micro = meter.pk, int(most) * MICRO
            for place in range(RESOURCES):
                for organization_id, resource_id in zip(organization_ids, resource_ids[place::RESOURCES], strict=True):
                    quantity_micro = (resource_id * 7_368_787 + meter_id * 1_299_709 + round_ * 104_729) ** 2
                    event_id = f"{round_}-{meter_id}-{resource_id}"
                    yield (
                        month,
                        "meter",
                        event_id,
                        0,
                        organization_id,
                        resource_id,
                        meter_id,
                        "par",
                        start,
                        end,
                        quantity_micro % largest_micro,
                        b"0123456789abcdef",
                        end,
                    )


def _write(
    model: type[Organization | BillingProfile | CreditGrant | CreditEntry | Resource | UsageMonth | UsageRecord],
    columns: tuple[str, ...],
    rows: Iterator[Row],
) -> None:
    bulk_write(connection, model._meta.db_table, columns, rows)
