"""Documents with files, and a renderer that takes no time."""

from datetime import datetime

import msgspec

from billing.domain.documents import Document, Rendered
from billing.models import ArchivedDocument, Invoice
from billing.usecases.work_on_documents import work_on_documents


def render_plainly(document: Document) -> Rendered:
    """What the document says, as bytes: the same whenever it is rendered."""
    content = msgspec.json.encode(document)
    return Rendered(pdf=b"%PDF-1.7\n" + content, xml=b"<!-- " + content + b" -->")


def store(invoice: Invoice, *, at: datetime | None = None) -> ArchivedDocument:
    """Render everything that is due until an issued document has its files; also queues its e-mails."""
    assert invoice.issued_at is not None
    while work_on_documents(render=render_plainly, at=at or invoice.issued_at).taken:
        pass
    return ArchivedDocument.objects.get(invoice=invoice)
