"""Finding invoices."""

from django.db.models import Q, QuerySet

from billing.domain.lifecycle import DocumentState, PaymentState
from billing.models import Invoice, LegalEntity

# PostgreSQL's integer; a longer number is not a counter.
MAX_COUNTER = 2**31 - 1
NOTHING_LEFT = frozenset({PaymentState.PAID, PaymentState.CANCELED, PaymentState.REFUNDED, PaymentState.WONT_PAY})


def due_cents(invoice: Invoice) -> int:
    """What is left to pay of an invoice; nothing of one that is settled, cancelled or written off."""
    return 0 if invoice.payment_state in NOTHING_LEFT else invoice.total_cents - invoice.paid_cents


def find_by_number(invoices: QuerySet[Invoice], term: str) -> QuerySet[Invoice] | None:
    """Return the invoices that have a number or counter, None when there is none; both are indexed per legal entity."""
    is_it = Q(number__in=(term, term.upper()))
    if term.isascii() and term.isdecimal() and int(term) <= MAX_COUNTER:
        is_it |= Q(counter=int(term), kind__in=Invoice.Kind.values)
    found = invoices.filter(is_it, legal_entity__in=list(LegalEntity.objects.values_list("pk", flat=True)))
    return found if found.exists() else None


def live_invoice(discarded: Invoice) -> Invoice | None:
    """The draft or issued invoice of the same organization and month that came after a discarded draft."""
    later = Invoice.objects.filter(
        organization=discarded.organization_id,
        consumption_month=discarded.consumption_month,
        kind=Invoice.Kind.INVOICE,
        pk__gt=discarded.pk,
    )
    return later.exclude(document_state=DocumentState.DISCARDED).order_by("-pk").first()
