"""What is changed in bulk reads back as if Django had saved it."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from django.db import DatabaseError, connection, transaction

from billing.models import Invoice
from billing.usecases._bulk import bulk_change
from organizations.models import Organization
from tests.builders.invoices import make_invoice
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db

ODD = "tab\there, line\nbreak, \\N, \"quotes\", 'single', ünïcödé 🎉 %s {}"


def test_each_row_gets_its_own_values_and_others_stay() -> None:
    first, second, third = (make_organization(name="Before") for _ in range(3))
    at = datetime(2026, 10, 25, 2, 30, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    columns = ("id", "name", "closed_on", "negotiated_refill_cents", "created_at")

    bulk_change(
        connection,
        "organizations_organization",
        columns,
        [(first.pk, ODD, date(2026, 12, 31), 2**62, at), (third.pk, "After", None, None, at)],
    )

    values = list(Organization.objects.order_by("id").values_list(*columns))
    assert values == [
        (first.pk, ODD, date(2026, 12, 31), 2**62, at),
        (second.pk, "Before", None, None, second.created_at),
        (third.pk, "After", None, None, at),
    ]
    assert Organization.objects.filter(created_at=at, closed_on=date(2026, 12, 31)).get() == first


def test_json_text_becomes_json() -> None:
    invoice = make_invoice(organization=make_organization(), status="draft")
    text = '{"name": "Fond\\u00e9 \\"A\\" %s", "lines": [1, null, true]}'

    bulk_change(
        connection,
        "billing_invoice",
        ("id", "buyer", "computed_at"),
        [(invoice.pk, text, datetime(2026, 11, 1, tzinfo=UTC))],
    )

    assert Invoice.objects.get(buyer__name='Fondé "A" %s').buyer == {
        "name": 'Fondé "A" %s',
        "lines": [1, None, True],
    }
    bulk_change(connection, "billing_invoice", ("id", "buyer"), [(invoice.pk, None)])
    assert Invoice.objects.get(buyer__isnull=True) == invoice


def test_nothing_to_change_is_nothing_to_do() -> None:
    bulk_change(connection, "billing_invoice", ("id", "buyer"), [])


def test_constraints_hold() -> None:
    organization = make_organization()

    with pytest.raises(DatabaseError), transaction.atomic():
        bulk_change(
            connection, "organizations_organization", ("id", "negotiated_refill_cents"), [(organization.pk, -1)]
        )
