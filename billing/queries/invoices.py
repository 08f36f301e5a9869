"""Finding invoices."""

from django.db.models import F, Q, QuerySet

from billing.domain.lifecycle import DocumentState, PaymentState
from billing.models import CreditStatement, Invoice, LegalEntity

# PostgreSQL's integer; a longer number is not a counter.
MAX_COUNTER = 2**31 - 1
NOTHING_LEFT = frozenset({PaymentState.PAID, PaymentState.CANCELED, PaymentState.REFUNDED, PaymentState.WONT_PAY})


# What money can still settle, as SQL; `left_cents` says the same of a row.
LEFT_CENTS = F("total_cents") - F("paid_cents") - F("credited_cents")


def left_cents(invoice: Invoice) -> int:
    """What is neither paid nor credited of an invoice, even if nobody expects it any more (a write-off)."""
    return invoice.total_cents - invoice.paid_cents - invoice.credited_cents


def due_cents(invoice: Invoice) -> int:
    """What is left to pay of an invoice; nothing of one that is settled, cancelled or written off."""
    return 0 if invoice.payment_state in NOTHING_LEFT else left_cents(invoice)


def uses_credits(invoice: Invoice) -> bool:
    """Whether credits paid for a part of what was consumed; to be asked of many, their statements are loaded along."""
    statement: CreditStatement | None = getattr(invoice, "statement", None)
    return statement is not None and bool(statement.used_free_cents or statement.used_prepaid_cents)


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
