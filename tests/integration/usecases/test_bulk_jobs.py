"""Bulk work on a month: asked for by a click, done by workers, also after a crash.

Usage of apps.S costs 0.01 a second: 100 seconds of October make 1.00 of regularization and 1.00 of provision.
"""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from billing.models import ApprovalPolicy, BulkJob, BulkJobItem, Event, Invoice, MonthClose, NumberSeries
from billing.queries.cockpit import load_progress, load_states
from billing.queries.reasons import reason_sentence
from billing.usecases import work_on_bulk_jobs as worker
from billing.usecases._permissions import NotAllowed
from billing.usecases.decide_bulk_job import UnableToDecide, decide_bulk_job
from billing.usecases.issue_invoices import issue_payers
from billing.usecases.start_bulk_job import UnableToStart, start_bulk_job
from billing.usecases.work_on_bulk_jobs import work_on_bulk_jobs
from organizations.models import BillingProfile, Organization, User
from tests.builders.closing import broken_promises, close, consume, make_metered_price
from tests.builders.desk import make_staff
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db

OCTOBER = date(2026, 10, 1)
AT = datetime(2026, 11, 3, 10, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def organizations() -> list[Organization]:
    """Five organizations with a draft of 2.00; the last one has no address and is blocked."""
    make_metered_price()
    made = [make_organization(external_id=f"orga_{number}", opened_on=date(2026, 10, 1)) for number in range(5)]
    for organization in made:
        consume(organization, quantity=100, on="2026-10-03")
    BillingProfile.objects.filter(organization=made[-1]).update(address="")
    close("2026-10")
    return made


def start(kind: str, **options: Any) -> BulkJob:
    given: dict[str, Any] = {"actor": make_staff("Billing manager"), "at": AT, **options}
    return start_bulk_job(kind=kind, close_id=MonthClose.objects.get(month=OCTOBER).pk, **given)


def progress(job: BulkJob) -> tuple[int, int, int, int]:
    """Left, done, changed, failed."""
    now = load_progress(job)
    return now.left, now.done, now.changed, now.failed


def issued_counters() -> list[int | None]:
    issued = Invoice.objects.filter(document_state="issued").order_by("counter")
    return list(issued.values_list("counter", flat=True))


def second_manager() -> User:
    other = User.objects.create_user("mia@example.com", "a long enough password", is_staff=True)
    other.groups.set(make_staff("Billing manager").groups.all())
    return other


def test_the_click_only_leaves_rows_and_the_worker_issues(organizations: list[Organization]) -> None:
    job = start("issue")
    assert (progress(job), Invoice.objects.filter(document_state="issued").count()) == ((4, 0, 0, 0), 0)

    assert work_on_bulk_jobs(at=AT) == 4

    job.refresh_from_db()
    assert (job.state, progress(job)) == ("done", (0, 4, 0, 0))
    issued = Invoice.objects.filter(document_state="issued").order_by("counter")
    assert list(issued.values_list("counter", "issue_date")) == [(n, date(2026, 11, 3)) for n in (1, 2, 3, 4)]
    assert broken_promises() == []


def test_what_is_on_hold_or_to_be_reviewed_is_not_taken(organizations: list[Organization]) -> None:
    held, conspicuous = Invoice.objects.order_by("id")[:2]
    Invoice.objects.filter(pk=held.pk).update(hold_reason="The customer asked.")
    Invoice.objects.filter(pk=conspicuous.pk).update(open_findings=1)
    states = load_states(OCTOBER)
    assert (states.drafts, states.ready, states.review, states.on_hold) == (4, 2, 1, 1)
    assert (states.issued, states.paid, states.blocked, states.nil) == (0, 0, 1, 0)

    assert progress(start("issue")) == (2, 0, 0, 0)


def test_a_failed_item_names_its_reason_and_stops_nobody(organizations: list[Organization]) -> None:
    job = start("issue")
    BillingProfile.objects.filter(organization=organizations[1]).update(city="")

    work_on_bulk_jobs(at=AT)

    assert progress(job) == (0, 3, 0, 1)
    failed = BulkJobItem.objects.get(job=job, state="failed")
    assert (failed.organization, failed.reason_code) == (organizations[1], "incomplete_billing_profile")


def test_a_worker_that_dies_leaves_the_rest_to_the_next(
    organizations: list[Organization], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "CHUNK", 2)
    job = start("issue")
    real, chunks = issue_payers, []

    def dies_at_the_second(**arguments: Any) -> Any:
        chunks.append(arguments["payer_ids"])
        report = real(**arguments)
        if len(chunks) == 2:
            raise KeyboardInterrupt
        return report

    monkeypatch.setattr(worker, "issue_payers", dies_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        work_on_bulk_jobs(at=AT)
    assert progress(job) == (2, 2, 0, 0)
    assert issued_counters() == [1, 2]

    monkeypatch.setattr(worker, "issue_payers", real)
    work_on_bulk_jobs(at=AT)
    assert progress(job) == (0, 4, 0, 0)
    assert issued_counters() == [1, 2, 3, 4]


def test_retrying_picks_up_what_was_mended(organizations: list[Organization]) -> None:
    BillingProfile.objects.filter(organization=organizations[4]).update(address="1 rue du Joli Cœur")
    job = start("retry")
    assert progress(job) == (1, 0, 0, 0)

    work_on_bulk_jobs(at=AT)

    assert progress(job) == (0, 1, 0, 0)
    assert load_states(OCTOBER).drafts == 5


def test_retrying_what_was_not_mended_says_why_again(organizations: list[Organization]) -> None:
    job = start("retry", organization_ids=[organizations[4].pk])
    work_on_bulk_jobs(at=AT)
    assert BulkJobItem.objects.get(job=job).reason_code == "incomplete_billing_profile"


def test_refreshing_takes_up_what_came_since(organizations: list[Organization]) -> None:
    consume(organizations[0], quantity=50, on="2026-10-04")
    start("refresh")
    work_on_bulk_jobs(at=AT)
    # 150 + 150 seconds at 0.01
    assert Invoice.objects.get(organization=organizations[0]).subtotal_cents == 300


def test_a_dry_run_lists_what_would_change_and_writes_nothing(organizations: list[Organization]) -> None:
    consume(organizations[0], quantity=50, on="2026-10-04")
    job = start("preview")

    work_on_bulk_jobs(at=AT)

    assert progress(job) == (0, 3, 1, 1)
    changed = BulkJobItem.objects.get(job=job, state="changed")
    # 2.00 + 20 % VAT now, 3.00 + 20 % then
    assert changed.reason_values == {"currency": "EUR", "before_cents": 240, "after_cents": 360}
    assert Invoice.objects.get(organization=organizations[0]).subtotal_cents == 200


def test_a_limit_is_not_passed_in_small_steps(organizations: list[Organization]) -> None:
    ApprovalPolicy.objects.update(bulk_count=4)
    first_two = list(Invoice.objects.order_by("id").values_list("pk", flat=True)[:2])
    Invoice.objects.filter(pk__in=first_two).update(hold_reason="Later")
    assert start("issue").state == "running"
    work_on_bulk_jobs(at=AT)
    Invoice.objects.filter(pk__in=first_two).update(hold_reason="")

    job = start("issue")

    assert (job.state, progress(job)) == ("waiting", (2, 0, 0, 0))  # 2 + 2, of which nobody else knows
    decide_bulk_job(job_id=job.pk, approve=True, reason="Fine.", actor=second_manager(), at=AT)
    work_on_bulk_jobs(at=AT)
    assert issued_counters() == [1, 2, 3, 4]


def test_what_failed_or_was_approved_does_not_count_against_the_limit(organizations: list[Organization]) -> None:
    ApprovalPolicy.objects.update(bulk_count=5)
    job = start("issue")
    Invoice.objects.update(hold_reason="After the click")
    work_on_bulk_jobs(at=AT)
    assert progress(job) == (0, 0, 0, 4)
    Invoice.objects.update(hold_reason="")
    assert start("issue").state == "running"


def test_who_may_not_issue_any_more_has_nothing_issued(organizations: list[Organization]) -> None:
    job, max_ = start("issue"), make_staff("Billing manager")
    max_.groups.clear()

    work_on_bulk_jobs(at=AT)

    assert (progress(job), issued_counters()) == ((0, 0, 0, 4), [])
    item = BulkJobItem.objects.filter(job=job)[0]
    assert reason_sentence(item.reason_code, item.reason_values) == (
        "Who asked for it may not issue invoices any more."
    )


def test_many_at_once_wait_for_a_second_person(organizations: list[Organization]) -> None:
    ApprovalPolicy.objects.update(bulk_count=4)
    max_ = make_staff("Billing manager")
    job = start("issue")
    assert (job.state, work_on_bulk_jobs(at=AT)) == ("waiting", 0)

    with pytest.raises(UnableToDecide, match="themselves"):
        decide_bulk_job(job_id=job.pk, approve=True, reason="Fine.", actor=max_, at=AT)
    with pytest.raises(NotAllowed):
        decide_bulk_job(job_id=job.pk, approve=True, reason="Fine.", actor=make_staff("Accountant"), at=AT)
    assert work_on_bulk_jobs(at=AT) == 0

    decide_bulk_job(job_id=job.pk, approve=True, reason="Fine.", actor=second_manager(), at=AT)
    assert work_on_bulk_jobs(at=AT) == 4
    assert list(Event.objects.order_by("id").values_list("kind", flat=True))[:2] == [
        "bulk_job.started",
        "bulk_job.approved",
    ]


def test_refused_work_is_never_done(organizations: list[Organization]) -> None:
    ApprovalPolicy.objects.update(bulk_count=1)
    job = start("issue")
    decide_bulk_job(job_id=job.pk, approve=False, reason="Not today.", actor=make_staff("Billing manager"), at=AT)
    assert work_on_bulk_jobs(at=AT) == 0
    with pytest.raises(UnableToDecide, match="does not wait"):
        decide_bulk_job(job_id=job.pk, approve=True, reason="", actor=second_manager(), at=AT)


def test_the_day_is_that_of_the_click_however_late_a_worker_comes(organizations: list[Organization]) -> None:
    start("issue")
    work_on_bulk_jobs(at=AT + timedelta(days=2))
    issued = Invoice.objects.filter(document_state="issued")
    assert set(issued.values_list("issue_date", flat=True)) == {date(2026, 11, 3)}


def test_the_day_of_what_waits_is_that_of_the_approval(organizations: list[Organization]) -> None:
    ApprovalPolicy.objects.update(bulk_count=2)
    job = start("issue")
    assert job.issue_date is None
    decide_bulk_job(job_id=job.pk, approve=True, reason="", actor=second_manager(), at=AT + timedelta(days=1))
    work_on_bulk_jobs(at=AT + timedelta(days=3))
    issued = Invoice.objects.filter(document_state="issued")
    assert set(issued.values_list("issue_date", flat=True)) == {date(2026, 11, 4)}


def test_work_that_the_database_gives_up_on_waits_and_lets_others_pass(
    organizations: list[Organization], monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, other = start("refresh"), start("preview")
    do = worker._do

    def give_up(job: BulkJob, *args: Any) -> Any:
        if job.pk == stuck.pk:
            raise OperationalError("canceling statement due to lock timeout")
        return do(job, *args)

    monkeypatch.setattr(worker, "_do", give_up)
    assert work_on_bulk_jobs(at=AT) == 5
    other.refresh_from_db()
    assert other.state == "done"

    waits = []
    for _ in range(9):
        stuck.refresh_from_db()
        assert stuck.not_before is not None
        waits.append(stuck.not_before)
        assert work_on_bulk_jobs(at=stuck.not_before - timedelta(seconds=1)) == 0
        assert work_on_bulk_jobs(at=stuck.not_before) == 0
    seconds = [int((later - earlier).total_seconds()) for earlier, later in pairwise([AT, *waits])]
    assert seconds == [5, 10, 20, 40, 80, 160, 320, 600, 600]

    monkeypatch.setattr(worker, "_do", do)
    stuck.refresh_from_db()
    assert stuck.not_before is not None
    assert work_on_bulk_jobs(at=stuck.not_before) == 5
    stuck.refresh_from_db()
    assert (stuck.state, stuck.failures) == ("done", 0)


def test_jobs_take_turns(organizations: list[Organization], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "CHUNK", 2)
    first, second = start("refresh"), start("preview")
    turns: list[int] = []
    do = worker._do

    def take_down(job: BulkJob, *args: Any) -> Any:
        turns.append(job.pk)
        return do(job, *args)

    monkeypatch.setattr(worker, "_do", take_down)
    work_on_bulk_jobs(at=AT)
    assert turns == [first.pk, second.pk] * 3


def test_what_cannot_be_started_is_refused_with_a_sentence(organizations: list[Organization]) -> None:
    for role in ("Viewer", "Accountant", "Controller", "Auditor"):
        with pytest.raises(NotAllowed):
            start("issue", actor=make_staff(role))
    with pytest.raises(UnableToStart, match="future"):
        start("issue", issue_date=date(2026, 11, 4))
    with pytest.raises(UnableToStart, match="not ended"):
        start("issue", at=datetime(2026, 10, 31, 12, 0, tzinfo=UTC))
    start("issue")
    with pytest.raises(UnableToStart, match="under way"):
        start("issue")
    work_on_bulk_jobs(at=AT)
    with pytest.raises(UnableToStart, match="nothing to do"):
        start("issue")
    assert BulkJob.objects.count() == 1


def test_a_date_that_was_overtaken_fails_every_item_and_loses_no_number(organizations: list[Organization]) -> None:
    job = start("issue", issue_date=date(2026, 11, 2))
    other = start("retry")
    assert other.pk != job.pk
    NumberSeries.objects.filter(kind="invoice").update(last_date=date(2026, 11, 3), last_counter=7)
    work_on_bulk_jobs(at=AT)
    assert progress(job) == (0, 0, 0, 4)
    assert NumberSeries.objects.get(kind="invoice").last_counter == 7
    assert Invoice.objects.filter(document_state="issued").count() == 0


def test_counting_takes_few_queries(organizations: list[Organization], django_assert_max_num_queries: Any) -> None:
    job = start("issue")
    with django_assert_max_num_queries(7):
        load_states(OCTOBER)
    with django_assert_max_num_queries(1):
        load_progress(job)


def test_a_chunk_takes_as_many_queries_for_four_as_for_two(organizations: list[Organization]) -> None:
    start("issue", organization_ids=[organization.pk for organization in organizations[:1]])
    with CaptureQueriesContext(connection) as few:
        work_on_bulk_jobs(at=AT)
    start("issue")
    with CaptureQueriesContext(connection) as many:
        work_on_bulk_jobs(at=AT)
    assert len(many) == len(few)
