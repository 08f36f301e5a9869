"""Lines, discounts and totals in business terms (BG-20, BG-22, BG-23, BG-25)."""

from datetime import timedelta

from django.utils.translation import gettext as _

from billing.documents.e_invoice._text import clean, percent
from billing.documents.e_invoice.terms import Allowance, Line, Period, Subtotal, Tax, Totals
from billing.domain import legal
from billing.domain.documents import Document, DocumentLine
from billing.domain.money import MICRO_PER_CENT, charge_cents, euro_cents, format_cents
from billing.domain.quantities import MICRO, format_micro
from billing.domain.taxation import Category, TaxSubtotal
from billing.queries.wording import line_description

EURO = "EUR"
DISCOUNT = "95"
"""Code of UNTDID 5189 (BT-98)."""

EXEMPTION_REASONS = {"AE": "VATEX-EU-AE", "O": "VATEX-EU-O"}
_FINEST_QUANTITY_MICRO = 100
"""The French rules allow four decimals (BR-FR-DEC-02); a line of ours has up to six."""


def invoice_lines(document: Document) -> tuple[Line, ...]:
    """All lines but the discounts; one of 0.00 where nothing is left, for there has to be one (BR-16)."""
    lines = [_line(line) for line in document.lines if not _is_allowance(line)]
    return tuple(lines) or tuple(_empty_line(document, number, tax) for number, tax in enumerate(document.taxes, 1))


def allowances(document: Document) -> tuple[Allowance, ...]:
    """The discounts, each in its VAT group."""
    return tuple(
        Allowance(
            format_cents(-line.net_cents), _tax(line.category, line.rate_bp), clean(line_description(line)), DISCOUNT
        )
        for line in document.lines
        if _is_allowance(line)
    )


def subtotals(document: Document) -> tuple[Subtotal, ...]:
    """Base and VAT of each group, and why there is no VAT."""
    return tuple(_subtotal(document, tax) for tax in document.taxes)


def totals(document: Document) -> Totals:
    """The totals; VAT in euros too when the document is in another currency (BT-111), if the rate is known."""
    allowance_cents = -sum(line.net_cents for line in document.lines if _is_allowance(line))
    return Totals(
        lines=format_cents(document.subtotal_cents + allowance_cents),
        allowances=format_cents(allowance_cents) if allowance_cents else "",
        net=format_cents(document.subtotal_cents),
        vat=format_cents(document.vat_cents),
        vat_accounting=_vat_in_euros(document),
        gross=format_cents(document.total_cents),
        due=format_cents(document.total_cents),
    )


def billed_period(document: Document) -> Period:
    """From the first day of any line to the last of any (BT-73, BT-74)."""
    periods = [_period(line) for line in document.lines]
    if not periods:
        return Period(document.consumption_month, document.provision_month - timedelta(days=1))
    return Period(min(period.first for period in periods), max(period.last for period in periods))


def _is_allowance(line: DocumentLine) -> bool:
    return line.kind == "discount" and line.net_cents < 0


def _line(line: DocumentLine) -> Line:
    quantity, unit_price, detail = _quantity_and_price(line)
    return Line(
        id=str(line.position),
        name=clean(line_description(line)) or "-",
        description=clean(" · ".join(text for text in (line.organization_name, detail) if text)),
        quantity=quantity,
        unit_price=unit_price,
        net=format_cents(line.net_cents),
        tax=_tax(line.category, line.rate_bp),
        period=_period(line),
    )


def _quantity_and_price(line: DocumentLine) -> tuple[str, str, str]:
    """Quantity and price as the rules want them: the price is never negative (BR-27), the quantity has the sign.

    Where they would not give the net amount, or have more decimals than the rules allow, the line is one piece at its
    net amount, and the description says what it is the product of.
    """
    quantity, price = line.quantity_micro, line.unit_price_micro
    if price < 0:
        quantity, price = -quantity, -price
    if quantity % _FINEST_QUANTITY_MICRO == 0 and charge_cents(quantity, price) == line.net_cents:
        return format_micro(quantity), format_micro(price), ""
    sign = -1 if line.net_cents < 0 else 1
    product = f"{format_micro(line.quantity_micro)} × {format_micro(line.unit_price_micro)}"
    return format_micro(sign * MICRO), format_micro(abs(line.net_cents) * MICRO_PER_CENT), product


def _empty_line(document: Document, number: int, tax: TaxSubtotal) -> Line:
    return Line(
        id=str(number),
        name=clean(_("Nothing to bill")),
        quantity="1",
        unit_price="0",
        net=format_cents(tax.base_cents),
        tax=_tax(tax.category, tax.rate_bp),
        period=billed_period(document),
    )


def _period(line: DocumentLine) -> Period:
    last = line.period_end - timedelta(days=1)
    return Period(line.period_start, max(line.period_start, last))


def _tax(category: Category, rate_bp: int) -> Tax:
    return Tax(category, None if category == "O" else percent(rate_bp))


def _subtotal(document: Document, tax: TaxSubtotal) -> Subtotal:
    codes = {"AE": (legal.REVERSE_CHARGE,), "O": (legal.OUTSIDE_EU, legal.OVERSEAS)}.get(tax.category, ())
    reasons = [mention.text for mention in document.mentions if mention.code in codes]
    return Subtotal(
        tax=_tax(tax.category, tax.rate_bp),
        base=format_cents(tax.base_cents),
        vat=format_cents(tax.vat_cents),
        reason=clean(" ".join(reasons)),
        reason_code=EXEMPTION_REASONS.get(tax.category, ""),
    )


def _vat_in_euros(document: Document) -> str:
    if document.currency == EURO:
        return ""
    if not document.vat_cents:
        return format_cents(0)
    if document.exchange is None or document.exchange.per_euro_micro <= 0:
        return ""
    return format_cents(euro_cents(document.vat_cents, document.exchange.per_euro_micro))
