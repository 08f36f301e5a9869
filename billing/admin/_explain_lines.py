"""How a printed line, the VAT and the totals came about."""

from django.utils.translation import gettext as _

from billing import formatting
from billing.admin._explanation import Explanation, Step
from billing.models import Adjustment, CreditStatement, Invoice, InvoiceLine, TaxSubtotal
from billing.queries.explanations import discount_base_cents, load_lines, load_statement
from billing.queries.months import month_of
from billing.queries.wording import line_description

Kind = InvoiceLine.Kind


def explain_line(line: InvoiceLine) -> Explanation:
    """Explain one printed line."""
    match line.kind:
        case Kind.PROVISION | Kind.REGULARIZATION:
            steps = _credits(line)
        case Kind.ADD_ON:
            steps = _add_on(line)
        case Kind.ADJUSTMENT | Kind.DISCOUNT if line.source_id:
            steps = [*_adjustment(line.source_id), *_discounted(line), _product(line)]
        case _:
            steps = [_product(line)]
    return Explanation(line_description(line), line.net_cents, steps)


def _product(line: InvoiceLine) -> Step:
    return Step(
        _("Quantity × unit price, rounded once"),
        formatting.format_amount(line.net_cents),
        f"{formatting.format_number(line.quantity_micro)} × {formatting.format_unit_micro(line.unit_price_micro)}",
    )


def _credits(line: InvoiceLine) -> list[Step]:
    statement = load_statement(line.invoice)
    if statement is None:
        return [_product(line)]
    page = formatting.change_url("billing.invoice", line.invoice_id)
    if line.kind == Kind.PROVISION:
        refill = formatting.format_amount(statement.refill_cents)
        return [Step(_("Line h of the credit statement"), refill, "", f"{page}#statement")]
    return [
        *_regularization(statement, f"{page}#usage"),
        Step(
            _("The part of %(month)s") % {"month": formatting.format_month(line.period_start)},
            formatting.format_amount(line.net_cents),
            _("Credits pay late months first, oldest first."),
        ),
    ]


def _regularization(statement: CreditStatement, usage_url: str) -> list[Step]:
    """From the fees to what no credit covered."""
    amount = formatting.format_amount
    return [
        Step(_("Fees U"), amount(statement.fees_cents), _("The sum of the usage details."), usage_url),
        Step(_("Paid by free credits (c)"), amount(statement.used_free_cents)),
        Step(_("Paid by prepaid credits (e)"), amount(statement.used_prepaid_cents)),
        Step(_("Regularization: what no credit covered"), amount(statement.regularization_cents)),
    ]


def _add_on(line: InvoiceLine) -> list[Step]:
    month = month_of(line.period_start)
    days = (line.period_end - line.period_start).days
    note = _("%(days)s of %(all)s days of %(month)s") % {
        "days": days,
        "all": month.days,
        "month": formatting.format_month(line.period_start),
    }
    price = _("Monthly price on the first day × days / days of the month × quantity, rounded once")
    return [Step(price, formatting.format_amount(line.net_cents), note), _product(line)]


def _adjustment(adjustment_id: int) -> list[Step]:
    adjustment = Adjustment.objects.select_related("author").filter(pk=adjustment_id).first()
    if adjustment is None:
        return []
    figure = "" if adjustment.percent_ppm is None else formatting.format_percent(adjustment.percent_ppm, 1_000_000)
    author = str(adjustment.author) if adjustment.author else ""
    return [Step(_("Added by hand: %(reason)s") % {"reason": adjustment.reason}, figure, author)]


def _discounted(line: InvoiceLine) -> list[Step]:
    """What a discount was taken off."""
    base_cents = discount_base_cents(line) if line.kind == Kind.DISCOUNT else None
    return [] if base_cents is None else [Step(_("Taken off"), formatting.format_amount(base_cents))]


def explain_tax(subtotal: TaxSubtotal) -> Explanation:
    """Explain the VAT of one category and rate."""
    rate = formatting.format_percent(subtotal.rate_bp, 10_000)
    lines = [
        Step(line_description(line), formatting.format_amount(line.net_cents))
        for line in load_lines(subtotal.invoice)
        if (line.vat_category, line.vat_rate_bp) == (subtotal.category, subtotal.rate_bp)
    ]
    base = Step(_("Base: the sum of these lines"), formatting.format_amount(subtotal.base_cents))
    result = Step(
        _("Base × rate, rounded once, half away from zero"), formatting.format_amount(subtotal.vat_cents), f"× {rate}"
    )
    return Explanation(_("VAT %(rate)s") % {"rate": rate}, subtotal.vat_cents, [*lines, base, result])


def explain_subtotal(invoice: Invoice) -> Explanation:
    """The subtotal is the sum of the lines."""
    steps = [Step(line_description(line), formatting.format_amount(line.net_cents)) for line in load_lines(invoice)]
    return Explanation(_("Subtotal excl. VAT"), invoice.subtotal_cents, steps)


def explain_total(invoice: Invoice) -> Explanation:
    """The total is the subtotal and the VAT of each rate."""
    steps = [Step(_("Subtotal excl. VAT"), formatting.format_amount(invoice.subtotal_cents))]
    for subtotal in invoice.tax_subtotals.order_by("category", "rate_bp"):
        label = _("VAT %(rate)s") % {"rate": formatting.format_percent(subtotal.rate_bp, 10_000)}
        steps.append(Step(label, formatting.format_amount(subtotal.vat_cents)))
    return Explanation(_("Total incl. VAT"), invoice.total_cents, steps)
