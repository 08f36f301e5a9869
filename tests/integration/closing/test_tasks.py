"""The beat: every 15 minutes it is ensured that the due month is closed, whatever was missed.

Tasks run in process here, as they do in `serve`.
"""

from datetime import date, datetime

import pytest
import time_machine

from billing.models import CloseBatch, CloseOutcome, Invoice, MonthClose
from billing.tasks import ensure_due_month_is_closed
from billing.usecases import _runs
from billing.usecases.ensure_due_closes import ensure_due_closes
from billing.usecases.work_on_close import work_on_close
from config.celery import BEAT_SCHEDULE
from organizations.models import Organization
from tests.builders.closing import close, consume, issue, local, make_metered_price, month, outcome_of
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db


@pytest.fixture
def atlas() -> Organization:
    make_metered_price()
    atlas = make_organization(external_id="orga_atlas", name="Atlas", opened_on=date(2026, 8, 1))
    consume(atlas, quantity=100, on="2026-10-03")
    return atlas


def beat(at: str) -> None:
    with time_machine.travel(local(at), tick=False):
        ensure_due_month_is_closed()


def closed_months() -> list[str]:
    closes = MonthClose.objects.filter(finished_at__isnull=False).order_by("month")
    return [f"{close.month:%Y-%m}" for close in closes]


def test_the_beat_after_midnight_closes_the_month(atlas: Organization) -> None:
    beat("2026-11-01 00:00")

    assert closed_months() == ["2026-10"]
    assert Invoice.objects.get().created_at == local("2026-11-01 00:00")


def test_the_beat_before_midnight_closes_nothing_new(atlas: Organization) -> None:
    beat("2026-10-31 23:59")

    # September was due on this new installation: nil, and October is not touched
    assert closed_months() == ["2026-09"]
    assert not Invoice.objects.exists()


def test_fired_again_and_again_nothing_changes(atlas: Organization) -> None:
    beat("2026-11-01 00:00")
    draft = Invoice.objects.values().get()
    consume(atlas, quantity=100, on="2026-10-04", at=local("2026-11-01 00:10"))

    for at in ("2026-11-01 00:00", "2026-11-01 00:15", "2026-11-20 12:00"):
        beat(at)

    # the beat closes what is due; refreshing a draft is for people, and for issuing
    assert Invoice.objects.values().get() == draft
    assert MonthClose.objects.get().run == 1


def test_after_three_days_without_a_beat(atlas: Organization) -> None:
    beat("2026-11-04 08:00")

    assert closed_months() == ["2026-10"]
    assert outcome_of(atlas, "2026-10").kind == "invoice"


def test_after_two_missed_months_both_are_closed_in_order(atlas: Organization) -> None:
    close("2026-08")
    issue("2026-08")
    consume(atlas, quantity=100, on="2026-09-03")

    beat("2026-11-04 08:00")

    assert closed_months() == ["2026-08", "2026-09", "2026-10"]
    # September became a draft, so October waits for it to be issued
    assert outcome_of(atlas, "2026-09").kind == "invoice"
    assert outcome_of(atlas, "2026-10").reason_code == "previous_month_draft"


def test_after_two_missed_quiet_months_nobody_waits(atlas: Organization) -> None:
    close("2026-08")

    beat("2026-11-04 08:00")

    assert [outcome_of(atlas, each).kind for each in ("2026-08", "2026-09", "2026-10")] == ["nil", "nil", "invoice"]


def test_a_new_installation_without_organizations_does_nothing() -> None:
    beat("2026-11-01 00:00")

    assert not MonthClose.objects.exists()


def test_an_installation_whose_organizations_opened_later_does_nothing() -> None:
    make_organization(opened_on=date(2026, 11, 1))

    beat("2026-11-01 00:00")

    assert not MonthClose.objects.exists()


def test_a_run_that_died_is_taken_up_where_it_was(atlas: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_runs, "BATCH_SIZE", 1)
    others = [make_organization(external_id=f"orga_{number}", opened_on=date(2026, 8, 1)) for number in range(3)]
    for organization in others:
        consume(organization, quantity=100, on="2026-10-03")
    _die_after(2, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        beat("2026-11-01 00:00")
    assert Invoice.objects.count() == 2
    assert closed_months() == []
    before = list(Invoice.objects.order_by("id").values())
    monkeypatch.undo()

    beat("2026-11-01 00:15")

    assert closed_months() == ["2026-10"]
    assert MonthClose.objects.get().run == 1
    assert list(Invoice.objects.order_by("id").values())[:2] == before
    assert Invoice.objects.count() == 4


def test_a_run_of_an_earlier_month_that_died_is_finished_too(
    atlas: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    close("2026-09")
    close("2026-10")
    _die_after(0, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        close("2026-09")
    monkeypatch.undo()
    assert closed_months() == ["2026-10"]

    beat("2026-11-02 00:15")

    assert closed_months() == ["2026-09", "2026-10"]


def test_one_organization_closed_by_hand_does_not_stand_for_the_month(atlas: Organization) -> None:
    other = make_organization(external_id="orga_other", opened_on=date(2026, 8, 1))
    close("2026-10", other)

    beat("2026-11-01 00:15")

    assert closed_months() == ["2026-10"]
    assert CloseOutcome.objects.filter(month=month("2026-10").first_day).count() == 2


def test_a_worker_that_comes_too_late_finds_nothing_to_do(atlas: Organization) -> None:
    at: datetime = local("2026-11-01 00:15")
    (close_id,) = ensure_due_closes(at=at)

    work_on_close(close_id=close_id, at=at)
    work_on_close(close_id=close_id, at=local("2026-11-02"))

    assert MonthClose.objects.get().finished_at == at
    assert ensure_due_closes(at=at) == []
    assert CloseBatch.objects.filter(finished_at=at).count() == 1


def test_the_beat_comes_every_quarter_of_an_hour() -> None:
    intervals = {entry["task"]: entry["schedule"] for entry in BEAT_SCHEDULE.values()}

    assert intervals[ensure_due_month_is_closed.name] == 15 * 60


def _die_after(batches: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop a run as a signal would, when so many batches are closed."""
    close_range, closed = _runs.close_range, 0

    def die(*arguments: object, **options: object) -> None:
        nonlocal closed
        if closed == batches:
            raise KeyboardInterrupt
        closed += 1
        close_range(*arguments, **options)  # type: ignore[arg-type]  # given by the test

    monkeypatch.setattr(_runs, "close_range", die)
