"""A document as rows: usage, credits, lines, taxes."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Literal, NamedTuple

from msgspec import structs

from billing.domain.documents import Document, DocumentLine
from billing.domain.money import BASIS_POINTS_OF_WHOLE, net_amount_cents, unbilled_decimal, vat_cents
from billing.domain.quantities import format_micro
from billing.domain.taxation import Category
from billing.queries.focus.columns import FocusRow
from billing.queries.focus.usage_rows import usage_rows
from billing.queries.months import midnight, month_of
from billing.queries.wording import line_description

type Rate = tuple[Category, int]

_PURCHASES = {"provision", "add_on", "one_shot", "custom_service"}
_RECURRING = {"provision", "add_on"}
_SERVICE_NAMES = {
    "provision": "Credits",
    "regularization": "Usage",
    "add_on": "Add-ons",
    "one_shot": "One-shot operations",
    "custom_service": "Custom services",
    "adjustment": "Adjustments",
    "discount": "Adjustments",
}


class LineSource(NamedTuple):
    """What a document does not say of its lines: the sub-organization that one is for, and the plan of an add-on."""

    sub_organization: tuple[str, str] | None = None
    plan: str | None = None


type LineSources = Mapping[int, LineSource]
"""By position."""


class _Base(NamedTuple):
    """What a rate taxes: the sums of the rows' costs."""

    list_cost: Decimal = Decimal(0)
    contracted_cost: Decimal = Decimal(0)
    effective_cents: int = 0

    def plus(self, row: FocusRow) -> "_Base":
        return _Base(
            self.list_cost + row.list_cost,
            self.contracted_cost + row.contracted_cost,
            self.effective_cents + row.effective_cost_cents,
        )


def document_rows(document: Document, sources: LineSources) -> Iterator[FocusRow]:
    """The rows of an issued document; `line_description` speaks the language that is active."""
    base = _document_row(document)
    bases: dict[Rate, _Base] = {}
    for rate, row in _charges(document, base, sources):
        bases[rate] = bases.get(rate, _Base()).plus(row)
        yield row
    yield from _tax_rows(document, base, bases)


def _document_row(document: Document) -> FocusRow:
    """What all rows of the document share; a credit note's are corrections."""
    month = month_of(document.consumption_month)
    seller, is_credit_note = document.seller.name, document.kind == "credit_note"
    return FocusRow(
        billing_account_id=document.buyer.organization,
        billing_account_name=document.buyer.organization_name or document.buyer.organization,
        billing_currency=document.currency,
        billing_period_start=month.start,
        billing_period_end=month.end,
        charge_class="Correction" if is_credit_note else None,
        charge_period_start=month.start,
        charge_period_end=month.end,
        invoice_id=document.number or "",
        invoice_issuer_name=seller,
        provider_name=seller,
        publisher_name=seller,
        x_corrected_invoice_id=document.refers_to.number if document.refers_to else None,
    )


def _charges(document: Document, base: FocusRow, sources: LineSources) -> Iterator[tuple[Rate, FocusRow]]:
    """The rows before tax, each with its rate. Usage and credits are taxed as what they bill: the regularization."""
    if document.kind == "invoice":
        rate = _rate_of_usage(document)
        for row in usage_rows(document, base):
            yield rate, row
        for row in _credit_rows(document, base):
            yield rate, row
    for line in document.lines:
        if line.kind != "regularization" or document.kind == "credit_note":
            row = _line_row(document, base, line, sources.get(line.position, LineSource()))
            yield (line.category, line.rate_bp), row


def _rate_of_usage(document: Document) -> Rate:
    taxed = [line for line in document.lines if line.kind in ("regularization", "provision")]
    first = (taxed or document.lines or document.taxes)[0]
    return first.category, first.rate_bp


