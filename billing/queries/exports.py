"""The invoices of a month as finance's scripts read them: one record per document, amounts as decimal strings."""

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import batched

from django.db import connection
from django.db.models import BooleanField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet
from django.db.models.functions import Collate
from django.utils.translation import override
from msgspec import Struct

from billing.domain.lifecycle import DocumentState
from billing.domain.money import format_cents
from billing.domain.periods import Month
from billing.domain.quantities import format_micro
from billing.domain.statement import CreditStatement as Statement
from billing.models import CloseOutcome, CreditStatement, Invoice, InvoiceLine, TaxSubtotal, UsageDetail
from billing.queries.invoices import due_cents
from billing.queries.months import local_day
from billing.queries.wording import line_description

DOCUMENTS_PER_BATCH = 1_000
LANGUAGE = "en"
CODE_POINT_ORDER = {"postgresql": "C", "sqlite": "BINARY"}


class ExportedLine(Struct):
    """A printed line; `period_end` is the first day after the period."""

    kind: str
    description: str
    period_start: date
    period_end: date
    quantity: str
    unit_price: str
    net_amount: str
    vat_category: str
    vat_rate: str


class ExportedUsage(Struct):
    """A printed usage line, or the discount on consumption: meter `discount`, without resource, zone and quantity."""

    organization: str
    resource: str | None
    meter: str
    zone: str | None
    month: str
    quantity: str | None
    unit: str | None
    amount: str
    price_valid_from: date | None


class ExportedTax(Struct):
    """Base and VAT of one category and rate."""

    category: str
    rate: str
    base: str
    vat: str


class ExportedDocument(Struct):
    """An invoice or a credit note, with its fields in the order of the interface; a credit note has no statement."""

    type: str
    organization: str
    number: str | None
    refers_to: str | None
    status: str
    consumption_month: str
    currency: str
    issue_date: date | None
    due_date: date | None
    lines: list[ExportedLine]
    statement: dict[str, str] | None
    fees: str
    regularization: str
    usage: list[ExportedUsage]
    tax: list[ExportedTax]
    subtotal: str
    vat: str
    total: str
    amount_due: str


def export_documents(month: Month) -> Iterator[ExportedDocument]:
    """The drafts and issued documents of a consumption month, by organization id in the order of code points.

    Drafts that the last close did not confirm (the organization is blocked meanwhile) are left out. Four queries per
    thousand documents; descriptions are in English. For one coherent picture, read inside `read_snapshot`.
    """
    documents = exported_documents().filter(consumption_month=month.first_day)
    ordered = documents.order_by(
        Collate("organization__external_id", CODE_POINT_ORDER[connection.vendor]),
        F("kind").desc(),  # an invoice before its credit notes
        F("counter").asc(nulls_last=True),
        "id",
    )
    for batch in batched(list(ordered.values_list("id", flat=True)), DOCUMENTS_PER_BATCH, strict=False):
        yield from load_exported(batch)


def exported_documents() -> QuerySet[Invoice]:
    """The drafts and issued documents that are exported, of all months, in no order."""
    confirmed = CloseOutcome.objects.filter(invoice=OuterRef("pk"), kind=CloseOutcome.Kind.INVOICE)
    is_draft = Q(document_state=DocumentState.DRAFT.value)
    return Invoice.objects.filter(
        Q(document_state=DocumentState.ISSUED.value)
        | (is_draft & Q(kind=Invoice.Kind.CREDIT_NOTE))
        | (is_draft & Exists(confirmed))
    ).order_by()


def load_exported(ids: Sequence[int]) -> list[ExportedDocument]:
    """Load documents by key, in that order, in four queries."""
    documents = Invoice.objects.select_related("organization", "refers_to", "statement").in_bulk(ids)
    with override(LANGUAGE):
        lines = _load_lines(ids)
    usage = _load_usage(ids)
    taxes = _load_taxes(ids)
    return [_document(documents[id_], lines.get(id_, []), usage.get(id_, []), taxes.get(id_, [])) for id_ in ids]


