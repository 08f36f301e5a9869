"""Which documents a dataset has, and the check before the first row of each."""

from collections.abc import Iterator, Sequence
from itertools import batched

from django.db import connection
from django.db.models import F, QuerySet
from django.db.models.functions import Collate
from django.utils.translation import override

from billing.domain.documents import Document
from billing.domain.lifecycle import DocumentState
from billing.domain.money import format_cents
from billing.domain.periods import Month
from billing.models import AddOn, Invoice, InvoiceLine
from billing.queries.documents import load_documents
from billing.queries.exports import CODE_POINT_ORDER, LANGUAGE
from billing.queries.focus.columns import FocusRow
from billing.queries.focus.rows import LineSource, LineSources, document_rows

DOCUMENTS_PER_BATCH = 50
"""A document with its usage is kept in memory while it is written."""


class FocusMismatch(ValueError):
    """The rows of a document do not sum to its total, so that there is no dataset; the message names both sums."""


def focus_of_organization(organization_id: int, month: Month) -> list[FocusRow]:
    """The dataset of what an organization was invoiced for a month; empty when nothing was issued.

    Whether somebody may see it is the caller's question. Raises FocusMismatch.
    """
    return list(_rows(_issued(month).filter(organization=organization_id)))


def focus_of_month(month: Month) -> Iterator[FocusRow]:
    """The dataset of all that was issued for a month, by organization id: an invoice, then its credit notes.

    For one coherent picture, read inside `read_snapshot`. Raises FocusMismatch on the way: what was given out before
    that is not to be used.
    """
    return _rows(_issued(month))


def _issued(month: Month) -> QuerySet[Invoice]:
    return Invoice.objects.filter(
        document_state=DocumentState.ISSUED.value, consumption_month=month.first_day
    ).order_by(
        Collate("organization__external_id", CODE_POINT_ORDER[connection.vendor]),
        F("kind").desc(),  # an invoice before its credit notes
        "counter",
        "id",
    )


def _rows(invoices: QuerySet[Invoice]) -> Iterator[FocusRow]:
    ids = list(invoices.values_list("id", flat=True))
    for batch in batched(ids, DOCUMENTS_PER_BATCH, strict=False):
        documents, sources = load_documents(batch), _load_sources(batch)
        for id_ in batch:
            with override(LANGUAGE):
                rows = list(document_rows(documents[id_], sources.get(id_, {})))
            check_sum(documents[id_], rows)
            yield from rows


def check_sum(document: Document, rows: Sequence[FocusRow]) -> None:
    """Check that the rows are the document's total, to the cent. Raises FocusMismatch."""
    total_cents = -document.total_cents if document.kind == "credit_note" else document.total_cents
    sum_cents = sum(row.billed_cost_cents for row in rows)
    if sum_cents != total_cents:
        raise FocusMismatch(
            f"The charges of {document.number} sum to {format_cents(sum_cents)} {document.currency}, but its total is "
            f"{format_cents(total_cents)} {document.currency}: there is no dataset until this is explained."
        )


def _load_sources(ids: Sequence[int]) -> dict[int, LineSources]:
    """What the lines of these documents bill, by document and position."""
    found = InvoiceLine.objects.filter(invoice__in=ids).values_list(
        "invoice_id", "position", "kind", "source_id", "organization__external_id", "organization__name",
        F("invoice__organization__external_id"),
    )  # fmt: skip
    lines = list(found)
    add_ons = {source_id for _, _, kind, source_id, *_ in lines if kind == InvoiceLine.Kind.ADD_ON and source_id}
    plans = dict(AddOn.objects.filter(pk__in=add_ons).values_list("pk", "plan__code"))
    sources: dict[int, dict[int, LineSource]] = {}
    for invoice_id, position, kind, source_id, owner_id, owner, payer_id in lines:
        sub_organization = (owner_id, owner) if owner_id != payer_id else None
        plan = plans.get(source_id) if kind == InvoiceLine.Kind.ADD_ON else None
        sources.setdefault(invoice_id, {})[position] = LineSource(sub_organization, plan)
    return dict(sources)
