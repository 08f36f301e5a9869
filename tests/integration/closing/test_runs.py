"""Runs of a close: what is left of one that died, and what becomes of one when somebody asks for another meanwhile."""

from datetime import date, datetime

import pytest

from billing.models import CloseBatch, MonthClose
from billing.queries.accounts import Scope
from billing.usecases import _runs
from organizations.models import Organization
from tests.builders.closing import bill_of, close, consume, local, make_metered_price, month
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db

AT = local("2026-11-01 03:00")


class Batches:
    """Counts the batches that are closed, and lets the process die before the one that comes after `survives`."""

    def __init__(self) -> None:
        self.closed = 0
        self.survives: int | None = None

    def close(self, row: MonthClose, scope: Scope, *, at: datetime) -> None:
        if self.closed == self.survives:
            raise KeyboardInterrupt
        self.closed += 1
        _close_range(row, scope, at=at)


_close_range = _runs.close_range


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> Batches:
    counted = Batches()
    monkeypatch.setattr(_runs, "BATCH_SIZE", 1)
    monkeypatch.setattr(_runs, "close_range", counted.close)
    return counted


@pytest.fixture
def everybody() -> list[Organization]:
    make_metered_price()
    four = [make_organization(external_id=f"orga_{number}", opened_on=date(2026, 8, 1)) for number in range(4)]
    for organization in four:
        consume(organization, quantity=100, on="2026-10-03")
    return four


def die_after(batches: Batches, survives: int) -> None:
    batches.survives = survives
    with pytest.raises(KeyboardInterrupt):
        close("2026-10")
    batches.survives = None


def test_closing_after_a_run_that_died_closes_everybody_once(batches: Batches, everybody: list[Organization]) -> None:
    die_after(batches, 3)
    consume(everybody[0], quantity=50, on="2026-10-04")

    report = close("2026-10")

    # everybody, the one whose usage came meanwhile too; what was left of the first run is not closed twice
    assert batches.closed == 3 + 4
    assert report.invoices == 4
    assert bill_of(everybody[0], "2026-10").fees == "1.50"
    assert MonthClose.objects.get().finished_at is not None


def test_a_worker_goes_on_with_the_run_that_replaced_its_own(batches: Batches, everybody: list[Organization]) -> None:
    die_after(batches, 2)
    first = MonthClose.objects.get()
    second = _runs.start(month("2026-10"), at=AT)

    _runs.work(first, at=AT, wait=True)
    _runs.work(second, at=AT, wait=True)

    assert batches.closed == 2 + 4
    row = MonthClose.objects.get()
    assert (row.run, row.finished_at) == (2, AT)
    assert list(CloseBatch.objects.filter(finished_at=AT).values_list("run", "number").order_by("number")) == [
        (2, number) for number in (1, 2, 3, 4)
    ]


def test_a_run_that_is_joined_is_not_planned_anew(batches: Batches, everybody: list[Organization]) -> None:
    die_after(batches, 3)

    joined = _runs.start_or_join(month("2026-10"), at=AT)
    _runs.work(joined, at=AT, wait=True)

    assert batches.closed == 4
    assert MonthClose.objects.get().run == 1
