"""Invoices and credit notes as `domain.documents.Document`: read once for all that show or file them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import msgspec
from msgspec import structs

from billing.domain.adjustments import DUE_DATE, NOTE, PURCHASE_ORDER
from billing.domain.documents import (
    Buyer,
    Document,
    DocumentLine,
    Language,
    Reference,
    Seller,
)
from billing.domain.legal import mention_codes
from billing.domain.lifecycle import DocumentState
from billing.domain.taxation import TaxSubtotal
from billing.models import Adjustment, CreditStatement, Invoice, InvoiceLine, SellerLogo
from billing.models import TaxSubtotal as TaxRow
from billing.queries.among import among
from billing.queries.document_usage import Detail, Names, group_usage, load_details
from billing.queries.invoice_pages import statement_of
from billing.queries.legal_texts import LegalTexts
from billing.queries.months import month_of
from billing.queries.parties import Snapshot, buyer_snapshots, credited_buyer, seller_snapshot
from billing.queries.printed import Printed, printed_of


class _Given(NamedTuple):
    """What staff gave for a draft by hand: issuing writes it on the document."""

    due_date: date | None = None
    purchase_order: str | None = None
    note: str = ""


def load_document(invoice_id: int, *, day: date | None = None, language: Language | None = None) -> Document:
    """Load one document; raises KeyError when there is none."""
    return load_documents([invoice_id], day=day, language=language)[invoice_id]


def load_documents(
    invoice_ids: Collection[int], *, day: date | None = None, language: Language | None = None
) -> dict[int, Document]:
    """Load documents, drafts or issued, by id, in a number of queries that depends on nothing.

    Parties, names and the exchange rate are the copies of what is issued; a draft has those of today. A line's VAT is
    that frozen on it. Legal texts are those of the issue date; for a draft those of `day`, by default the first day on
    which it could be issued. Texts are in the language of the buyer, unless told otherwise.
    """
    rows = list(
        Invoice.objects.filter(among("id", invoice_ids)).select_related(
            "organization", "legal_entity", "refers_to", "statement"
        )
    )
    days = {row.pk: row.issue_date or day or month_of(row.consumption_month).next.first_day for row in rows}
    printed, logos = printed_of(rows, days), _load_logos(rows)
    lines, taxes, details = _load_lines(rows), _load_taxes(rows), load_details(printed)
    drafts = [row for row in rows if row.document_state == DocumentState.DRAFT]
    given, buyers = _load_given(drafts), buyer_snapshots({row.organization_id for row in drafts})
    documents = {
        row.pk: _document(
            row,
            given.get(row.pk, _Given(row.due_date, None, row.note)),
            msgspec.convert(row.buyer or _draft_buyer(row, buyers[row.organization_id]), Buyer),
            [_line(line, row.organization_id, printed[row.pk].organizations) for line in lines.get(row.pk, ())],
            taxes.get(row.pk, []),
            details.get(row.pk, []),
            printed[row.pk],
            logos.get(row.legal_entity_id, ""),
        )
        for row in rows
    }
    return _with_mentions(documents, days, language)


def _with_mentions(
    documents: Mapping[int, Document], days: Mapping[int, date], language: Language | None
) -> dict[int, Document]:
    """Add the legal texts of the day: issued documents keep theirs, as no text is changed or comes before them."""
    texts = LegalTexts()
    return {
        id_: structs.replace(
            document,
            mentions=texts.mentions(
                _mention_codes(document), language=language or document.buyer.language, day=days[id_]
            ),
        )
        for id_, document in documents.items()
    }


def _mention_codes(document: Document) -> tuple[str, ...]:
    return mention_codes(
        [tax.category for tax in document.taxes],
        country=document.buyer.country,
        postcode=document.buyer.postcode,
        vat_on_debits=document.seller.vat_on_debits,
    )


def _document(
    row: Invoice,
    given: _Given,
    buyer: Buyer,
    lines: Sequence[DocumentLine],
    taxes: Sequence[TaxSubtotal],
    details: Sequence[Detail],
    printed: Printed,
    logo: str,
) -> Document:
    statement: CreditStatement | None = getattr(row, "statement", None)
    return Document(
        id=row.pk,
        kind="credit_note" if row.kind == Invoice.Kind.CREDIT_NOTE else "invoice",
        number=row.number,
        consumption_month=row.consumption_month,
        provision_month=month_of(row.consumption_month).next.first_day,
        currency=row.currency,
        issue_date=row.issue_date,
        due_date=given.due_date,
        exchange=printed.exchange,
        seller=structs.replace(msgspec.convert(row.seller or seller_snapshot(row.legal_entity), Seller), logo=logo),
        buyer=buyer if given.purchase_order is None else structs.replace(buyer, purchase_order=given.purchase_order),
        note=given.note,
        refers_to=_reference(row.refers_to),
        lines=tuple(lines),
        taxes=tuple(taxes),
        subtotal_cents=row.subtotal_cents,
        vat_cents=row.vat_cents,
        total_cents=row.total_cents,
        statement=None if statement is None else statement_of(statement),
        fees_cents=0 if statement is None else statement.fees_cents,
        regularization_cents=0 if statement is None else statement.regularization_cents,
        direct_cents=row.subtotal_cents if statement is None else statement.direct_cents,
        usage=group_usage(
            [detail for detail in details if detail.line.meter_code], printed.organizations, row.organization_id
        ),
        usage_discount_cents=sum(detail.line.amount_cents for detail in details if not detail.line.meter_code),
    )


def _draft_buyer(row: Invoice, today: Snapshot) -> Snapshot:
    return credited_buyer(row.refers_to, today) if row.refers_to else today


def _reference(invoice: Invoice | None) -> Reference | None:
    if invoice is None or invoice.number is None or invoice.issue_date is None:
        return None
    return Reference(invoice.number, invoice.issue_date)


def _line(line: InvoiceLine, payer_id: int, names: Names) -> DocumentLine:
    return DocumentLine(
        position=line.position,
        kind=line.kind,  # type: ignore[arg-type]  # the column's choices are the kinds
        name=line.name,
        organization_name="" if line.organization_id == payer_id else names[line.organization_id][1],
        period_start=line.period_start,
        period_end=line.period_end,
        quantity_micro=line.quantity_micro,
        unit_price_micro=line.unit_price_micro,
        net_cents=line.net_cents,
        category=line.vat_category,  # type: ignore[arg-type]  # written by the domain
        rate_bp=line.vat_rate_bp,
    )


def _load_logos(rows: Sequence[Invoice]) -> dict[int, str]:
    found = SellerLogo.objects.filter(legal_entity__in={row.legal_entity_id for row in rows})
    return dict(found.values_list("legal_entity_id", "svg"))


def _load_lines(rows: Sequence[Invoice]) -> dict[int, list[InvoiceLine]]:
    lines: dict[int, list[InvoiceLine]] = {}
    found = InvoiceLine.objects.filter(among("invoice", [row.pk for row in rows]))
    for line in found.order_by("invoice_id", "position", "id"):
        lines.setdefault(line.invoice_id, []).append(line)
    return lines


def _load_taxes(rows: Sequence[Invoice]) -> dict[int, list[TaxSubtotal]]:
    taxes: dict[int, list[TaxSubtotal]] = {}
    found = TaxRow.objects.filter(among("invoice", [row.pk for row in rows])).order_by("category", "rate_bp")
    for row in found:
        subtotal = TaxSubtotal(row.category, row.rate_bp, row.base_cents, row.vat_cents)  # type: ignore[arg-type]
        taxes.setdefault(row.invoice_id, []).append(subtotal)
    return taxes


def _load_given(drafts: Sequence[Invoice]) -> dict[int, _Given]:
    """What issuing would write of the adjustments on invoices that are drafts; the last of a kind counts."""
    invoices = {(row.organization_id, row.consumption_month): row.pk for row in drafts if row.kind == "invoice"}
    rows = Adjustment.objects.filter(
        among("organization", {organization_id for organization_id, _ in invoices}),
        month__in={month for _, month in invoices},
        kind__in=(DUE_DATE, PURCHASE_ORDER, NOTE),
        undone_at__isnull=True,
    )
    given = dict.fromkeys(invoices.values(), _Given())
    for organization_id, month, kind, day, text in rows.order_by("id").values_list(
        "organization_id", "month", "kind", "day", "text"
    ):
        if invoice_id := invoices.get((organization_id, month)):
            values: dict[str, Any] = {kind: day if kind == DUE_DATE else text}
            given[invoice_id] = given[invoice_id]._replace(**values)
    return given
