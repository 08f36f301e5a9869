"""Whoever issues takes all accounts before the counter, in the order of their ids: nobody ever waits in a circle."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Event
from typing import Any

import pytest
from django.db import connection, transaction

from billing.models import BulkJobItem, Invoice, MonthClose, NumberSeries
from billing.queries.accounts import Scope, load_accounts
from billing.usecases import issue_invoices as module
from billing.usecases.issue_invoice import issue_invoice
from billing.usecases.start_bulk_job import start_bulk_job
from billing.usecases.work_on_bulk_jobs import work_on_bulk_jobs
from organizations.models import Organization
from tests.builders.adjusting import later
from tests.builders.closing import broken_promises, close, consume, make_metered_price, month
from tests.builders.organizations import make_organization

pytestmark = [
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer at a time"),
]


def in_the_background[R](call: Callable[[], R]) -> Callable[[], R]:
    """Begin a call on another connection; what this returns waits for its result, or raises its error."""
    threads = ThreadPoolExecutor(1)

    def run() -> R:
        try:
            return call()
        finally:
            connection.close()

    future = threads.submit(run)
    threads.shutdown(wait=False)
    return future.result


def until_somebody_waits() -> None:
    """For a lock of this connection's transaction."""
    with connection.cursor() as cursor:
        for _ in range(200):
            cursor.execute("SELECT pg_stat_clear_snapshot(), pg_sleep(0.05)")
            cursor.execute(
                "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone():
                return
    raise AssertionError("Nobody waits.")


def make_drafts(*organizations: Organization) -> None:
    """A draft of October each."""
    make_metered_price()
    for organization in organizations:
        consume(organization, quantity=10_000, on="2026-10-03")
    close("2026-10")


def test_a_draft_is_issued_while_its_tree_is_closed() -> None:
    lab, atlas = (make_organization(opened_on=date(2026, 1, 1)) for _ in range(2))
    Organization.objects.filter(pk=lab.pk).update(parent=atlas)  # the sub-organization was there first
    make_drafts(atlas)
    draft = Invoice.objects.get()

    with transaction.atomic():
        Organization.objects.select_for_update(no_key=True).get(pk=lab.pk)  # with which a close of both begins
        issued = in_the_background(
            lambda: issue_invoice(invoice_id=draft.pk, seen=draft.fingerprint, actor=None, at=later())
        )
        until_somebody_waits()
        load_accounts(month("2026-10"), Scope(ids=[atlas.pk]), lock=True)

    assert issued().number
    assert broken_promises() == []


def test_a_bulk_job_that_issues_one_by_one_has_all_accounts_first(monkeypatch: pytest.MonkeyPatch) -> None:
    organizations = [make_organization(opened_on=date(2026, 10, 1)) for _ in range(2)]
    make_drafts(*organizations)
    start_bulk_job(kind="issue", close_id=MonthClose.objects.get().pk, actor=None, at=later())
    freeze = module.freeze  # type: ignore[attr-defined]  # a name of its own there
    has_counter, has_account = Event(), Event()

    def freeze_one(issued: list[Any], *rest: Any) -> list[str]:
        if len(issued) > 1:
            raise ValueError("one of them cannot be issued")
        has_counter.set()
        has_account.wait(1)
        numbers: list[str] = freeze(issued, *rest)
        return numbers

    monkeypatch.setattr(module, "freeze", freeze_one)

    def issue_the_second() -> None:
        """As from its page: the account, then the counter."""
        assert has_counter.wait(60)
        with transaction.atomic():
            Organization.objects.select_for_update(no_key=True).get(pk=organizations[1].pk)
            has_account.set()
            NumberSeries.objects.select_for_update().get(kind="invoice")

    manager = in_the_background(issue_the_second)
    assert work_on_bulk_jobs(at=later()) == 2

    manager()
    assert set(BulkJobItem.objects.values_list("state", flat=True)) == {"done"}
    assert broken_promises() == []
