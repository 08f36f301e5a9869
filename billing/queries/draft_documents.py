"""Drafts as they would be issued on a day, with the number and the dates that they would get: what a check looks at."""

from collections.abc import Collection
from datetime import date, timedelta

from msgspec import structs

from billing.domain.documents import Document
from billing.domain.numbering import render_number
from billing.models import Invoice, NumberSeries
from billing.queries.among import among
from billing.queries.documents import load_documents


def load_as_if_issued(invoice_ids: Collection[int], *, day: date) -> dict[int, Document]:
    """Load drafts by id, each as if it were the next to be issued on that day; what is issued is loaded as it is."""
    documents = load_documents(invoice_ids, day=day)
    numbers = {
        (entity_id, kind): render_number(template, date=day, counter=last_counter + 1)
        for entity_id, kind, template, last_counter in NumberSeries.objects.values_list(
            "legal_entity_id", "kind", "template", "last_counter"
        )
    }
    rows = Invoice.objects.filter(among("id", invoice_ids), document_state="draft").values_list(
        "id", "legal_entity_id", "kind", "organization__payment_term_days"
    )
    for id_, entity_id, kind, term_days in rows:
        due_date = day if kind == Invoice.Kind.CREDIT_NOTE else day + timedelta(days=term_days)
        document = documents[id_]
        documents[id_] = structs.replace(
            document, number=numbers[entity_id, kind], issue_date=day, due_date=document.due_date or due_date
        )
    return documents
