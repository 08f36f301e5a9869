"""Direct SQL against what is issued or booked is refused, and what a superuser does all the same is found.

The statements are those of somebody with a database shell; no use case and no model stands in between.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Model
from pytest_django import DjangoDbBlocker

from billing.models import CreditEntry, CreditStatement, Event, Invoice, InvoiceLine, TaxSubtotal, UsageDetail
from billing.models.guards import LEDGERS, MOVABLE, PARTS, install_guards, missing_guards
from billing.queries import sealed_content
from billing.queries.verification.seals import seals
from billing.usecases._events import NewEvent, record_event
from tests.builders.guards import guards_lifted
from tests.builders.platform import platform_stored

pytestmark = pytest.mark.django_db

ISSUED = "An issued document cannot be changed or deleted: correct it by a credit note."
KEPT = {
    "billing_creditentry": "Credit entries cannot be changed or deleted: book another one.",
    "billing_event": "Events cannot be changed or deleted.",
}
OF_ISSUED = "invoice_id IN (SELECT id FROM billing_invoice WHERE document_state = 'issued')"
OF_DRAFT = "invoice_id IN (SELECT id FROM billing_invoice WHERE document_state = 'draft')"


@pytest.fixture(scope="module", autouse=True)
def _platform(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with platform_stored(django_db_blocker) as atlas:
        invoice = atlas.invoices.earliest("id")
        record_event(NewEvent("invoice.issued", atlas.pk, invoice.pk), actor=None, at=invoice.created_at)
        yield


def execute(statement: str) -> int:
    """Run a statement as it is; the number of rows that it changed."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.rowcount)


def refused(statement: str, message: str = ISSUED) -> bool:
    """Whether the database says no, and why."""
    with pytest.raises(IntegrityError) as caught:
        execute(statement)
    return message in str(caught.value)


def update(table: str, column: str, value: str) -> str:
    """The statement that changes a column."""
    return f"UPDATE {table} SET {connection.ops.quote_name(column)} = {value}"


def columns_of(model: type[Model]) -> Iterator[tuple[str, str]]:
    """The columns that a forger may want to change, with other values for them."""
    for field in model._meta.concrete_fields:
        kind, column = field.get_internal_type(), field.attname
        if kind == "BooleanField":
            yield column, f"NOT {column}"
        elif field.is_relation or "Integer" in kind or "Auto" in kind:
            yield column, f"coalesce({column}, 0) + 1000"
        else:
            values = {"DateField": "'2031-01-01'", "DateTimeField": "'2031-01-01 00:00:00+00'", "JSONField": "'{}'"}
            yield column, values.get(kind, "'x'")


# --- Documents --------------------------------------------------------------------------------------------------------


def test_no_column_of_an_issued_document_can_be_changed_but_what_payment_moves() -> None:
    for column, value in columns_of(Invoice):
        if column not in MOVABLE:
            assert refused(f"{update('billing_invoice', column, value)} WHERE document_state = 'issued'"), column


def test_payment_still_moves_an_issued_document() -> None:
    values = "payment_state = 'processing', paid_cents = 1, credited_cents = 1, released = TRUE"

    assert execute(f"UPDATE billing_invoice SET {values} WHERE number = 'F20261101-000002'") == 1
    assert list(seals()) == []


def test_an_issued_document_is_never_deleted() -> None:
    assert refused("DELETE FROM billing_invoice WHERE document_state = 'issued'")


def test_drafts_can_be_changed_and_deleted() -> None:
    draft = "document_state = 'draft'"

    assert execute(f"UPDATE billing_invoice SET note = 'x', total_cents = total_cents WHERE {draft}") == 1
    assert execute(f"DELETE FROM billing_closeoutcome WHERE {OF_DRAFT}") == 1
    for table in PARTS:
        execute(f"DELETE FROM {table} WHERE {OF_DRAFT}")
    assert execute(f"DELETE FROM billing_invoice WHERE {draft}") == 1


# --- Parts ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [InvoiceLine, CreditStatement, TaxSubtotal, UsageDetail])
def test_no_column_of_a_part_can_be_changed(model: type[Model]) -> None:
    for column, value in columns_of(model):
        # On PostgreSQL a check may be the first to refuse: the guard looks at the statement as a whole, afterwards.
        assert refused(f"{update(model._meta.db_table, column, value)} WHERE {OF_ISSUED}", ""), column


@pytest.mark.parametrize("table", PARTS)
def test_no_part_can_be_deleted(table: str) -> None:
    assert refused(f"DELETE FROM {table} WHERE {OF_ISSUED}")
    assert refused(f"DELETE FROM {table}")


