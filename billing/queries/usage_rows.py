"""The usage details of a document as rows of a file."""

from collections.abc import Iterator
from decimal import Decimal

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from billing.domain.quantities import format_micro
from billing.models import Invoice
from billing.queries.printed import printed_of
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
        "organization_id",
        "resource_name",
        "resource__external_id",
        "meter__code",
        "zone",
        "quantity_micro",
        "meter__unit",
        "amount_cents",
    )
    printed = printed_of([invoice], {invoice.pk: invoice.issue_date or invoice.consumption_month})[invoice.pk]
    rows = invoice.usage_details.order_by("id").values_list(*columns)
    for month, organization_id, resource, resource_id, code, zone, quantity_micro, unit, amount_cents in rows.iterator(
        chunk_size=ROWS_AT_ONCE
    ):
        identifier, name = printed.organizations[organization_id]
        if code is None:
            resource = _("Discount on consumption")
        meter = printed.meters[code] if code else ""
        quantity = None if quantity_micro is None else Decimal(format_micro(quantity_micro))
        amount = Decimal(amount_cents).scaleb(-2)
        yield [
            *(month, name, identifier, resource, resource_id, meter, zone),
            *(quantity, unit or "", amount, invoice.currency),
        ]
