"""Credit notes of the same rest at the same moment: one of them is told that somebody else was first."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from billing.models import Invoice
from billing.usecases._accounts import UnableToSettle
from billing.usecases.cancel_invoice import cancel_invoice
from billing.usecases.issue_credit_note import issue_credit_note
from tests.builders.closing import broken_promises
from tests.builders.invoices import make_invoice
from tests.builders.money import AT, credit, credits_of, prepare, receive, stands

pytestmark = [
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer at a time"),
]


def at_once(*calls: Callable[[], object]) -> list[object]:
    barrier = Barrier(len(calls))

    def run(call: Callable[[], object]) -> object:
        try:
            barrier.wait()
            return call()
        except UnableToSettle as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))


@pytest.fixture
def october() -> Invoice:
    # U 100.00: regularization 100.00 + provision 100.00, 20 % VAT: 240.00
    return make_invoice(status="pending", fees_cents=10_000)


def test_the_same_rest_is_credited_once(october: Invoice) -> None:
    results = at_once(*[lambda: credit(october)] * 6)

    assert sum(isinstance(result, Invoice) for result in results) == 1
    assert stands(october) == ("canceled", 0)
    assert not broken_promises()


def test_one_draft_is_issued_once(october: Invoice) -> None:
    note = prepare(october)

    results = at_once(
        *[lambda: issue_credit_note(credit_note_id=note.pk, seen=note.fingerprint, actor=None, at=AT)] * 6
    )

    assert sum(isinstance(result, Invoice) for result in results) == 1
    assert Invoice.objects.filter(kind="credit_note", document_state="issued").count() == 1
    assert not broken_promises()


def test_credited_cancelled_and_paid_at_once(october: Invoice) -> None:
    at_once(
        lambda: credit(october, {"regularization": 5_000}),
        lambda: cancel_invoice(invoice_id=october.pk, reason="Wrong address", actor=None, at=AT),
        lambda: receive(october.organization, 24_000),
        lambda: cancel_invoice(invoice_id=october.pk, reason="Wrong address", actor=None, at=AT),
    )

    october.refresh_from_db()
    if not october.released:
        # Both came while the credit note was a draft, which has to be issued or discarded first.
        cancel_invoice(invoice_id=october.pk, reason="Wrong address", actor=None, at=AT)
        october.refresh_from_db()
    assert october.released
    assert october.credited_cents == 24_000
    assert credits_of(october)[1:] == (0, 0)
    assert not broken_promises()


def test_two_invoices_take_their_numbers_one_after_the_other() -> None:
    invoices = [make_invoice(status="pending", fees_cents=10_000) for _ in range(5)]

    at_once(*[lambda invoice=invoice: credit(invoice) for invoice in invoices])

    notes = Invoice.objects.filter(kind="credit_note", document_state="issued").order_by("counter")
    assert list(notes.values_list("counter", flat=True)) == [1, 2, 3, 4, 5]
    assert not broken_promises()
