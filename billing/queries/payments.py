"""Money received, and what of it settles nothing."""

from django.db.models import F, QuerySet, Sum

from billing.models import Payment

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
