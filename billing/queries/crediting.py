"""What is left to credit of an issued invoice: its lines and VAT rates, less what issued credit notes took of them."""

from collections.abc import Mapping

from django.db.models import QuerySet, Sum
from msgspec import Struct

from billing.domain.crediting import CreditableLine, CreditableRate, Rate
from billing.domain.lifecycle import DocumentState
from billing.models import CreditGrant, Invoice, InvoiceLine, TaxSubtotal


class Creditable(Struct, frozen=True):
    """An invoice as credit notes see it: in printed order, with the stored line of each id."""

    rows: Mapping[int, InvoiceLine]
    lines: tuple[CreditableLine, ...]
    rates: tuple[CreditableRate, ...]


def load_creditable(invoice_id: int) -> Creditable:
    """Load an issued invoice with what issued credit notes took of it, in four queries."""
    taken = _taken_of_lines(invoice_id)
    rows = list(InvoiceLine.objects.filter(invoice=invoice_id).order_by("position", "id"))
    lines = [CreditableLine(row.pk, row.net_cents, _rate(row), taken.get(row.pk, 0)) for row in rows]
    return Creditable({row.pk: row for row in rows}, tuple(lines), _rates(invoice_id))


def issued_credit_notes(invoice_id: int) -> QuerySet[Invoice]:
    """The credit notes that took something back of an invoice; a draft has not, yet."""
    return Invoice.objects.filter(
        refers_to=invoice_id, kind=Invoice.Kind.CREDIT_NOTE, document_state=DocumentState.ISSUED.value
    )


def draft_credit_note(invoice_id: int) -> Invoice | None:
    """The credit note that is being prepared for an invoice: there is one at a time."""
    return Invoice.objects.filter(
        refers_to=invoice_id, kind=Invoice.Kind.CREDIT_NOTE, document_state=DocumentState.DRAFT.value
    ).first()


def load_uncredited_provision(invoice_id: int) -> tuple[int, int]:
    """What of the credits that an invoice sold can be taken back, and what is used, in cents.

    Pending credits and what is unused of active ones; credits that paid consumption stay sold.
    """
    grant = CreditGrant.objects.filter(sold_by=invoice_id).first()
    if grant is None:
        return 0, 0
    left_cents = grant.pending_cents + grant.remaining_cents
    lines = InvoiceLine.objects.filter(
        invoice__in=issued_credit_notes(invoice_id), kind=InvoiceLine.Kind.PROVISION
    ).aggregate(cents=Sum("net_cents", default=0))
    return left_cents, grant.amount_cents - left_cents - int(lines["cents"])


def _taken_of_lines(invoice_id: int) -> dict[int, int]:
    lines = InvoiceLine.objects.filter(invoice__in=issued_credit_notes(invoice_id), credited_line_id__isnull=False)
    sums = lines.order_by().values_list("credited_line_id").annotate(cents=Sum("net_cents"))
    return {line_id: cents for line_id, cents in sums if line_id is not None}


def _rates(invoice_id: int) -> tuple[CreditableRate, ...]:
    taken = TaxSubtotal.objects.filter(invoice__in=issued_credit_notes(invoice_id)).order_by()
    sums = {
        (category, rate_bp): (base_cents, vat_cents)
        for category, rate_bp, base_cents, vat_cents in taken.values_list("category", "rate_bp").annotate(
            Sum("base_cents"), Sum("vat_cents")
        )
    }
    rows = TaxSubtotal.objects.filter(invoice=invoice_id).order_by("category", "rate_bp")
    return tuple(
        CreditableRate(
            (row.category, row.rate_bp),  # type: ignore[arg-type]  # stored as text
            row.base_cents,
            row.vat_cents,
            *sums.get((row.category, row.rate_bp), (0, 0)),
        )
        for row in rows
    )


def _rate(row: InvoiceLine) -> Rate:
    return row.vat_category, row.vat_rate_bp  # type: ignore[return-value]  # stored as text
