"""`manage.py demo` in other circumstances: stopped half-way, on other days, beside somebody's own data."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from io import StringIO
from types import ModuleType
from unittest.mock import patch

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import transaction

from billing.demo import desk, timeline
from billing.demo.people import may_sign_in
from billing.domain.documents import Document, Rendered
from billing.models import CloseOutcome, Event, Invoice, OutgoingMail
from organizations.models import Organization, User
from tests.builders.archive import render_plainly

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
ENOUGH = 9  # the late usage is the ninth's
MONTHS = ("2026-07", "2026-08", "2026-09", "2026-10")

pytestmark = pytest.mark.django_db


def run_demo(
    at: datetime = NOW, organizations: int = 20, *, render: Callable[[Document], Rendered] = render_plainly
) -> None:
    with time_machine.travel(at, tick=False), patch.object(timeline, "render", render):
        call_command("demo", no_serve=True, organizations=organizations, password="secret", stdout=StringIO())


def exported() -> list[object]:
    """All invoices, what the finance team did, and what was sent."""
    lines: list[object] = []
    for month in MONTHS:
        out = StringIO()
        call_command("export_invoices", month, stdout=out)
        lines += [json.loads(line) for line in out.getvalue().splitlines()]
    by_staff = Event.objects.filter(actor__isnull=False).order_by("pk")
    mails = OutgoingMail.objects.order_by("invoice__number", "recipient").values_list("invoice__number", "state")
    return [*lines, *by_staff.values_list("at", "kind", "actor__email", "organization__name", "reason"), *mails]


INTERRUPTIONS = (
    (timeline, "import_data", 3),  # the usage of July is loaded
    (timeline, "issue_invoices", 1),  # July is issued, nobody has paid
    (timeline, "close_month", 2),  # August is closed
    (timeline, "issue_invoices", 2),  # August is issued
    (timeline, "issue_invoices", 2),  # July is over and left alone; September is issued
    (timeline, "close_month", 2),  # September again, then October: the desk has not seen it
    (desk, "hold_invoice", 1),  # the adjusted draft stays, the held one is not
    (desk, "acknowledge_finding", 1),  # only the passwords are missing
)


def undisturbed() -> list[object]:
    """What one run leads to; it leaves nothing behind."""
    with transaction.atomic():
        run_demo(organizations=ENOUGH)
        lines = exported()
        transaction.set_rollback(True)
    return lines


@pytest.mark.long
def test_interrupted_again_and_again_it_ends_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = undisturbed()
    with pytest.raises(CommandError, match="Run it again"):
        run_demo(organizations=ENOUGH, render=stopped)
    for module, name, call in INTERRUPTIONS:
        with monkeypatch.context() as patch:
            interrupt(patch, module, name, call)
            with pytest.raises(CommandError, match="Run it again"):
                run_demo(organizations=ENOUGH)
        assert not may_sign_in()
    run_demo(organizations=ENOUGH)
    assert exported() == expected


def stopped(document: Document) -> Rendered:
    """Stop while a document is rendered: what was claimed with it stays claimed for a while."""
    raise KeyboardInterrupt


def interrupt(patch: pytest.MonkeyPatch, module: ModuleType, name: str, call: int) -> None:
    """Press Ctrl-C when a part of the demo has called a use case so many times."""
    original = getattr(module, name)
    calls = 0

    def interrupted(**arguments: object) -> object:
        nonlocal calls
        calls += 1
        result = original(**arguments)
        if calls == call:
            raise KeyboardInterrupt
        return result

    patch.setattr(module, name, interrupted)


@pytest.mark.long
def test_early_on_the_first_of_march() -> None:
    """Ten past midnight in Paris: the leap February has just ended, and nothing may happen later than now."""
    run_demo(datetime(2028, 2, 29, 23, 10, tzinfo=UTC))
    out = StringIO()
    call_command("verify", stdout=out)
    assert "broken things: 0" in out.getvalue()
    assert set(Invoice.objects.filter(document_state="draft").values_list("consumption_month")) == {(date(2028, 2, 1),)}
    assert CloseOutcome.objects.filter(kind="blocked").count() == 2


def test_a_month_later_it_is_still_the_same_demo() -> None:
    run_demo(organizations=5)
    before = exported()
    run_demo(datetime(2027, 1, 5, tzinfo=UTC), organizations=20)
    assert exported() == before
    assert Organization.objects.count() == 5


def test_it_keeps_away_from_somebody_elses_data() -> None:
    Organization.objects.create(external_id="orga_mine", name="Mine", opened_on=NOW.date())
    with pytest.raises(CommandError, match="not the demo's"):
        run_demo()
    assert Organization.objects.count() == 1
    assert not User.objects.exists()


def test_a_platform_without_organizations_is_none() -> None:
    with pytest.raises(CommandError, match="at least one"):
        run_demo(organizations=0)
