"""The second section in words: how credits evolved, and why the subtotal is what it is."""

from django.utils.translation import gettext as _

from billing import formatting
from billing.documents import _figures as figures
from billing.documents.printed import Reading, Statement, StatementRow, Total
from billing.domain.documents import Document
from billing.domain.statement import CreditStatement
from billing.queries.statement_words import Row, statement_rows


def print_statement(document: Document) -> Statement | None:
    """Word the statement of an invoice; a credit note has none."""
    statement = document.statement
    if statement is None:
        return None
    rows = statement_rows(statement, fees_cents=document.fees_cents, month=document.consumption_month)
    introduction = _(
        "Prepaid credits pay for what you consume. This is how your credits evolved in %(month)s, and why this "
        "invoice refills them."
    )
    return Statement(
        heading=_("Credit statement"),
        introduction=introduction % {"month": formatting.format_month(document.consumption_month)},
        columns=(_("Line"), _("Credits"), _("Amount")),
        rows=tuple(_row(row) for row in rows),
        readings=(_billed(document, statement), _explained(document, statement)),
    )


def _row(row: Row) -> StatementRow:
    letter = "" if row.letter == "net_use" else row.letter
    return StatementRow(letter, row.label, row.formula, figures.amount(row.cents), row.sentence, row.strong)


def _billed(document: Document, statement: CreditStatement) -> Reading:
    return Reading(
        _("What this invoice bills"),
        (
            Total(_("Credits provision (h)"), figures.amount(statement.refill_cents)),
            Total(_("Regularization"), figures.amount(document.regularization_cents)),
            Total(_("Add-ons, one-shot operations and services"), figures.amount(document.direct_cents)),
            _subtotal(document),
        ),
    )


def _explained(document: Document, statement: CreditStatement) -> Reading:
    return Reading(
        _("What it is made of"),
        (
            Total(_("Fees (consumption U)"), figures.amount(document.fees_cents)),
            Total(_("Used credits (net use)"), figures.amount(statement.net_use_cents)),
            Total(_("Add-ons, one-shot operations and services"), figures.amount(document.direct_cents)),
            _subtotal(document),
        ),
    )


def _subtotal(document: Document) -> Total:
    return Total(_("Subtotal excl. VAT"), figures.amount(document.subtotal_cents), strong=True)
