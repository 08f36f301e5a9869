"""Render issued documents and keep their files: some at a time, by as many workers as there are.

        claim (transaction) ── render, write files (no transaction) ── record (transaction)

A claim moves `not_before` ahead. Whoever is killed in between has lost nothing: the documents are due again when their
lease is over, and a file that was written without being recorded is found by its content, or in nobody's way. Whoever
comes late with a document that somebody else stored meanwhile leaves it as it is.
"""

import logging
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime, timedelta
from hashlib import sha256

from django.core.files.base import ContentFile
from django.db import InterfaceError, OperationalError, connection, transaction
from msgspec import Struct

from billing.domain.documents import Document, Rendered
from billing.models import ArchivedDocument
from billing.queries.among import among
from billing.queries.archive import documents_storage, left_to_render, sha256_of
from billing.queries.documents import load_document, load_documents
from billing.usecases._bulk import bulk_change
from billing.usecases._outbox import queue_mails

CHUNK = 20
LEASE = timedelta(minutes=15)
"""How long a claim holds: much longer than a chunk takes."""
BACK_OFF_MINUTES = (1, 5, 15, 60, 240)

log = logging.getLogger(__name__)
State = ArchivedDocument.State

type Render = Callable[[Document], Rendered]


class Worked(Struct, frozen=True):
    """What became of the documents that were taken."""

    taken: int = 0
    stored: int = 0


class _Stored(Struct, frozen=True):
    name: str
    sha256: str
    size: int


type _Files = tuple[_Stored, _Stored]


def work_on_documents(
    *, render: Render, at: datetime, due_by: datetime | None = None, month: date | None = None
) -> Worked:
    """Render a few of the documents that are due and that nobody else is at; the caller goes on until none is taken.

    `render` makes the files, see `documents.rendering`. `due_by` leaves out what failed since; `month` (its first day)
    all others. A document that cannot be rendered or written keeps the reason, and is due again after a while.
    """
    claimed = _claim(at, due_by or at, month)
    if not claimed:
        return Worked()
    documents = _load_together(claimed)
    outcomes = {id_: _store(id_, documents.get(id_), render) for id_ in claimed}
    stored = _record(claimed, outcomes, at)
    return Worked(len(claimed), stored)


@transaction.atomic
def _claim(at: datetime, due_by: datetime, month: date | None) -> dict[int, int]:
    """Take documents; each with the number of the attempt, by which its worker knows it again."""
    due = left_to_render().filter(not_before__lte=due_by).order_by("not_before", "invoice_id")
    if month is not None:
        due = due.filter(invoice__consumption_month=month)
    can_skip = connection.features.has_select_for_update_skip_locked
    rows = list(due.select_for_update(skip_locked=can_skip, of=("self",) if can_skip else ())[:CHUNK])
    # Begun more than once and never ended: it may be what kills its workers, so it is taken by itself.
    suspects = [row for row in rows if row.state == State.WAITING and row.attempts > 1]
    claimed = {row.pk: row.attempts + 1 for row in suspects[:1] or rows}
    bulk_change(
        connection,
        ArchivedDocument._meta.db_table,
        ("invoice_id", "state", "attempts", "not_before"),
        ((id_, State.WAITING.value, attempt, at + LEASE) for id_, attempt in claimed.items()),
    )
    return claimed


def _load_together(ids: Collection[int]) -> Mapping[int, Document]:
    """Load the documents; none, to be loaded one by one, when one of them cannot be."""
    try:
        return load_documents(ids)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("One of %s documents cannot be loaded", len(ids))
        return {}


def _store(id_: int, document: Document | None, render: Render) -> _Files | str:
    """Render a document and write its files; where that fails, why. One that cannot be rendered stops no other."""
    try:
        document = document or load_document(id_)
        rendered = render(document)
        return _write(document, "pdf", rendered.pdf), _write(document, "xml", rendered.xml)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        log.exception("Document %s could not be rendered and stored", id_)
        return f"{type(error).__name__}: {error}"[:1000]


def _write(document: Document, kind: str, content: bytes) -> _Stored:
    """Write a file under a name made of its content, unless it is there, whole, from somebody who was killed."""
    digest = sha256(content).hexdigest()
    year_and_month = f"{document.issue_date:%Y/%m}" if document.issue_date else "undated"
    name, storage = f"{year_and_month}/{document.id}-{digest}.{kind}", documents_storage()
    if not (storage.exists(name) and sha256_of(name) == digest):
        name = storage.save(name, ContentFile(content))
    return _Stored(name, digest, len(content))


@transaction.atomic
def _record(claimed: Mapping[int, int], outcomes: Mapping[int, _Files | str], at: datetime) -> int:
    """Write down what became of the documents that are still this worker's; returns how many are stored."""
    rows = left_to_render().filter(among("invoice", list(claimed))).select_for_update().order_by("invoice_id")
    mine = [id_ for id_, attempts in rows.values_list("pk", "attempts") if attempts == claimed[id_]]
    stored = [(id_, files) for id_ in mine if not isinstance(files := outcomes[id_], str)]
    failed = [(id_, error) for id_ in mine if isinstance(error := outcomes[id_], str)]
    bulk_change(
        connection,
        ArchivedDocument._meta.db_table,
        (
            "invoice_id",
            "state",
            "error",
            "pdf_name",
            "pdf_sha256",
            "pdf_bytes",
            "xml_name",
            "xml_sha256",
            "xml_bytes",
            "rendered_at",
        ),
        (
            (id_, State.STORED.value, "", pdf.name, pdf.sha256, pdf.size, xml.name, xml.sha256, xml.size, at)
            for id_, (pdf, xml) in stored
        ),
    )
    bulk_change(
        connection,
        ArchivedDocument._meta.db_table,
        ("invoice_id", "state", "error", "not_before"),
        ((id_, State.FAILED.value, error, at + _back_off(claimed[id_])) for id_, error in failed),
    )
    queue_mails([id_ for id_, _ in stored], at=at)
    return len(stored)


def _back_off(attempts: int) -> timedelta:
    return timedelta(minutes=BACK_OFF_MINUTES[min(attempts, len(BACK_OFF_MINUTES)) - 1])
