"""The first section in words: what is billed, the VAT on it, and how to pay."""

from django.utils.translation import gettext as _
from stdnum import iban

from billing.documents import _figures as figures
from billing.documents.printed import Field, Lines, Payment, PrintedLine, TaxRow
from billing.documents.transfer_code import transfer_code
from billing.domain.documents import Document, DocumentLine
from billing.domain.taxation import TaxSubtotal
from billing.queries.wording import line_description

_NAMED_BY_PERIOD = ("provision", "regularization", "add_on")


def print_lines(document: Document) -> Lines:
    """Word the lines in the order in which they were written."""
    return Lines(
        heading=_("Summary"),
        columns=(_("Description"), _("Quantity"), _("Unit price"), _("VAT"), _("Net amount")),
        rows=tuple(_line(line) for line in document.lines),
        empty=_("Nothing is billed: credits cover everything.") if document.kind == "invoice" else "",
    )


def print_taxes(document: Document) -> tuple[TaxRow, ...]:
    """Word the VAT of each category and rate."""
    return tuple(
        TaxRow(_tax_label(tax), figures.amount(tax.base_cents), figures.amount(tax.vat_cents)) for tax in document.taxes
    )


def print_payment(document: Document) -> Payment | None:
    """Say how to pay an issued invoice, or that there is nothing to pay; a draft and a credit note ask for nothing."""
    if document.kind != "invoice" or document.number is None:
        return None
    heading = _("How to pay")
    if document.total_cents <= 0:
        return Payment(heading, _("There is nothing to pay: this invoice is settled."), (), "", "")
    money = figures.money(document.total_cents, document.currency)
    sentence = _("Please pay %(amount)s.") % {"amount": money}
    if document.due_date is not None:
        sentence = _("Please pay %(amount)s by %(day)s.") % {"amount": money, "day": figures.day(document.due_date)}
    code = transfer_code(document)
    label = _("Scan this code with your bank's app to fill in the transfer.") if code else ""
    return Payment(heading, sentence, _bank_fields(document, document.number), code, label)


def _line(line: DocumentLine) -> PrintedLine:
    return PrintedLine(
        kind=line.kind,
        description=line_description(line),
        detail=" · ".join(part for part in (_days(line), line.organization_name) if part),
        quantity=figures.quantity(line.quantity_micro),
        unit_price=figures.unit_amount(line.unit_price_micro),
        vat=figures.rate(line.rate_bp) if line.category == "S" else _exempt_rate(line),
        net=figures.amount(line.net_cents),
    )


def _days(line: DocumentLine) -> str:
    """Say a line's days (BG-26), unless its description names its month or days already."""
    if line.kind in _NAMED_BY_PERIOD:
        return ""
    return figures.period(line.period_start, line.period_end)


def _exempt_rate(line: DocumentLine) -> str:
    return figures.rate(0) if line.category == "AE" else "–"


def _tax_label(tax: TaxSubtotal) -> str:
    match tax.category:
        case "AE":
            return _("Reverse charge: VAT is due by the customer")
        case "O":
            return _("Outside the scope of VAT")
        case _:
            return _("VAT %(rate)s") % {"rate": figures.rate(tax.rate_bp)}


def _bank_fields(document: Document, number: str) -> tuple[Field, ...]:
    seller = document.seller
    if not seller.iban:
        return (Field(_("Payment reference"), number),)
    fields = (
        (_("Beneficiary"), seller.name),
        (_("IBAN"), iban.format(iban.compact(seller.iban)).replace(" ", figures.NO_BREAK_SPACE)),
        (_("BIC"), seller.bic),
        (_("Payment reference"), number),
    )
    return tuple(Field(label, value) for label, value in fields if value)
