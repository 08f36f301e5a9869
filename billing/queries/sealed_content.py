"""The content of issued documents as the hash chain seals it: the same bytes whenever and wherever it is read."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db.models import Model
from msgspec import json

from billing.models import CreditStatement, Invoice, InvoiceLine, TaxSubtotal, UsageDetail
from billing.queries.among import among

type Content = dict[str, Any]

# What is left out: how it is paid, delivered or replaced (`billing.models.guards.MOVABLE`), its hash, its key.
# Columns that come later are added where they are not empty, so that what is sealed already stays what it was.
DOCUMENT = (
    "kind",
    "document_state",
    "legal_entity_id",
    "organization_id",
    "consumption_month",
    "currency",
    "number",
    "counter",
    "issue_date",
    "due_date",
    "refers_to_id",
    "subtotal_cents",
    "vat_cents",
    "total_cents",
    "fingerprint",
    "review_notes",
    "open_findings",
    "hold_reason",
    "note",
    "seller",
    "buyer",
    "created_at",
    "computed_at",
    "issued_at",
)
LATER = ("printed",)
# The rows of each part, in printed order; all their columns but the keys of a row and of its document.
PARTS: Mapping[type[Model], tuple[tuple[str, ...], tuple[str, ...]]] = {
    InvoiceLine: (
        ("position", "id"),
        (
            "position",
            "kind",
            "organization_id",
            "source_id",
            "name",
            "period_start",
            "period_end",
            "quantity_micro",
            "unit_price_micro",
            "net_cents",
            "vat_category",
            "vat_rate_bp",
            "credited_line_id",
        ),
    ),
    CreditStatement: (
        (),
        (
            "free_balance_cents",
            "prepaid_balance_cents",
            "used_free_cents",
            "expired_cents",
            "used_prepaid_cents",
            "estimate_cents",
            "pending_cents",
            "refill_cents",
            "fees_cents",
            "regularization_cents",
            "direct_cents",
            "subtotal_cents",
        ),
    ),
    TaxSubtotal: (("category", "rate_bp"), ("category", "rate_bp", "base_cents", "vat_cents")),
    UsageDetail: (
        ("id",),
        (
            "month",
            "organization_id",
            "resource_id",
            "resource_name",
            "meter_id",
            "zone",
            "price_id",
            "quantity_micro",
            "amount_cents",
        ),
    ),
}


def sealed_contents(invoice_ids: Collection[int]) -> dict[int, bytes]:
    """Each document with all its parts as canonical JSON, by id; five queries however many there are."""
    columns = DOCUMENT + LATER
    rows = Invoice.objects.filter(among("id", invoice_ids)).values_list("id", *columns)
    documents: dict[int, Content] = {id_: _filled(dict(zip(columns, row, strict=True))) for id_, *row in rows}
    parts = [(model._meta.model_name, _rows_by_invoice(model, invoice_ids)) for model in PARTS]
    return {
        id_: json.encode(document | {name: rows.get(id_, ()) for name, rows in parts}, order="deterministic")
        for id_, document in documents.items()
    }


def _filled(values: Content) -> Content:
    return {name: value for name, value in values.items() if name not in LATER or value is not None}


def _rows_by_invoice(model: type[Model], invoice_ids: Collection[int]) -> dict[int, list[Sequence[Any]]]:
    order, columns = PARTS[model]
    rows = model._default_manager.filter(among("invoice", invoice_ids)).order_by("invoice_id", *order)
    by_invoice: dict[int, list[Sequence[Any]]] = defaultdict(list)
    # The document's key comes last: cutting it off a tuple is cheaper than unpacking the rest.
    for row in rows.values_list(*columns, "invoice_id"):
        by_invoice[row[-1]].append(row[:-1])
    return by_invoice
