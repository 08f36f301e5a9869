"""Two payments at the same moment: locks and unique references decide, not luck."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from threading import Barrier

import pytest
from django.db import connection

from billing.models import Allocation, CreditEntry, CreditGrant, Payment
from billing.usecases.record_payment import PaymentConflict, Recorded, record_payment
from organizations.models import Organization
from tests.builders.invoices import make_invoice
from tests.builders.organizations import make_organization

pytestmark = [
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer at a time"),
]

AT = datetime(2026, 11, 5, 10, 0, tzinfo=UTC)


def pay(organization: Organization, reference: str, amount_cents: int) -> Recorded:
    return record_payment(
        reference=reference,
        organization_id=organization.pk,
        amount_cents=amount_cents,
        date=date(2026, 11, 4),
        method="card",
        invoice_number=None,
        actor=None,
        at=AT,
    )


def at_once(*calls: Callable[[], Recorded]) -> list[Recorded | Exception]:
    barrier = Barrier(len(calls))

    def run(call: Callable[[], Recorded]) -> Recorded | Exception:
        try:
            barrier.wait()
            return call()
        except PaymentConflict as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))


def test_equal_payments_are_one() -> None:
    atlas = make_organization()
    make_invoice(organization=atlas, status="pending", fees_cents=10_000)

    results = at_once(*[lambda: pay(atlas, "PAY-1", 24_000)] * 4)

    assert sorted(result.is_new for result in results if isinstance(result, Recorded)) == [False, False, False, True]
    assert (Payment.objects.count(), Allocation.objects.count(), CreditEntry.objects.count()) == (1, 1, 1)


def test_two_payments_share_one_invoice() -> None:
    atlas = make_organization()
    invoice = make_invoice(organization=atlas, status="pending", fees_cents=10_000)  # 240.00

    at_once(lambda: pay(atlas, "PAY-1", 20_000), lambda: pay(atlas, "PAY-2", 20_000))

    invoice.refresh_from_db()
    assert (invoice.payment_state, invoice.paid_cents) == ("paid", 24_000)
    assert sorted(Payment.objects.values_list("allocated_cents", flat=True)) == [4_000, 20_000]
    assert CreditGrant.objects.get().remaining_cents == 10_000


def test_one_reference_of_two_organizations_is_recorded_once() -> None:
    atlas, borea = make_organization(), make_organization()

    results = at_once(lambda: pay(atlas, "PAY-1", 100), lambda: pay(borea, "PAY-1", 100))

    assert sorted(type(result).__name__ for result in results) == ["PaymentConflict", "Recorded"]
