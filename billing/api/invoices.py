"""Invoices and credit notes, in the shape of `export_invoices`."""

from datetime import datetime
from functools import partial
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from rest_framework.request import Request

from billing.api.pages import PAGING, Readers, answer_page, read_instant, read_limit, read_month, read_page, read_query
from billing.api.problems import not_found
from billing.api.views import KeyView, ok
from billing.models import Event, Invoice
from billing.queries.exports import exported_documents, load_exported
from billing.queries.snapshot import read_snapshot

MAX_DOCUMENTS = 100  # a page; each may have hundreds of lines
STATES = ("draft", "pending", "processing", "payment_held", "paid", "canceled", "refunded", "wont_pay")


def read_state(text: str) -> str:
    """The status of a document."""
    if text not in STATES:
        raise ValueError(f"choose among {', '.join(STATES)}.")
    return text


class InvoicesView(KeyView):
    """Documents with their lines, statement, usage and VAT."""

    scopes = {"GET": "invoices:read"}
    readers: Readers = {
        **PAGING,
        "limit": partial(read_limit, most=MAX_DOCUMENTS),
        "month": read_month,
        "organization": str,
        "state": read_state,
        "changed_since": read_instant,
    }

    def get(self, request: Request) -> Any:
        """One page."""
        values = read_query(request.query_params, self.readers)
        documents = self._documents()
        if "month" in values:
            documents = documents.filter(consumption_month=values["month"].first_day)
        if "organization" in values:
            documents = documents.filter(organization__external_id=values["organization"])
        if "state" in values:
            documents = documents.filter(_in_state(values["state"]))
        if "changed_since" in values:
            documents = documents.filter(_changed_since(values["changed_since"]))
        with read_snapshot():
            return ok(answer_page(documents, read_page(values), lambda rows: load_exported([row.pk for row in rows])))

    def _documents(self) -> QuerySet[Invoice]:
        own = self.key.organization_id
        return exported_documents() if own is None else exported_documents().filter(organization=own)


class InvoiceView(InvoicesView):
    """One issued document, by its number."""

    def get(self, request: Request, number: str) -> Any:  # type: ignore[override]  # another address
        """The document."""
        read_query(request.query_params, {})
        ids = [] if "\0" in number else list(self._documents().filter(number=number).values_list("pk", flat=True)[:1])
        if not ids:
            raise not_found()
        return ok(load_exported(ids)[0])


def _in_state(state: str) -> Q:
    is_draft = Q(document_state="draft")
    return is_draft if state == "draft" else ~is_draft & Q(payment_state=state)


def _changed_since(instant: datetime) -> Q:
    """Computed, issued, or something happened to it: paid, credited, held."""
    happened = Event.objects.filter(invoice=OuterRef("pk"), at__gte=instant)
    return Q(computed_at__gte=instant) | Q(issued_at__gte=instant) | Q(Exists(happened))
