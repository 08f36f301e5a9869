"""The credit ledger: grants, their entries, and the invoices that sold them."""

from collections.abc import Iterator

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from billing.domain.lifecycle import DocumentState, PaymentState
from billing.domain.money import format_cents
from billing.models import CouponUse, CreditEntry, CreditGrant, CreditStatement, Invoice, InvoiceLine
from billing.queries.verification._promises import OPEN, Broken, Register, differ, found, total
from billing.queries.verification.statements import issued_statements

PROMISES = Register()
Kind, State = CreditEntry.Kind, CreditGrant.State
OVER = (PaymentState.CANCELED.value, PaymentState.REFUNDED.value)


def grants() -> QuerySet[CreditGrant]:
    """All lots of credits."""
    return CreditGrant.objects.all()


def sold_grants() -> QuerySet[CreditGrant]:
    """Prepaid credits that an invoice sold."""
    return CreditGrant.objects.filter(sold_by__isnull=False)


def _name(id_: int, reference: str | None, organization: str) -> str:
    return f"grant {reference or id_} ({organization})"


NAME = ("id", "reference", "organization__external_id")


@PROMISES.promise(
    "What remains of a grant is the sum of its entries, and never negative.", things="grants", population=grants
)
def remainders() -> Iterator[Broken]:
    rows = grants().annotate(sum_cents=total("entries__amount_cents"))
    wrong = ~Q(sum_cents=F("remaining_cents")) | Q(remaining_cents__lt=0) | Q(remaining_cents__gt=F("amount_cents"))
    for *grant, remaining, sum_ in rows.filter(wrong).values_list(*NAME, "remaining_cents", "sum_cents").iterator():
        yield Broken(_name(*grant), differ("What remains", remaining, "its entries sum to", sum_))


def _credited_provision() -> Coalesce:
    """What issued credit notes take back of the provision that sold a grant, in cents."""
    lines = InvoiceLine.objects.filter(
        invoice__refers_to=OuterRef("sold_by"),
        invoice__kind=Invoice.Kind.CREDIT_NOTE,
        invoice__document_state=DocumentState.ISSUED.value,
        kind=InvoiceLine.Kind.PROVISION,
    )
    one_group = lines.order_by().values("invoice__refers_to")
    return Coalesce(Subquery(one_group.annotate(cents=Sum("net_cents")).values("cents")), 0)


@PROMISES.promise(
    "Granted = used + expired + revoked + refunded + remaining, and granted + pending = what was sold or given.",
    things="grants",
    population=grants,
)
def grant_sums() -> Iterator[Broken]:
    """Granted are the entries that make credits usable, less those that suspend them; used is less what was returned.

    Credit notes on its provision may have taken away what was pending: at most as much as they credit of it.
    """
    rows = grants().annotate(
        granted=total("entries__amount_cents", entries__kind__in=(Kind.GRANT, Kind.SUSPENSION)),
        used=0 - total("entries__amount_cents", entries__kind__in=(Kind.USE, Kind.RETURN)),
        gone=0 - total("entries__amount_cents", entries__kind__in=(Kind.EXPIRY, Kind.REVOCATION, Kind.REFUND)),
    )
    rows = rows.annotate(missing=F("amount_cents") - F("granted") - F("pending_cents"))
    sums = Q(granted=F("used") + F("gone") + F("remaining_cents"), used__gte=0, gone__gte=0, granted__gte=0)
    fits = sums & Q(missing__gte=0, missing__lte=_credited_provision()) & (Q(state=State.ACTIVE) | Q(remaining_cents=0))
    for *grant, state, amount, granted, gone, remaining, pending in (
        rows.filter(~fits)
        .annotate(away=F("used") + F("gone"))
        .values_list(*NAME, "state", "amount_cents", "granted", "away", "remaining_cents", "pending_cents")
        .iterator()
    ):
        yield Broken(
            _name(*grant),
            f"It is {state}; of {format_cents(amount)}, {format_cents(granted)} are booked as granted,"
            f" {format_cents(gone)} as gone, {format_cents(remaining)} remain and {format_cents(pending)} are pending.",
        )


