"""Payments: what they settle, and what that makes of the invoices."""

from collections.abc import Iterator

from django.db.models import F, Q

from billing.domain.lifecycle import DocumentState, PaymentState
from billing.domain.money import format_cents
from billing.models import Allocation, Invoice, Payment
from billing.queries.verification._promises import Broken, Register, differ, documents, found, issued, total

PROMISES = Register()


@PROMISES.promise(
    "A payment's allocated part is the sum of its allocations.", things="payments", population=Payment.objects.all
)
def allocated() -> Iterator[Broken]:
    rows = Payment.objects.annotate(sum_cents=total("allocations__amount_cents"))
    wrong = ~Q(sum_cents=F("allocated_cents")) | Q(allocated_cents__gt=F("amount_cents"))
    for reference, stored, sum_ in (
        rows.filter(wrong).values_list("reference", "allocated_cents", "sum_cents").iterator()
    ):
        yield Broken(f"payment {reference}", differ("Its allocated part", stored, "its allocations sum to", sum_))


@PROMISES.promise("What is paid of an invoice is the sum of its allocations.", things="documents", population=documents)
def paid() -> Iterator[Broken]:
    rows = documents().annotate(sum_cents=total("allocations__amount_cents"))
    wrong = ~Q(sum_cents=F("paid_cents")) | Q(paid_cents__gt=F("total_cents"))
    yield from found(
        rows.filter(wrong),
        ("paid_cents", "sum_cents"),
        lambda stored, sum_: differ("What is paid", stored, "its allocations sum to", sum_),
    )


@PROMISES.promise(
    "An invoice is paid when nothing is left to pay, and not before.", things="issued documents", population=issued
)
def settled() -> Iterator[Broken]:
    open_ = (PaymentState.PENDING, PaymentState.PROCESSING, PaymentState.PAYMENT_HELD)
    left = ~Q(paid_cents=F("total_cents"))
    rows = issued().filter(
        (Q(payment_state=PaymentState.PAID.value) & left)
        | (~left & Q(payment_state__in=[state.value for state in open_]))
    )
    yield from found(
        rows.filter(kind=Invoice.Kind.INVOICE),
        ("payment_state", "paid_cents", "total_cents"),
        lambda state, paid, total: f"It is {state} with {format_cents(paid)} of {format_cents(total)} paid.",
    )


@PROMISES.promise(
    "A payment settles issued invoices of its own organization, the named one if it names one.",
    things="allocations",
    population=Allocation.objects.all,
)
def allocations() -> Iterator[Broken]:
    fits = Q(
        Q(payment__requested_invoice__isnull=True) | Q(payment__requested_invoice=F("invoice")),
        amount_cents__gt=0,
        invoice__kind=Invoice.Kind.INVOICE,
        invoice__document_state=DocumentState.ISSUED.value,
        invoice__organization=F("payment__organization"),
        invoice__currency=F("payment__currency"),
    )
    rows = Allocation.objects.filter(~fits).values_list("payment__reference", "invoice__number", "amount_cents")
    for reference, number, cents in rows.iterator():
        yield Broken(f"payment {reference}", f"It cannot settle {format_cents(cents)} of invoice {number}.")