def test_no_part_can_be_added_or_moved_to_an_issued_document() -> None:
    issued = Invoice.objects.get(number="F20261101-000002")
    columns = "month, organization_id, resource_name, zone, amount_cents"
    values = "month, organization_id, '', '', 5"

    assert refused(
        f"INSERT INTO billing_usagedetail (invoice_id, {columns})"
        f" SELECT {issued.pk}, {values} FROM billing_usagedetail LIMIT 1"
    )
    assert refused(f"UPDATE billing_usagedetail SET invoice_id = {issued.pk} WHERE {OF_DRAFT}")


@pytest.mark.parametrize("table", PARTS)
def test_parts_of_drafts_can_be_changed_and_deleted(table: str) -> None:
    assert execute(f"UPDATE {table} SET invoice_id = invoice_id WHERE {OF_DRAFT}") > 0
    assert execute(f"DELETE FROM {table} WHERE {OF_DRAFT}") > 0


# --- Ledger and events ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [CreditEntry, Event])
def test_what_is_booked_or_happened_stays(model: type[Model]) -> None:
    table = model._meta.db_table
    for column, value in columns_of(model):
        assert refused(update(table, column, value), KEPT[table]), column
    assert refused(f"DELETE FROM {table}", KEPT[table])
    assert execute(f"DELETE FROM {table} WHERE id = -1") == 0  # nothing to refuse


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no TRUNCATE")
@pytest.mark.parametrize("table", ["billing_invoice", *PARTS, *LEDGERS])
def test_no_table_can_be_emptied(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    assert refused(f"TRUNCATE {table} CASCADE", "This table cannot be emptied")
    assert refused("TRUNCATE organizations_organization CASCADE", "This table cannot be emptied")


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL has no OR REPLACE")
def test_nothing_can_be_replaced() -> None:
    for table in ("billing_invoice", *PARTS):
        frozen = "document_state = 'issued'" if table == "billing_invoice" else OF_ISSUED
        assert refused(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table} WHERE {frozen}"), table
    for table in LEDGERS:
        assert refused(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}", KEPT[table])
    draft = Invoice.objects.get(document_state="draft")
    issued = Invoice.objects.get(number="F20261101-000002")
    line = InvoiceLine.objects.filter(invoice=issued).first()
    assert line is not None
    for change in (
        f"id = {issued.pk}",
        f"number = '{issued.number}'",
        f"counter = {issued.counter}",
        f"organization_id = {issued.organization_id}",
    ):
        assert refused(f"UPDATE OR REPLACE billing_invoice SET {change} WHERE id = {draft.pk}"), change
    assert refused(f"UPDATE OR REPLACE billing_invoiceline SET id = {line.pk} WHERE {OF_DRAFT}")


# --- The guards themselves --------------------------------------------------------------------------------------------


def test_installing_again_changes_nothing(django_assert_max_num_queries: Any) -> None:
    assert missing_guards(connection) == []

    with django_assert_max_num_queries(12):
        install_guards(connection)


def test_what_is_missing_is_installed_again() -> None:
    with guards_lifted():
        names = missing_guards(connection)
        assert {"billing_invoice", *PARTS, *LEDGERS} <= {
            re.sub("^frozen_|_(insert|update|delete)$", "", n) for n in names
        }

    assert missing_guards(connection) == []


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite cannot switch triggers off")
def test_a_trigger_that_is_switched_off_or_does_nothing_is_missed() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE billing_event DISABLE TRIGGER frozen_billing_event")
        cursor.execute(
            "CREATE OR REPLACE FUNCTION frozen_parts() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
        )

    assert missing_guards(connection) == ["frozen_parts", "frozen_billing_event"]
    install_guards(connection)
    assert missing_guards(connection) == []


# --- What a superuser changes all the same ----------------------------------------------------------------------------


def test_every_column_of_an_issued_document_is_sealed() -> None:
    """Whoever adds a column decides: it is part of what was issued, or something that moves."""
    assert sorted(column for column, _ in columns_of(Invoice)) == sorted(
        (*sealed_content.DOCUMENT, *sealed_content.LATER, *MOVABLE, "id", "content_hash")
    )
    for model, (_, sealed) in sealed_content.PARTS.items():
        keys = {"id", "invoice_id"}
        assert {column for column, _ in columns_of(model)} - keys == set(sealed), model


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no superusers")
def test_what_a_superuser_changes_with_triggers_disabled_is_found() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(f"UPDATE billing_usagedetail SET zone = 'mtl' WHERE {OF_ISSUED}")
        cursor.execute("SET LOCAL session_replication_role = origin")

    assert [subject[:16] for subject, _ in seals()] == ["F20261001-000001", "F20261101-000002", "F20261101-000003"]