@PROMISES.promise(
    "Only free credits expire, only sold ones are suspended; a use names the issued invoice that it paid.",
    things="entries",
    population=CreditEntry.objects.all,
)
def entries() -> Iterator[Broken]:
    rows = CreditEntry.objects.filter(
        (Q(kind=Kind.EXPIRY) & ~Q(grant__type=CreditGrant.Type.FREE))
        | (Q(kind=Kind.USE) & (Q(invoice__isnull=True) | ~Q(invoice__document_state=DocumentState.ISSUED.value)))
        | Q(kind__in=(Kind.GRANT, Kind.RETURN), amount_cents__lte=0)
        | Q(kind__in=(Kind.USE, Kind.SUSPENSION, Kind.REVOCATION, Kind.REFUND), amount_cents__gte=0)
        | Q(kind=Kind.SUSPENSION, grant__sold_by__isnull=True)
        | Q(amount_cents=0)
    )
    names = (f"grant__{column}" for column in NAME)
    for *grant, id_, kind, cents in rows.values_list(*names, "id", "kind", "amount_cents").iterator():
        yield Broken(_name(*grant), f"Its entry {id_} ({kind}, {format_cents(cents)}) cannot be.")


@PROMISES.promise("A grant has its organization's currency.", things="grants", population=grants)
def currencies() -> Iterator[Broken]:
    rows = grants().filter(~Q(currency=F("organization__currency")))
    for *grant, ours, theirs in rows.values_list(*NAME, "currency", "organization__currency").iterator():
        yield Broken(_name(*grant), f"It is in {ours}, its organization in {theirs}.")


@PROMISES.promise(
    "Every issued refill h sold one grant of that amount.", things="issued statements", population=issued_statements
)
def refills() -> Iterator[Broken]:
    sold = CreditGrant.objects.filter(sold_by=OuterRef("invoice"))
    yield from found(
        issued_statements().filter(~Exists(sold), refill_cents__gt=0),
        ("refill_cents",),
        lambda cents: f"It sold {format_cents(cents)} of credits, but there is no such grant.",
        prefix="invoice__",
    )


@PROMISES.promise(
    "A sold grant is prepaid, the refill of its issued invoice, and starts with its payment.",
    things="sold grants",
    population=sold_grants,
)
def sold() -> Iterator[Broken]:
    statement = CreditStatement.objects.filter(
        invoice=OuterRef("sold_by"),
        refill_cents=OuterRef("amount_cents"),
        invoice__organization=OuterRef("organization"),
    )
    fits = Q(
        Exists(statement.filter(invoice__document_state=DocumentState.ISSUED.value)),
        type=CreditGrant.Type.PREPAID,
        starts_on__isnull=True,
    )
    for *grant, cents, number in (
        sold_grants().filter(~fits).values_list(*NAME, "amount_cents", "sold_by__number").iterator()
    ):
        yield Broken(_name(*grant), f"{format_cents(cents)} is not what invoice {number} sold to this organization.")


@PROMISES.promise(
    "Sold credits are usable once their invoice is paid, not before; written off, they are not pending either.",
    things="sold grants",
    population=sold_grants,
)
def activations() -> Iterator[Broken]:
    """What was used of a paid provision stays used when the payment is taken back, so a used up grant stays active."""
    expected = (
        Q(state=State.PENDING) | Q(state=State.ACTIVE, remaining_cents=0) | Q(state=State.CANCELLED, pending_cents=0)
    )
    given_up = Q(state=State.CANCELLED) | Q(state=State.ACTIVE, remaining_cents=0)
    fits = (
        Q(sold_by__payment_state=PaymentState.PAID.value, pending_cents=0)
        | (Q(sold_by__payment_state__in=OPEN) & expected)
        | (Q(sold_by__payment_state=PaymentState.WONT_PAY.value) & given_up)
        | Q(sold_by__payment_state__in=OVER, pending_cents=0)
    )
    for *grant, state, pending, number, payment in (
        sold_grants()
        .filter(~fits)
        .values_list(*NAME, "state", "pending_cents", "sold_by__number", "sold_by__payment_state")
        .iterator()
    ):
        waits = f" with {format_cents(pending)} pending" if pending and state != State.PENDING else ""
        yield Broken(_name(*grant), f"It is {state}{waits} while invoice {number} is {payment}.")


@PROMISES.promise(
    "A coupon's grant belongs to the organization that used it.", things="coupon uses", population=CouponUse.objects.all
)
def coupons() -> Iterator[Broken]:
    rows = CouponUse.objects.filter(~Q(grant__organization=F("organization")) | ~Q(grant__type=CreditGrant.Type.FREE))
    for coupon, organization in rows.values_list("coupon__name", "organization__external_id").iterator():
        yield Broken(f"coupon {coupon} ({organization})", "Its grant is not a free one of this organization.")