def _credit_rows(document: Document, base: FocusRow) -> Iterator[FocusRow]:
    """The discount on consumption, and the credits that paid for usage."""
    statement = document.statement
    used_free, used_prepaid = (statement.used_free_cents, statement.used_prepaid_cents) if statement else (0, 0)
    for kind, description, cents, effective_cents in (
        ("usage_discount", "Discount on consumption", document.usage_discount_cents, document.usage_discount_cents),
        ("free_credits", "Used free credits", used_free, used_free),
        ("prepaid_credits", "Used prepaid credits", used_prepaid, 0),
    ):
        if cents:
            yield structs.replace(
                _flat(base, cents),
                effective_cost_cents=effective_cents,
                charge_category="Adjustment" if kind == "usage_discount" else "Credit",
                charge_description=description,
                service_name="Adjustments" if kind == "usage_discount" else "Credits",
                x_charge_kind=kind,
            )


def _line_row(document: Document, base: FocusRow, line: DocumentLine, source: LineSource) -> FocusRow:
    """A printed line; a credit note's are positive as printed, and negative here."""
    is_credit_note, is_purchase = document.kind == "credit_note", line.kind in _PURCHASES
    owner_id, owner_name = source.sub_organization or (None, None)
    row = structs.replace(
        _flat(base, -line.net_cents if is_credit_note else line.net_cents),
        charge_category="Purchase" if is_purchase else "Usage" if line.kind == "regularization" else "Adjustment",
        charge_description=line_description(line),
        charge_frequency=_frequency(line.kind),
        charge_period_start=midnight(line.period_start),
        charge_period_end=midnight(line.period_end),
        service_name=_SERVICE_NAMES[line.kind],
        sub_account_id=owner_id,
        sub_account_name=owner_name,
        x_charge_kind=line.kind,
    )
    if line.kind == "provision":
        row = structs.replace(row, effective_cost_cents=0)
    return _priced(row, line, source.plan or line.kind) if is_purchase and not is_credit_note else row


def _priced(row: FocusRow, line: DocumentLine, sku_id: str) -> FocusRow:
    quantity, unit_price = Decimal(format_micro(line.quantity_micro)), Decimal(format_micro(line.unit_price_micro))
    cost = unbilled_decimal(Fraction(quantity) * Fraction(unit_price))
    return structs.replace(
        row,
        contracted_cost=cost,
        contracted_unit_price=unit_price,
        list_cost=cost,
        list_unit_price=unit_price,
        pricing_category="Standard",
        pricing_quantity=quantity,
        pricing_unit="Units",
        sku_id=sku_id,
        sku_meter=row.service_name,
        sku_price_id=sku_id,
    )


def _frequency(kind: str) -> Literal["One-Time", "Recurring", "Usage-Based"]:
    if kind == "regularization":
        return "Usage-Based"
    return "Recurring" if kind in _RECURRING else "One-Time"


def _tax_rows(document: Document, base: FocusRow, bases: Mapping[Rate, _Base]) -> Iterator[FocusRow]:
    """VAT per category and rate, those of 0.00 too: they say why there is none."""
    for tax in document.taxes:
        cents = -tax.vat_cents if document.kind == "credit_note" else tax.vat_cents
        taxed = bases.get((tax.category, tax.rate_bp), _Base())
        yield structs.replace(
            base,
            billed_cost_cents=cents,
            effective_cost_cents=vat_cents(taxed.effective_cents, tax.rate_bp),
            contracted_cost=_vat_of(taxed.contracted_cost, tax.rate_bp),
            list_cost=_vat_of(taxed.list_cost, tax.rate_bp),
            charge_category="Tax",
            charge_description=f"VAT {format_micro(tax.rate_bp * 10_000)} %, category {tax.category}",
            service_name="Taxes",
            x_charge_kind="vat",
        )


def _vat_of(cost: Decimal, rate_bp: int) -> Decimal:
    cents = net_amount_cents(Fraction(cost) * Fraction(rate_bp, BASIS_POINTS_OF_WHOLE))
    return Decimal(cents).scaleb(-2)


def _flat(base: FocusRow, cents: int) -> FocusRow:
    """A row whose costs are all what is billed."""
    amount = Decimal(cents).scaleb(-2)
    return structs.replace(
        base, billed_cost_cents=cents, effective_cost_cents=cents, contracted_cost=amount, list_cost=amount
    )
