"""Money that moves at the same moment: locks and unique references decide, not luck."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from functools import partial
from threading import Barrier

import pytest
from django.db import connection

from billing.models import Allocation, CreditEntry, CreditGrant, Payment
from billing.usecases._accounts import UnableToSettle
from billing.usecases.record_payment import PaymentConflict, Recorded, record_payment
from organizations.models import Organization
from tests.builders.closing import broken_promises
from tests.builders.invoices import make_invoice
from tests.builders.money import allocate, charge_back, credits_of, ledger_of, money_of, refund, stands
from tests.builders.organizations import make_organization
from tests.builders.payments import make_payment

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


def at_once[Result](*calls: Callable[[], Result]) -> list[Result | Exception]:
    barrier = Barrier(len(calls))

    def run(call: Callable[[], Result]) -> Result | Exception:
        try:
            barrier.wait()
            return call()
        except (PaymentConflict, UnableToSettle) as error:
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


def test_full_payment_in_many_parts_activates_the_credits_once() -> None:
    atlas = make_organization()
    invoice = make_invoice(organization=atlas, status="pending", fees_cents=10_000)  # 240.00

    at_once(*[partial(pay, atlas, f"PAY-{number}", 3_000) for number in range(8)])  # 8 x 30.00

    assert stands(invoice) == ("paid", 24_000)
    assert ledger_of(invoice) == ["grant 10000"]
    assert not broken_promises()


def test_a_double_click_allocates_once() -> None:
    atlas = make_organization()
    invoice = make_invoice(organization=atlas, status="pending", fees_cents=10_000)
    payment = make_payment(organization=atlas, amount_cents=30_000)

    results = at_once(*[lambda: allocate(payment, (invoice, 24_000), seen=30_000)] * 4)

    assert sorted(type(result).__name__ for result in results) == ["MoneyMovedMeanwhile"] * 3 + ["Payment"]
    assert (stands(invoice), ledger_of(invoice)) == (("paid", 24_000), ["grant 10000"])
    assert not broken_promises()


def test_two_people_spend_the_same_money() -> None:
    atlas = make_organization()
    invoice = make_invoice(organization=atlas, status="pending", fees_cents=10_000)
    payment = make_payment(organization=atlas, amount_cents=24_000)

    results = at_once(
        lambda: allocate(payment, (invoice, 24_000)).pk,
        lambda: refund(payment, 24_000).pk,
        lambda: charge_back(payment).pk,
    )

    assert any(isinstance(result, int) for result in results)
    settled, back, left = money_of(payment)
    assert settled + back + left == 24_000
    assert not broken_promises()


def test_a_chargeback_while_the_rest_is_paid_suspends_or_activates_but_never_both() -> None:
    atlas = make_organization()
    invoice = make_invoice(organization=atlas, status="pending", fees_cents=10_000)
    first = pay(atlas, "PAY-1", 10_000).payment

    at_once(lambda: pay(atlas, "PAY-2", 14_000).payment.pk, lambda: charge_back(first).pk)

    assert stands(invoice) == ("pending", 14_000)
    assert credits_of(invoice) == ("pending", 0, 10_000)
    assert not broken_promises()


def test_one_refund_of_two_that_are_the_same() -> None:
    payment = make_payment(organization=make_organization(), amount_cents=5_000)

    results = at_once(*[lambda: refund(payment, 5_000, reference="BACK").pk] * 4)

    assert len(set(results)) == 1
    assert money_of(payment) == (0, 5_000, 0)


def test_one_reference_of_refunds_to_two_organizations() -> None:
    payments = [make_payment(organization=make_organization(), amount_cents=5_000) for _ in range(2)]

    results = at_once(*[partial(refund, payment, 5_000, reference="BACK") for payment in payments])

    assert sorted(type(result).__name__ for result in results) == ["Refund", "RefundConflict"]
    assert sorted(money_of(payment) for payment in payments) == [(0, 0, 5_000), (0, 5_000, 0)]
