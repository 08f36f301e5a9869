"""Rendering what was issued: once, whatever fails or dies in between."""

from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from billing.documents.rendering import render
from billing.domain.documents import Document, Rendered
from billing.models import ArchivedDocument, Event, ExchangeRate, Invoice
from billing.queries.archive import count_documents, documents_storage, in_need_of_attention, open_file
from billing.usecases import work_on_documents as module
from billing.usecases._permissions import NotAllowed
from billing.usecases.retry_documents import retry_documents
from billing.usecases.work_on_documents import LEASE, Worked, work_on_documents
from tests.builders.archive import render_plainly, store
from tests.builders.closing import broken_promises, close, consume, issue, local, make_metered_price
from tests.builders.desk import make_staff
from tests.builders.invoices import make_credit_note, make_invoice, make_line
from tests.builders.organizations import make_organization
from tests.builders.usage import OCTOBER

pytestmark = pytest.mark.django_db

AT = local("2026-11-03")


def fails(document: Document) -> Rendered:
    raise ValueError("no glyph for U+1F600")


def archived(invoice: Invoice) -> ArchivedDocument:
    return ArchivedDocument.objects.get(invoice=invoice)


def test_what_is_issued_waits_for_its_files() -> None:
    make_metered_price()
    consume(make_organization(opened_on=OCTOBER), quantity=100, on="2026-10-03")
    close("2026-10")
    assert not ArchivedDocument.objects.exists()

    issue("2026-10")

    row = archived(Invoice.objects.get())
    assert (row.state, row.attempts, row.pdf_name) == ("waiting", 0, "")
    assert count_documents(OCTOBER).left == 1
    assert broken_promises() == []


def test_files_are_kept_with_their_hashes() -> None:
    invoice = make_invoice(fees_cents=1_000, status="pending")

    row = store(invoice)

    assert row.state == "stored"
    assert row.rendered_at == invoice.issued_at
    for kind, name, digest, size in (
        ("pdf", row.pdf_name, row.pdf_sha256, row.pdf_bytes),
        ("xml", row.xml_name, row.xml_sha256, row.xml_bytes),
    ):
        with open_file(row, kind) as file:  # type: ignore[arg-type]
            content = file.read()
        assert (sha256(content).hexdigest(), len(content)) == (digest, size)
        # nothing that a person wrote is in the name of a file
        assert name == f"2026/11/{invoice.pk}-{digest}.{kind}"
    states = count_documents(OCTOBER)
    assert (states.issued, states.stored, states.failed, states.left) == (1, 1, 0, 0)
    assert broken_promises() == []


def test_credit_notes_are_documents_too() -> None:
    invoice = make_invoice(direct=[make_line()], status="pending")
    note = make_credit_note(refers_to=invoice, net_cents=1_000)

    store(note)

    assert archived(invoice).state == archived(note).state == "stored"


def test_without_an_exchange_rate_nothing_is_stored_until_there_is_one() -> None:
    invoice = make_invoice(organization=make_organization(currency="USD"), fees_cents=1_000, status="pending")
    assert work_on_documents(render=render, at=AT) == Worked(taken=1)
    assert "no exchange rate" in archived(invoice).error

    assert invoice.issue_date is not None
    ExchangeRate.objects.create(currency="USD", day=invoice.issue_date, per_euro_micro=1_083_700)

    assert work_on_documents(render=render, at=AT + timedelta(minutes=1)) == Worked(taken=1, stored=1)


def test_drafts_have_no_files() -> None:
    make_invoice(fees_cents=1_000)

    assert work_on_documents(render=fails, at=AT) == Worked()


def test_what_is_stored_is_never_rendered_again() -> None:
    store(make_invoice(fees_cents=1_000, status="pending"))

    assert work_on_documents(render=fails, at=AT + timedelta(days=400)) == Worked()


