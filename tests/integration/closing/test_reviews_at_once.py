"""Two people on one draft at the same moment: locks decide, not luck."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

import pytest
from django.db import connection

from billing.domain.review import stored_findings
from billing.models import Acknowledgement, Approval, ApprovalPolicy, Event, Invoice, ReviewThresholds
from billing.usecases._drafts import ChangedMeanwhile, NotADraft
from billing.usecases.acknowledge_finding import UnableToAcknowledge, acknowledge_finding
from billing.usecases.approve_invoice import UnableToApprove
from tests.builders.closing import close, close_and_issue, consume, invoice_of, issue, local, make_metered_price
from tests.builders.desk import make_staff
from tests.builders.four_eyes import approve
from tests.builders.organizations import make_organization

pytestmark = [
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer at a time"),
]

REFUSALS = (ChangedMeanwhile, NotADraft, UnableToAcknowledge, UnableToApprove)


def at_once(*calls: Callable[[], object]) -> list[object]:
    """What each call returned, or the refusal that it got."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], object]) -> object:
        try:
            barrier.wait()
            return call()
        except REFUSALS as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))


def make_jump() -> Invoice:
    """A draft of October, 300.00 after 100.00, which is too much for Atlas' thresholds."""
    make_metered_price()
    atlas = make_organization(external_id="orga_atlas", opened_on=date(2026, 8, 1))
    ReviewThresholds.objects.create(
        organization=atlas, least_change_cents=0, block_jump_percent=50, block_change_cents=1
    )
    consume(atlas, quantity=10_000, on="2026-09-03")
    close_and_issue("2026-09")
    consume(atlas, quantity=30_000, on="2026-10-03")
    close("2026-10")
    return invoice_of(atlas, "2026-10")


def acknowledge(draft: Invoice) -> Acknowledgement:
    (finding, *_) = stored_findings(draft.review_notes)
    return acknowledge_finding(
        invoice_id=draft.pk,
        finding=finding.digest,
        reason="Expected",
        seen=draft.fingerprint,
        actor=None,
        at=local("2026-11-03 10:00"),
    )


def test_four_clicks_acknowledge_once() -> None:
    draft = make_jump()

    results = at_once(*[lambda: acknowledge(draft)] * 4)

    assert sum(isinstance(result, Acknowledgement) for result in results) == 1
    draft.refresh_from_db()
    assert (draft.open_findings, Event.objects.filter(kind="finding.acknowledged").count()) == (0, 1)


def test_four_clicks_approve_once() -> None:
    draft, clara = make_jump(), make_staff("Controller")
    acknowledge(draft)
    ApprovalPolicy.objects.update(invoice_total_cents=1)
    at = local("2026-11-03 11:00")

    at_once(*[lambda: approve(draft, clara, at=at)] * 4)

    assert (Approval.objects.count(), Event.objects.filter(kind="invoice.approved").count()) == (1, 1)


def test_issuing_while_somebody_acknowledges_sees_all_or_nothing() -> None:
    draft = make_jump()

    report, _ = at_once(lambda: issue("2026-10", at=local("2026-11-03 12:00")), lambda: acknowledge(draft))

    draft.refresh_from_db()
    assert not isinstance(report, Exception)
    # whoever came first: issued only if it was acknowledged before
    assert draft.document_state == ("issued" if report.numbers else "draft")  # type: ignore[attr-defined]
    assert draft.open_findings == 0
