"""The place of issued documents in the archive: there from the moment of issuing, filled by `work_on_documents`."""

from collections.abc import Iterable
from datetime import datetime

from django.db import connection

from billing.models import ArchivedDocument
from billing.usecases._bulk import bulk_write


def await_rendering(invoice_ids: Iterable[int], *, at: datetime) -> None:
    """Have documents rendered; in the transaction that issues them, so that none is ever forgotten."""
    bulk_write(
        connection,
        ArchivedDocument._meta.db_table,
        (
            "invoice_id",
            "state",
            "not_before",
            "attempts",
            "error",
            "pdf_name",
            "pdf_sha256",
            "pdf_bytes",
            "xml_name",
            "xml_sha256",
            "xml_bytes",
        ),
        ((id_, ArchivedDocument.State.WAITING.value, at, 0, "", "", "", 0, "", "", 0) for id_ in invoice_ids),
    )