def test_a_document_that_cannot_be_rendered_stops_no_other_and_is_tried_again() -> None:
    bad = make_invoice(fees_cents=1_000, status="pending")
    good = make_invoice(fees_cents=1_000, status="pending")

    def render(document: Document) -> Rendered:
        return fails(document) if document.id == bad.pk else render_plainly(document)

    assert work_on_documents(render=render, at=AT) == Worked(taken=2, stored=1)

    assert (archived(good).state, archived(bad).state) == ("stored", "failed")
    assert archived(bad).error == "ValueError: no glyph for U+1F600"
    bad.refresh_from_db()
    assert bad.document_state == "issued"
    assert count_documents(OCTOBER).failed == 1
    assert broken_promises() == []
    # not at once, but a minute later; then it heals
    assert work_on_documents(render=render_plainly, at=AT + timedelta(seconds=59)) == Worked()
    assert work_on_documents(render=render_plainly, at=AT + timedelta(minutes=1)) == Worked(1, 1)
    assert (archived(bad).state, archived(bad).error) == ("stored", "")


def test_what_fails_again_and_again_waits_longer_and_asks_for_attention() -> None:
    invoice = make_invoice(fees_cents=1_000, status="pending")
    at, waits = AT, []
    for _ in range(6):
        work_on_documents(render=fails, at=at)
        waits.append((archived(invoice).not_before - at) // timedelta(minutes=1))
        at = archived(invoice).not_before
        if len(waits) == 2:
            assert not in_need_of_attention().exists()

    assert waits == [1, 5, 15, 60, 240, 240]
    assert in_need_of_attention().get().invoice == invoice


def test_a_full_disk_is_said_and_heals(monkeypatch: pytest.MonkeyPatch) -> None:
    invoice = make_invoice(fees_cents=1_000, status="pending")

    def full(*_: Any) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(documents_storage()), "save", full)
    assert work_on_documents(render=render_plainly, at=AT) == Worked(taken=1)
    assert "No space left on device" in archived(invoice).error
    monkeypatch.undo()

    assert work_on_documents(render=render_plainly, at=AT + timedelta(minutes=1)) == Worked(1, 1)


def test_a_worker_that_dies_leaves_its_documents_to_the_next() -> None:
    invoice = make_invoice(fees_cents=1_000, status="pending")

    def dies(document: Document) -> Rendered:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work_on_documents(render=dies, at=AT)
    assert work_on_documents(render=render_plainly, at=AT + timedelta(minutes=1)) == Worked()

    assert work_on_documents(render=render_plainly, at=AT + LEASE) == Worked(1, 1)
    assert (archived(invoice).state, archived(invoice).attempts) == ("stored", 2)


def test_what_may_kill_its_workers_is_taken_by_itself() -> None:
    killer, other = (make_invoice(fees_cents=1_000, status="pending") for _ in range(2))

    def render(document: Document) -> Rendered:
        if document.id == killer.pk:
            raise KeyboardInterrupt
        return render_plainly(document)

    for number in range(3):
        with pytest.raises(KeyboardInterrupt):
            work_on_documents(render=render, at=AT + number * LEASE)

    assert work_on_documents(render=render, at=AT + 2 * LEASE) == Worked(1, 1)
    assert (archived(other).state, archived(killer).state) == ("stored", "waiting")
    assert in_need_of_attention().get().invoice == killer


def test_what_failed_before_it_kills_its_workers_is_taken_by_itself_too() -> None:
    killer, other = (make_invoice(fees_cents=1_000, status="pending") for _ in range(2))

    def fail(document: Document) -> Rendered:
        raise OSError("No space left on device")

    def render(document: Document) -> Rendered:
        if document.id == killer.pk:
            raise KeyboardInterrupt
        return render_plainly(document)

    assert work_on_documents(render=fail, at=AT) == Worked(taken=2)
    for number in range(1, 3):
        with pytest.raises(KeyboardInterrupt):
            work_on_documents(render=render, at=AT + number * LEASE)

    assert work_on_documents(render=render, at=AT + 2 * LEASE) == Worked(1, 1)
    assert archived(other).state == "stored"


