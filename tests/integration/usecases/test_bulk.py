"""What is written in bulk reads back as if Django had written it."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from django.db import DatabaseError, connection

from billing.models import CreditEntry, CreditGrant, Invoice, Meter
from billing.usecases._bulk import allocate_ids, bulk_write
from organizations.models import Organization

pytestmark = pytest.mark.django_db

ODD = "tab\there, line\nbreak, \\N, \"quotes\", 'single', ünïcödé 🎉 \\."


def test_strings_with_every_special_character_survive() -> None:
    rows = [("m1", ODD, "", "x"), ("m2", "\\.\n", "%s", "{}")]

    assert bulk_write(connection, "billing_meter", ("code", "name", "unit", "category"), rows) == 2
    assert list(Meter.objects.order_by("code").values_list("name", "unit")) == [(ODD, ""), ("\\.\n", "%s")]


def test_instants_days_flags_and_nothing_read_back_as_orm_wrote_them() -> None:
    at = datetime(2026, 10, 25, 2, 30, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    written = Organization.objects.create(external_id="o1", name="Atlas", opened_on=date(2026, 1, 15))
    Organization.objects.filter(pk=written.pk).update(created_at=at)
    columns = ("external_id", "name", "currency", "opened_on", "closed_on", "forecast_months", "payment_term_days")
    more = ("consumption_discount_ppm", "created_at")
    bulk_write(
        connection,
        "organizations_organization",
        (*columns, *more),
        [("o2", "Atlas", "EUR", date(2026, 1, 15), None, 1, 30, 0, at)],
    )

    first, second = Organization.objects.order_by("external_id").values_list(*columns[1:], *more)

    assert first == second
    # Compared in SQL too: on SQLite a date is text, and another notation would sort and compare wrongly.
    assert Organization.objects.filter(created_at=at, opened_on=date(2026, 1, 15), closed_on=None).count() == 2


def test_whole_seconds_are_stored_as_django_stores_them() -> None:
    at = datetime(2026, 10, 1, tzinfo=UTC)
    columns = ("external_id", "name", "currency", "opened_on", "forecast_months", "payment_term_days")
    bulk_write(
        connection,
        "organizations_organization",
        (*columns, "consumption_discount_ppm", "created_at"),
        [("o1", "A", "EUR", date(2026, 1, 1), 1, 30, 0, at)],
    )

    assert Organization.objects.filter(created_at=at).exists()


def test_json_text_becomes_json() -> None:
    organization = Organization.objects.create(external_id="o1", name="Atlas", opened_on=date(2026, 1, 15))
    at = datetime(2026, 11, 1, tzinfo=UTC)
    values: dict[str, object] = {
        "kind": "invoice",
        "document_state": "draft",
        "payment_state": "pending",
        "legal_entity_id": 1,
        "organization_id": organization.pk,
        "consumption_month": date(2026, 10, 1),
        "currency": "EUR",
        "subtotal_cents": 0,
        "vat_cents": 0,
        "total_cents": 0,
        "paid_cents": 0,
        "fingerprint": "",
        "review_notes": '[{"code": "é", "amount": 12}]',
        "seller": None,
        "created_at": at,
        "computed_at": at,
    }
    bulk_write(connection, "billing_invoice", tuple(values), [tuple(values.values())])  # type: ignore[arg-type]

    invoice = Invoice.objects.get()
    assert invoice.review_notes == [{"code": "é", "amount": 12}]
    assert invoice.seller is None
    assert Invoice.objects.filter(review_notes__0__code="é").exists()


def test_a_row_that_breaks_a_rule_is_a_database_error() -> None:
    with pytest.raises(DatabaseError):
        bulk_write(
            connection,
            "billing_coupon",
            ("name", "amount_cents", "currency"),
            [("WELCOME", 0, "EUR")],  # amount > 0
        )


def test_a_local_time_without_zone_is_refused() -> None:
    with pytest.raises((TypeError, ValueError)):
        bulk_write(
            connection,
            "billing_creditentry",
            ("grant_id", "kind", "amount_cents", "booked_at"),
            [(1, "grant", 1, datetime(2026, 1, 1))],  # noqa: DTZ001
        )


def test_ids_are_ascending_and_never_given_twice() -> None:
    first, second = allocate_ids(Meter, 3), allocate_ids(Meter, 2)

    assert list(first) == sorted(first)
    assert not set(first) & set(second)
    by_orm = Meter.objects.create(code="m", name="m", unit="GB", category="x")
    assert by_orm.pk not in {*first, *second}


def test_reserved_ids_can_be_inserted_and_the_next_one_is_free() -> None:
    ids = allocate_ids(Meter, 2)
    rows = [(key, f"m{key}", "m", "GB", "x") for key in ids]
    bulk_write(connection, "billing_meter", ("id", "code", "name", "unit", "category"), rows)

    assert Meter.objects.create(code="m", name="m", unit="GB", category="x").pk > max(ids)
    assert min(allocate_ids(Meter, 1)) > max(ids) + 1


def test_an_id_of_a_deleted_row_is_not_given_again() -> None:
    gone = Meter.objects.create(code="m", name="m", unit="GB", category="x")
    key = gone.pk
    gone.delete()

    assert min(allocate_ids(Meter, 1)) > key


def test_no_ids_for_no_rows() -> None:
    assert list(allocate_ids(CreditGrant, 0)) == []
    assert bulk_write(connection, "billing_creditentry", ("kind",), []) == 0
    assert not CreditEntry.objects.exists()
