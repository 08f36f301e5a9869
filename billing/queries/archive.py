"""Reading the archive: the files of a document, what is left to render, and how far a month is."""

from dataclasses import dataclass
from datetime import date, datetime
from hashlib import file_digest
from typing import Any, Literal, cast

from django.core.files.base import File
from django.core.files.storage import Storage, storages
from django.db.models import Count, Q, QuerySet

from billing.models import ArchivedDocument, Invoice

type FileKind = Literal["pdf", "xml"]

State = ArchivedDocument.State
ATTENTION_AFTER = 3
"""From so many attempts on, the desk's first page asks somebody to look: it does not heal by itself."""


@dataclass(frozen=True)
class MonthDocuments:
    """How many issued documents of a month have their files, and how many could not be rendered so far."""

    issued: int
    stored: int
    failed: int

    @property
    def left(self) -> int:
        """All that is still to be stored."""
        return self.issued - self.stored


def documents_storage() -> Storage:
    """Where the files are (settings.STORAGES)."""
    return storages["documents"]


def open_file(archived: ArchivedDocument, kind: FileKind) -> File[Any]:
    """Open a stored file; raises FileNotFoundError, or another OSError of the storage."""
    return documents_storage().open(archived.pdf_name if kind == "pdf" else archived.xml_name)


def sha256_of(name: str) -> str:
    """The SHA-256 of a file as it is in the storage now, read piece by piece; raises OSError."""
    with documents_storage().open(name) as file:
        return file_digest(cast(Any, file), "sha256").hexdigest()


def file_name(invoice: Invoice, kind: FileKind | Literal["csv"]) -> str:
    """What a file is called where people save it: the number, as far as file systems can hold it."""
    kept = "".join(sign if sign.isalnum() or sign in "-_." else "-" for sign in invoice.number or str(invoice.pk))
    return f"{kept}.{kind}"


def left_to_render() -> QuerySet[ArchivedDocument]:
    """Documents without files; a partial index holds exactly these."""
    return ArchivedDocument.objects.filter(~Q(state=State.STORED))


def count_due(at: datetime, *, most: int) -> int:
    """How many documents wait to be rendered now, counting no further than `most`."""
    return left_to_render().filter(not_before__lte=at)[:most].count()


def in_need_of_attention() -> QuerySet[ArchivedDocument]:
    """Documents that could not be rendered time and again, or whose workers died of it."""
    return left_to_render().filter(attempts__gte=ATTENTION_AFTER)


def count_documents(month: date) -> MonthDocuments:
    """Count a month's documents in two queries of indexes: all that are issued, and those that are left."""
    issued = Invoice.objects.filter(consumption_month=month, document_state="issued").count()
    left = left_to_render().filter(invoice__consumption_month=month)
    counts = left.aggregate(left=Count("pk"), failed=Count("pk", filter=Q(state=State.FAILED)))
    return MonthDocuments(issued, issued - counts["left"], counts["failed"])


def unfinished_documents(month: date | None = None) -> QuerySet[ArchivedDocument]:
    """What has no files yet, of a month (its first day) or at all."""
    rows = left_to_render().order_by("invoice")
    return rows if month is None else rows.filter(invoice__consumption_month=month)


def failed_documents(month: date | None = None) -> QuerySet[ArchivedDocument]:
    """What could not be rendered so far, of a month or at all, with the documents and whose they are."""
    return unfinished_documents(month).filter(state=State.FAILED).select_related("invoice__organization")