def test_files_written_without_a_record_are_taken_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    invoice = make_invoice(fees_cents=1_000, status="pending")

    def dies(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_record", dies)
    with pytest.raises(KeyboardInterrupt):
        work_on_documents(render=render_plainly, at=AT)
    monkeypatch.undo()
    written = documents_storage().listdir("2026/11")[1]

    store(invoice, at=AT + LEASE)

    assert documents_storage().listdir("2026/11")[1] == written
    assert broken_promises() == []


def test_half_a_file_of_somebody_who_was_killed_is_in_nobodys_way() -> None:
    invoice = make_invoice(fees_cents=1_000, status="pending")
    row = store(invoice)
    other = make_invoice(fees_cents=2_000, status="pending")
    halves: list[str] = []

    def render(document: Document) -> Rendered:
        rendered = render_plainly(document)
        name = f"2026/11/{document.id}-{sha256(rendered.pdf).hexdigest()}.pdf"
        with documents_storage().open(name, "wb") as file:
            file.write(rendered.pdf[:10])
        halves.append(name)
        return rendered

    work_on_documents(render=render, at=AT)

    assert archived(other).state == "stored"
    assert archived(other).pdf_name not in [*halves, row.pdf_name]
    assert broken_promises() == []


def test_who_comes_late_changes_nothing() -> None:
    invoice = make_invoice(fees_cents=1_000, status="pending")

    def slow(document: Document) -> Rendered:
        assert work_on_documents(render=render_plainly, at=AT + LEASE) == Worked(1, 1)
        return Rendered(pdf=b"another", xml=b"another")

    assert work_on_documents(render=slow, at=AT) == Worked(taken=1)

    with open_file(archived(invoice), "pdf") as file:
        assert file.read() != b"another"
    assert broken_promises() == []


def test_the_database_refuses_to_change_what_is_stored() -> None:
    stored, waiting = (make_invoice(fees_cents=1_000, status="pending") for _ in range(2))
    ArchivedDocument.objects.filter(invoice=waiting).update(not_before=AT + timedelta(days=900))
    store(stored)

    for change in (
        f"UPDATE billing_archiveddocument SET pdf_name = 'x' WHERE invoice_id = {stored.pk}",
        f"UPDATE billing_archiveddocument SET state = 'waiting' WHERE invoice_id = {stored.pk}",
        f"DELETE FROM billing_archiveddocument WHERE invoice_id = {stored.pk}",
        f"DELETE FROM billing_archiveddocument WHERE invoice_id = {waiting.pk}",
    ):
        with (
            pytest.raises(IntegrityError, match="A stored document cannot be changed or deleted"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(change)
    ArchivedDocument.objects.filter(invoice=waiting).update(attempts=5)


def test_the_number_of_queries_does_not_depend_on_the_number_of_documents() -> None:
    numbers = []
    for documents in (1, 4):
        for _ in range(documents):
            make_invoice(fees_cents=1_000, status="pending")
        with CaptureQueriesContext(connection) as captured:
            assert work_on_documents(render=render_plainly, at=AT).stored == documents
        # SQLite's executemany is shown as one query per row
        numbers.append(len({str(query["sql"]).split("(")[0][:90] for query in captured}))
    assert numbers[0] == numbers[1]


def test_max_has_what_failed_tried_again_now() -> None:
    invoice = make_invoice(fees_cents=1_000, status="pending")
    work_on_documents(render=fails, at=AT)
    with pytest.raises(NotAllowed):
        retry_documents(invoice_id=invoice.pk, actor=make_staff("Viewer"), at=AT)
    assert retry_documents(month=local("2026-09-01").date(), actor=None, at=AT) == 0

    assert retry_documents(month=OCTOBER, actor=make_staff("Billing manager"), at=AT) == 1

    assert Event.objects.get(kind="documents.retried").values == {"documents": 1, "month": "2026-10"}
    assert work_on_documents(render=render_plainly, at=AT) == Worked(1, 1)


def test_only_the_documents_of_a_month_and_not_what_failed_since() -> None:
    september = make_invoice(fees_cents=1_000, status="pending", month=local("2026-09-01").date())
    october = make_invoice(fees_cents=1_000, status="pending")

    assert work_on_documents(render=fails, at=AT, month=OCTOBER) == Worked(taken=1)
    later = AT + timedelta(minutes=5)
    assert work_on_documents(render=fails, at=later, due_by=AT, month=OCTOBER) == Worked()

    assert (archived(september).attempts, archived(october).attempts) == (0, 1)
