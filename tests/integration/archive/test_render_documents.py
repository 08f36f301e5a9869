"""The doors to the archive: the command, and the tasks that the schedule wakes."""

from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core import mail as outbox
from django.core.management import CommandError, call_command

from billing import tasks
from billing.documents import rendering
from billing.domain.documents import Document, Rendered
from billing.management.commands import render_documents as command
from billing.models import ArchivedDocument, Invoice, LegalEntity, OutgoingMail
from billing.queries.archive import open_file
from billing.usecases.deliver_mail import Unreachable
from tests.builders.archive import render_plainly
from tests.builders.closing import broken_promises, local
from tests.builders.invoices import make_invoice
from tests.builders.mails import make_customer

pytestmark = pytest.mark.django_db

AT = local("2026-11-02")


def fails(document: Document) -> Rendered:
    raise ValueError("no glyph")


@pytest.fixture
def invoice() -> Invoice:
    return make_invoice(organization=make_customer(), status="pending", fees_cents=1_000)


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (tasks, command):
        monkeypatch.setattr(module, "render", render_plainly)


def run(*arguments: str) -> str:
    out = StringIO()
    with time_machine.travel(AT, tick=False):
        call_command("render_documents", *arguments, stdout=out)
    return out.getvalue()


def beat() -> None:
    with time_machine.travel(AT, tick=False):
        tasks.wake_for_documents()


def test_the_command_renders_what_is_left(invoice: Invoice) -> None:
    assert run("2026-09") == "stored: 0, failed: 0\n"
    assert run("2026-10") == "stored: 1, failed: 0\n"
    assert run() == "stored: 0, failed: 0\n"
    assert broken_promises() == []


def test_the_command_names_what_failed_and_tries_it_again(invoice: Invoice, monkeypatch: pytest.MonkeyPatch) -> None:
    out = StringIO()
    monkeypatch.setattr(command, "render", fails)
    with time_machine.travel(AT, tick=False), pytest.raises(SystemExit) as stopped:
        call_command("render_documents", stdout=out)
    assert stopped.value.code == 1
    assert out.getvalue() == (
        f"failed: {invoice.number} {invoice.organization.external_id}: ValueError: no glyph\nstored: 0, failed: 1\n"
    )

    monkeypatch.setattr(command, "render", render_plainly)
    assert run() == "stored: 1, failed: 0\n"


def test_the_command_says_what_others_are_at(invoice: Invoice) -> None:
    ArchivedDocument.objects.update(not_before=local("2026-11-03"))

    assert run() == "stored: 0, failed: 0, left to other workers: 1\n"


def test_the_command_takes_months_only() -> None:
    with pytest.raises(CommandError, match="'october' is not a month"):
        run("october")


def test_the_beat_has_documents_rendered_and_sent(invoice: Invoice) -> None:
    beat()
    assert ArchivedDocument.objects.get().state == "stored"
    beat()

    assert [message.to for message in outbox.outbox] == [["billing@example.org"]]
    beat()
    assert len(outbox.outbox) == 1


def test_the_beat_wakes_as_many_workers_as_there_is_work_for(
    invoice: Invoice, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    woken: list[str] = []
    for name in ("render_documents", "send_mails"):
        monkeypatch.setattr(getattr(tasks, name), "apply_async", lambda name=name, **_: woken.append(name))
    settings.DOCUMENT_WORKERS = 3
    monkeypatch.setattr(tasks, "CHUNK", 2)
    beat()
    assert woken == ["render_documents"]
    for _ in range(9):
        make_invoice(status="pending", fees_cents=1_000)
    beat()
    assert woken == ["render_documents"] * 4


def test_a_server_that_is_down_ends_the_round(invoice: Invoice, monkeypatch: pytest.MonkeyPatch) -> None:
    make_invoice(organization=make_customer(), status="pending", fees_cents=1_000)
    with time_machine.travel(AT, tick=False):
        tasks.render_documents()
    tried = []

    def refused(message: Any) -> None:
        tried.append(message)
        raise Unreachable("Connection refused")

    monkeypatch.setattr(tasks, "deliver_mail", refused)
    with time_machine.travel(AT, tick=False):
        tasks.send_mails()

    assert len(tried) == 1
    assert set(OutgoingMail.objects.values_list("state", flat=True)) == {"waiting"}


def test_an_invoice_gets_its_real_files(monkeypatch: pytest.MonkeyPatch, invoice: Invoice) -> None:
    LegalEntity.objects.update(name="Nimbus SAS")
    monkeypatch.setattr(command, "render", rendering.render)

    run()

    row = ArchivedDocument.objects.get()
    with open_file(row, "pdf") as pdf, open_file(row, "xml") as xml:
        assert pdf.read().startswith(b"%PDF-")
        assert str(invoice.number).encode() in xml.read()
