"""Payments: what they settle, what went back, and what that makes of the invoices."""

from collections.abc import Iterator

from django.db.models import F, Q, QuerySet

from billing.domain.lifecycle import DocumentState, PaymentState
from billing.domain.money import format_cents
from billing.models import Allocation, Invoice, Payment, Refund
from billing.queries.invoices import LEFT_CENTS
from billing.queries.verification._promises import OPEN, Broken, Register, differ, documents, found, issued, total

PROMISES = Register()


def allocations_in_force() -> QuerySet[Allocation]:
    """What settles invoices; an undone allocation promises nothing."""
    return Allocation.objects.filter(undone_at__isnull=True)


def credit_notes() -> QuerySet[Invoice]:
    """Credit notes, drafts and issued ones."""
    return documents().filter(kind=Invoice.Kind.CREDIT_NOTE)


@PROMISES.promise(
    "A payment's allocated part is the sum of its allocations in force, and what went back that of its refunds.",
    things="payments",
    population=Payment.objects.all,
)
def allocated() -> Iterator[Broken]:
    for what, column, summed in (
        ("Its allocated part", "allocated_cents", total("allocations__amount_cents", allocations__undone_at=None)),
        ("What went back", "refunded_cents", total("refunds__amount_cents")),
    ):
        rows = Payment.objects.annotate(sum_cents=summed).filter(~Q(sum_cents=F(column)))
        of = "allocations" if column == "allocated_cents" else "refunds"
        for reference, stored, sum_ in rows.values_list("reference", column, "sum_cents").iterator():
            yield Broken(f"payment {reference}", differ(what, stored, f"its {of} sum to", sum_))


@PROMISES.promise(
    "A payment settles and gives back at most what it brought; charged back, it settles nothing.",
    things="payments",
    population=Payment.objects.all,
)
def spent() -> Iterator[Broken]:
    too_much = Q(amount_cents__lt=F("allocated_cents") + F("refunded_cents"))
    rows = Payment.objects.filter(too_much | Q(allocated_cents__lt=0) | Q(refunded_cents__lt=0))
    columns = ("reference", "amount_cents", "allocated_cents", "refunded_cents")
    for reference, amount, settled, back in rows.values_list(*columns).iterator():
        yield Broken(
            f"payment {reference}",
            f"Of {format_cents(amount)}, {format_cents(settled)} are allocated and {format_cents(back)} went back.",
        )
    charged_back = Payment.objects.filter(refunds__kind=Refund.Kind.CHARGEBACK).distinct()
    for reference, amount, back in (
        charged_back.filter(~Q(amount_cents=F("refunded_cents")))
        .values_list("reference", "amount_cents", "refunded_cents")
        .iterator()
    ):
        yield Broken(
            f"payment {reference}",
            f"It was charged back, but only {format_cents(back)} of {format_cents(amount)} are gone.",
        )


@PROMISES.promise("What is paid of an invoice is the sum of its allocations.", things="documents", population=documents)
def paid() -> Iterator[Broken]:
    rows = documents().annotate(sum_cents=total("allocations__amount_cents", allocations__undone_at=None))
    yield from found(
        rows.filter(~Q(sum_cents=F("paid_cents"))),
        ("paid_cents", "sum_cents"),
        lambda stored, sum_: differ("What is paid", stored, "its allocations sum to", sum_),
    )


@PROMISES.promise(
    "What is credited of an invoice is the sum of its issued credit notes.", things="documents", population=documents
)
def credited() -> Iterator[Broken]:
    notes = {
        "credit_notes__kind": Invoice.Kind.CREDIT_NOTE,
        "credit_notes__document_state": DocumentState.ISSUED.value,
    }
    rows = documents().filter(kind=Invoice.Kind.INVOICE)
    rows = rows.annotate(sum_cents=total("credit_notes__total_cents", **notes))
    yield from found(
        rows.filter(~Q(sum_cents=F("credited_cents"))),
        ("credited_cents", "sum_cents"),
        lambda stored, sum_: differ("What is credited", stored, "its credit notes sum to", sum_),
    )


@PROMISES.promise(
    "Nothing is left to pay of a credit note: it is settled with its invoice when it is issued.",
    things="credit notes",
    population=credit_notes,
)
def settled_credit_notes() -> Iterator[Broken]:
    is_issued = Q(document_state=DocumentState.ISSUED.value)
    fits = Q(paid_cents=0) & (
        (is_issued & Q(payment_state=PaymentState.PAID.value, credited_cents=F("total_cents")))
        | (~is_issued & Q(credited_cents=0))
    )
    yield from found(
        credit_notes().filter(~fits),
        ("payment_state", "paid_cents", "credited_cents", "total_cents"),
        lambda state, paid, credited, total: (
            f"It is {state} with {format_cents(paid)} paid and {format_cents(credited)} credited"
            f" of {format_cents(total)}."
        ),
    )


@PROMISES.promise(
    "An invoice is paid when nothing is left to pay, and not before.", things="issued documents", population=issued
)
def settled() -> Iterator[Broken]:
    rows = issued().annotate(left=LEFT_CENTS)
    is_paid = Q(payment_state=PaymentState.PAID.value)
    unpaid = Q(payment_state__in=(*OPEN, PaymentState.WONT_PAY.value))
    wrong = (is_paid & ~Q(left=0)) | (unpaid & Q(left=0)) | Q(left__lt=0)
    yield from found(
        rows.filter(wrong, kind=Invoice.Kind.INVOICE),
        ("payment_state", "paid_cents", "credited_cents", "total_cents"),
        lambda state, paid, credited, total: (
            f"It is {state} with {format_cents(paid)} of {format_cents(total)} paid"
            + (f" and {format_cents(credited)} credited." if credited else ".")
        ),
    )


@PROMISES.promise(
    "A payment settles issued invoices of its own organization and currency.",
    things="allocations in force",
    population=allocations_in_force,
)
def allocations() -> Iterator[Broken]:
    fits = Q(
        amount_cents__gt=0,
        invoice__kind=Invoice.Kind.INVOICE,
        invoice__document_state=DocumentState.ISSUED.value,
        invoice__organization=F("payment__organization"),
        invoice__currency=F("payment__currency"),
    )
    rows = allocations_in_force().filter(~fits)
    for reference, number, cents in rows.values_list("payment__reference", "invoice__number", "amount_cents"):
        yield Broken(f"payment {reference}", f"It cannot settle {format_cents(cents)} of invoice {number}.")


@PROMISES.promise("Money that went back says why.", things="refunds", population=Refund.objects.all)
def reasons() -> Iterator[Broken]:
    for reference, cents in Refund.objects.filter(reason="").values_list("reference", "amount_cents").iterator():
        yield Broken(f"refund {reference}", f"It does not say why {format_cents(cents)} went back.")
