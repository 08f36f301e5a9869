"""Money received, and what of it settles nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import F, QuerySet, Sum

from billing.domain.lifecycle import DocumentState, PaymentState
from billing.models import Allocation, Invoice, Payment, Refund
from billing.queries.invoices import left_cents

MOST_OFFERED = 20

# What settles no invoice and did not go back, as SQL; `unallocated_cents` says the same of a row.
UNALLOCATED_CENTS = F("amount_cents") - F("allocated_cents") - F("refunded_cents")


def unallocated_cents(payment: Payment) -> int:
    """What of a payment settles no invoice and did not go back: it stays on the account."""
    return payment.amount_cents - payment.allocated_cents - payment.refunded_cents


def with_unallocated_money(payments: QuerySet[Payment]) -> QuerySet[Payment]:
    """Of these payments, those with money that settles nothing; a partial index holds exactly these."""
    return payments.filter(amount_cents__gt=F("allocated_cents") + F("refunded_cents"))


def unallocated_on_account(organization_id: int) -> int:
    """The unallocated money of one organization, in cents of its currency."""
    payments = with_unallocated_money(Payment.objects.filter(organization=organization_id))
    total: int = payments.aggregate(total=Sum(UNALLOCATED_CENTS, default=0))["total"]
    return total


@dataclass(frozen=True)
class PaymentPage:
    """Where the money of a payment is and was; cents in its currency."""

    payment: Payment
    unallocated_cents: int
    allocations: Sequence[Allocation]
    refunds: Sequence[Refund]


def load_payment_page(payment: Payment) -> PaymentPage:
    """Load a payment with its allocations, undone ones included, and its refunds."""
    return PaymentPage(
        payment=payment,
        unallocated_cents=unallocated_cents(payment),
        allocations=list(payment.allocations.select_related("invoice", "credited_by").order_by("id")),
        refunds=list(payment.refunds.order_by("id")),
    )


def invoices_that_wait(organization_id: int, *, limit: int = MOST_OFFERED) -> list[Invoice]:
    """The invoices of an organization that wait for money, oldest first."""
    waiting = (PaymentState.PENDING, PaymentState.PROCESSING, PaymentState.PAYMENT_HELD)
    rows = Invoice.objects.filter(
        organization=organization_id,
        kind=Invoice.Kind.INVOICE,
        document_state=DocumentState.ISSUED.value,
        payment_state__in=[state.value for state in waiting],
    )
    return list(rows.order_by("issue_date", "counter")[:limit])


def money_on_account(organization_id: int, *, limit: int = MOST_OFFERED) -> list[Payment]:
    """The payments of an organization with unallocated money, oldest first."""
    return list(with_unallocated_money(Payment.objects.filter(organization=organization_id)).order_by("id")[:limit])


def suggest_shares(cents: int, invoices: Sequence[Invoice]) -> dict[int, int]:
    """What each invoice gets when money pays them in their order, as far as it goes; by id."""
    shares = {}
    for invoice in invoices:
        shares[invoice.pk] = min(cents, left_cents(invoice))
        cents -= shares[invoice.pk]
    return {id_: share for id_, share in shares.items() if share}
