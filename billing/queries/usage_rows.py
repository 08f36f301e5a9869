"""The usage details of a document as rows of a file."""

from collections.abc import Iterator
from decimal import Decimal

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from billing.domain.quantities import format_micro
from billing.models import Invoice
from organizations.spreadsheets.writing import Cell

ROWS_AT_ONCE = 2_000


def usage_header() -> list[str]:
    """The names of the columns of :func:`usage_rows`."""
    return [
        capfirst(name)
        for name in (
            _("month"),
            _("organization"),
            _("organization identifier"),
            _("resource"),
            _("resource identifier"),
            _("meter"),
            _("zone"),
            _("quantity"),
            _("unit"),
            _("amount excl. VAT"),
            _("currency"),
        )
    ]


def usage_rows(invoice: Invoice) -> Iterator[list[Cell]]:
    """Each usage detail in the order in which it was written, a few thousand at a time; the discount has no meter."""
    columns = (
        "month",
        "organization__name",
        "organization__external_id",
        "resource_name",
        "resource__external_id",
        "meter__name",
        "zone",
        "quantity_micro",
        "meter__unit",
        "amount_cents",
    )
    rows = invoice.usage_details.order_by("id").values_list(*columns)
    for *names, quantity_micro, unit, amount_cents in rows.iterator(chunk_size=ROWS_AT_ONCE):
        if unit is None:  # the discount
            names[3], names[5] = _("Discount on consumption"), ""
        quantity = None if quantity_micro is None else Decimal(format_micro(quantity_micro))
        yield [*names, quantity, unit or "", Decimal(amount_cents).scaleb(-2), invoice.currency]