def _document(
    row: Invoice, lines: list[ExportedLine], usage: list[ExportedUsage], taxes: list[ExportedTax]
) -> ExportedDocument:
    statement: CreditStatement | None = getattr(row, "statement", None)
    return ExportedDocument(
        type=row.kind,
        organization=row.organization.external_id,
        number=row.number,
        refers_to=row.refers_to.number if row.refers_to else None,
        status=row.document_state if row.document_state == DocumentState.DRAFT else row.payment_state,
        consumption_month=f"{row.consumption_month:%Y-%m}",
        currency=row.currency,
        issue_date=row.issue_date,
        due_date=row.due_date,
        lines=lines,
        statement=_letters(statement) if statement else None,
        fees=format_cents(statement.fees_cents if statement else 0),
        regularization=format_cents(statement.regularization_cents if statement else 0),
        usage=usage,
        tax=taxes,
        subtotal=format_cents(row.subtotal_cents),
        vat=format_cents(row.vat_cents),
        total=format_cents(row.total_cents),
        amount_due=format_cents(due_cents(row)),
    )


def _letters(row: CreditStatement) -> dict[str, str]:
    statement = Statement(**{name: getattr(row, name) for name in Statement.__struct_fields__})
    return {letter: format_cents(cents) for letter, cents in statement.as_letters().items()}


def _load_lines(ids: Sequence[int]) -> dict[int, list[ExportedLine]]:
    lines: dict[int, list[ExportedLine]] = {}
    for row in InvoiceLine.objects.filter(invoice__in=ids).order_by("invoice", "position", "id"):
        line = ExportedLine(
            kind=row.kind,
            description=line_description(row),
            period_start=row.period_start,
            period_end=row.period_end,
            quantity=format_micro(row.quantity_micro),
            unit_price=_unit_price(row.unit_price_micro),
            net_amount=format_cents(row.net_cents),
            vat_category=row.vat_category,
            vat_rate=_percent(row.vat_rate_bp),
        )
        lines.setdefault(row.invoice_id, []).append(line)
    return lines


def _load_usage(ids: Sequence[int]) -> dict[int, list[ExportedUsage]]:
    usage: dict[int, list[ExportedUsage]] = {}
    rows = UsageDetail.objects.filter(invoice__in=ids).order_by("invoice", _IS_DISCOUNT.asc(), "id")
    for invoice_id, organization, resource, meter, zone, month, micro, unit, cents, valid_from in rows.values_list(
        *_USAGE_COLUMNS
    ).iterator():
        is_discount = meter is None
        entry = ExportedUsage(
            organization=organization,
            resource=resource,
            meter="discount" if is_discount else meter,
            zone=zone or None,
            month=f"{month:%Y-%m}",
            quantity=None if micro is None else format_micro(micro),
            unit=unit,
            amount=format_cents(cents),
            price_valid_from=local_day(valid_from) if valid_from else None,
        )
        usage.setdefault(invoice_id, []).append(entry)
    return usage


_IS_DISCOUNT = ExpressionWrapper(Q(meter__isnull=True), output_field=BooleanField())
_USAGE_COLUMNS = (
    "invoice_id",
    "organization__external_id",
    "resource__external_id",
    "meter__code",
    "zone",
    "month",
    "quantity_micro",
    "meter__unit",
    "amount_cents",
    "price__valid_from",
)


def _load_taxes(ids: Sequence[int]) -> dict[int, list[ExportedTax]]:
    taxes: dict[int, list[ExportedTax]] = {}
    for row in TaxSubtotal.objects.filter(invoice__in=ids).order_by("invoice", "category", "rate_bp"):
        tax = ExportedTax(
            row.category, _percent(row.rate_bp), format_cents(row.base_cents), format_cents(row.vat_cents)
        )
        taxes.setdefault(row.invoice_id, []).append(tax)
    return taxes


def _unit_price(micro: int) -> str:
    """A price in millionths with all its decimals, at least two: "682.43", "0.001234"."""
    units, _, decimals = format_micro(micro).partition(".")
    return f"{units}.{decimals:0<2}"


def _percent(rate_bp: int) -> str:
    """Hundredths of a percent with two decimals: "20.00"."""
    return format_cents(rate_bp)
