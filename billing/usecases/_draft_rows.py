"""A computed draft as rows of the invoice's tables."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from hashlib import blake2b
from typing import Any

import msgspec
from django.db import connection

from billing.domain.assembly import Draft
from billing.domain.direct_lines import DirectLine
from billing.domain.facts import Facts
from billing.domain.review import Finding, count_open
from billing.models import CreditStatement, Invoice, InvoiceLine, TaxSubtotal, UsageDetail
from billing.queries.among import among
from billing.queries.drafts import PrintedNames
from billing.usecases._bulk import bulk_change, bulk_write

type UsageRow = tuple[date, int, int | None, str, int | None, str, int | None, int | None, int]


class PrintedDraft(msgspec.Struct, frozen=True):
    """A draft in its printed order; the fingerprint tells whether a stored one says the same.

    `open_findings` is what keeps it from being issued until somebody has decided.
    """

    facts: Facts
    draft: Draft
    usage_rows: list[UsageRow]
    findings: tuple[Finding, ...]
    open_findings: int
    fingerprint: str


def print_draft(
    facts: Facts, draft: Draft, names: PrintedNames, findings: tuple[Finding, ...], acknowledged: Collection[str]
) -> PrintedDraft:
    """Put the usage lines in order and under their names, the discount last.

    The fingerprint is that of the computed content and of what the review finds in it, not of what was acknowledged.
    """
    usage_rows: list[UsageRow] = [
        (
            line.month,
            line.organization_id,
            line.resource_id,
            names.resource_name(line.resource_id),
            line.meter_id,
            line.zone,
            line.price_id,
            line.quantity_micro,
            line.amount_cents,
        )
        for line in names.sort(draft.usage, facts.organizations)
    ]
    if draft.discount_cents:
        discount = (facts.month.first_day, facts.payer_id, None, "", None, "", None, None, -draft.discount_cents)
        usage_rows.append(discount)
    # The usage is in its rows already.
    content = msgspec.msgpack.encode(
        (facts.terms.currency, msgspec.structs.replace(draft, usage=()), usage_rows, findings)
    )
    fingerprint = blake2b(content, digest_size=16).hexdigest()
    return PrintedDraft(facts, draft, usage_rows, findings, count_open(findings, acknowledged), fingerprint)


_NEW_DRAFT = (
    "id",
    "kind",
    "document_state",
    "payment_state",
    "legal_entity_id",
    "organization_id",
    "consumption_month",
    "currency",
    "subtotal_cents",
    "vat_cents",
    "total_cents",
    "paid_cents",
    "fingerprint",
    "review_notes",
    "open_findings",
    "created_at",
    "computed_at",
)


def insert_invoices(printed: Sequence[tuple[int, PrintedDraft]], *, legal_entity_id: int, at: datetime) -> None:
    """Insert new drafts under ids that are allocated already."""
    rows = (_new_draft(id_, page, legal_entity_id, at) for id_, page in printed)
    bulk_write(connection, Invoice._meta.db_table, _NEW_DRAFT, rows)


def _new_draft(id_: int, page: PrintedDraft, legal_entity_id: int, at: datetime) -> tuple[Any, ...]:
    facts, draft = page.facts, page.draft
    states = ("invoice", "draft", "pending")
    owner = (legal_entity_id, facts.payer_id, facts.month.first_day, facts.terms.currency)
    amounts = (draft.subtotal_cents, draft.vat_cents, draft.total_cents, 0)
    return (id_, *states, *owner, *amounts, page.fingerprint, _notes(page), page.open_findings, at, at)


def update_invoices(printed: Sequence[tuple[int, PrintedDraft]], *, at: datetime) -> None:
    """Write new totals to drafts that exist, and take away their old parts."""
    if not printed:
        return
    bulk_change(
        connection,
        Invoice._meta.db_table,
        (
            "id",
            "currency",
            "subtotal_cents",
            "vat_cents",
            "total_cents",
            "fingerprint",
            "review_notes",
            "open_findings",
            "computed_at",
        ),
        (
            (
                id_,
                page.facts.terms.currency,
                page.draft.subtotal_cents,
                page.draft.vat_cents,
                page.draft.total_cents,
                page.fingerprint,
                _notes(page),
                page.open_findings,
                at,
            )
            for id_, page in printed
        ),
    )
    ids = [id_ for id_, _ in printed]
    for part in (InvoiceLine, CreditStatement, TaxSubtotal, UsageDetail):
        part._base_manager.filter(among("invoice", ids))._raw_delete(using=connection.alias)


def insert_parts(printed: Sequence[tuple[int, PrintedDraft]]) -> None:
    """Insert lines, statement, tax subtotals and usage details."""
    bulk_write(connection, InvoiceLine._meta.db_table, _LINE_COLUMNS, _line_rows(printed))
    bulk_write(connection, CreditStatement._meta.db_table, _STATEMENT_COLUMNS, _statement_rows(printed))
    bulk_write(
        connection,
        TaxSubtotal._meta.db_table,
        ("invoice_id", "category", "rate_bp", "base_cents", "vat_cents"),
        (
            (id_, tax.category, tax.rate_bp, tax.base_cents, tax.vat_cents)
            for id_, page in printed
            for tax in page.draft.tax_subtotals
        ),
    )
    bulk_write(
        connection,
        UsageDetail._meta.db_table,
        _USAGE_COLUMNS,
        ((id_, *row) for id_, page in printed for row in page.usage_rows),
    )


_LINE_COLUMNS = (
    "invoice_id",
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
)
_STATEMENT_COLUMNS = (
    "invoice_id",
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
)
_USAGE_COLUMNS = (
    "invoice_id",
    "month",
    "organization_id",
    "resource_id",
    "resource_name",
    "meter_id",
    "zone",
    "price_id",
    "quantity_micro",
    "amount_cents",
)


def _line_rows(printed: Sequence[tuple[int, PrintedDraft]]) -> Iterable[tuple[int | str | date | None, ...]]:
    for id_, page in printed:
        payer_id, tax = page.facts.payer_id, page.draft.tax
        for position, line in enumerate(page.draft.lines, start=1):
            yield id_, position, *_line_values(line, payer_id), tax.category, tax.rate_bp


def _line_values(line: DirectLine, payer_id: int) -> tuple[int | str | date | None, ...]:
    return (
        line.kind,
        line.organization_id or payer_id,
        line.source_id,
        line.name,
        line.period_start,
        line.period_end,
        line.quantity_micro,
        line.unit_price_micro,
        line.net_cents,
    )


def _statement_rows(printed: Sequence[tuple[int, PrintedDraft]]) -> Iterable[tuple[int, ...]]:
    for id_, page in printed:
        draft = page.draft
        statement = draft.statement
        yield (
            id_,
            statement.free_balance_cents,
            statement.prepaid_balance_cents,
            statement.used_free_cents,
            statement.expired_cents,
            statement.used_prepaid_cents,
            statement.estimate_cents,
            statement.pending_cents,
            statement.refill_cents,
            draft.fees_cents,
            draft.regularization_cents,
            draft.direct_cents,
            draft.subtotal_cents,
        )


def _notes(page: PrintedDraft) -> str:
    """What a reviewer should know, as codes, severities and values for `queries.reasons`."""
    return msgspec.json.encode(page.findings).decode()
