"""Two people on one draft at the same moment: one of them is told, and nothing is overwritten."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

import pytest
from django.db import connection

from billing.domain.quantities import MICRO
from billing.models import Adjustment, Event, Invoice
from billing.usecases._drafts import UnableToAdjust
from billing.usecases.adjust_invoice import AddedLine, AdjustedMonth, ChangedMeanwhile, Refill
from billing.usecases.hold_invoice import hold_invoice
from billing.usecases.issue_invoices import IssueReport
from billing.usecases.undo_adjustment import undo_adjustment
from organizations.models import Organization
from tests.builders.adjusting import adjust, later, seen, try_adjust
from tests.builders.closing import broken_promises, close, consume, invoice_of, issue, make_metered_price
from tests.builders.desk import make_staff
from tests.builders.organizations import make_organization

pytestmark = [
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer at a time"),
]

SETUP = AddedLine("Setup", MICRO, 50_000_000)


@pytest.fixture
def atlas() -> Organization:
    make_metered_price()
    atlas = make_organization(opened_on=date(2026, 1, 1))
    consume(atlas, quantity=10_000, on="2026-10-03")
    close("2026-10")
    return atlas


def at_once(*calls: Callable[[], object]) -> list[object]:
    """Call from a thread each, all at the same moment; refusals are results."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], object]) -> object:
        try:
            barrier.wait()
            return call()
        except UnableToAdjust as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))


def test_of_eight_people_one_adjusts_and_the_others_are_told(atlas: Organization) -> None:
    fiona, looked = make_staff("Accountant"), seen(atlas)

    results = at_once(*[lambda: try_adjust(atlas, SETUP, seen_=looked, actor=fiona)] * 8)

    assert sum(isinstance(result, AdjustedMonth) for result in results) == 1
    assert sum(isinstance(result, ChangedMeanwhile) for result in results) == 7
    assert (Adjustment.objects.count(), Event.objects.count()) == (1, 1)
    assert [line.kind for line in invoice_of(atlas, "2026-10").lines.all()] == [
        "provision",
        "regularization",
        "adjustment",
    ]
    assert broken_promises() == []


def test_adjusting_and_undoing_at_once(atlas: Organization) -> None:
    adjustment = adjust(atlas, SETUP)
    fiona, max_, looked = make_staff("Accountant"), make_staff("Billing manager"), seen(atlas)

    results = at_once(
        lambda: try_adjust(atlas, Refill(1_00), seen_=looked, actor=fiona),
        lambda: undo_adjustment(adjustment_id=adjustment.pk, seen=looked, actor=max_, at=later()),
    )

    assert [isinstance(result, ChangedMeanwhile) for result in results].count(True) == 1
    # the refill next to the line, or neither of them
    assert sorted(Adjustment.objects.filter(undone_at=None).values_list("kind", flat=True)) in (["line", "refill"], [])
    assert broken_promises() == []


def test_adjusting_while_it_is_issued_is_before_or_refused(atlas: Organization) -> None:
    fiona, looked = make_staff("Accountant"), seen(atlas)

    adjusted, report = at_once(
        lambda: try_adjust(atlas, SETUP, seen_=looked, actor=fiona), lambda: issue("2026-10", at=later())
    )

    assert isinstance(report, IssueReport)
    assert len(report.numbers) == 1
    kinds = list(invoice_of(atlas, "2026-10").lines.values_list("kind", flat=True))
    assert ("adjustment" in kinds) == isinstance(adjusted, AdjustedMonth) == Adjustment.objects.exists()
    assert broken_promises() == []


def test_adjusting_while_the_month_is_closed_again(atlas: Organization) -> None:
    fiona, looked = make_staff("Accountant"), seen(atlas)

    adjusted, _, _ = at_once(
        lambda: try_adjust(atlas, SETUP, seen_=looked, actor=fiona), lambda: close("2026-10"), lambda: close("2026-10")
    )

    # an unchanged refresh changes nothing that somebody looked at
    assert isinstance(adjusted, AdjustedMonth)
    assert "adjustment" in invoice_of(atlas, "2026-10").lines.values_list("kind", flat=True)


def test_holding_while_it_is_issued_is_before_or_refused(atlas: Organization) -> None:
    fiona, draft = make_staff("Accountant"), Invoice.objects.get()

    held, _ = at_once(
        lambda: hold_invoice(invoice_id=draft.pk, reason="?", seen=draft.fingerprint, actor=fiona, at=later()),
        lambda: issue("2026-10", at=later()),
    )

    draft.refresh_from_db()
    assert (draft.document_state, bool(draft.hold_reason)) in (("issued", False), ("draft", True))
    assert isinstance(held, Invoice) == (draft.document_state == "draft")
