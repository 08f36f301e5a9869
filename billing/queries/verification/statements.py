"""Credit statements: their identities, and that lines, usage details and ledger say the same."""

from collections.abc import Iterator

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, TruncMonth

from billing.domain.lifecycle import DocumentState
from billing.domain.money import format_cents
from billing.models import CloseOutcome, CreditEntry, CreditGrant, CreditStatement, Invoice, InvoiceLine
from billing.queries.verification._promises import Broken, Register, differ, documents, found, total

PROMISES = Register()

A = F("free_balance_cents") + F("prepaid_balance_cents")
NET_USE = F("used_free_cents") + F("used_prepaid_cents") + F("refill_cents")


def statements() -> QuerySet[CreditStatement]:
    """The statements of drafts and issued invoices."""
    return CreditStatement.objects.exclude(invoice__document_state=DocumentState.DISCARDED.value)


def issued_statements() -> QuerySet[CreditStatement]:
    """The statements of issued invoices, whose credits are booked."""
    return CreditStatement.objects.filter(invoice__document_state=DocumentState.ISSUED.value)


@PROMISES.promise("Every invoice has a credit statement.", things="documents", population=documents)
def existence() -> Iterator[Broken]:
    without = ~Exists(CreditStatement.objects.filter(invoice=OuterRef("pk")))
    yield from found(documents().filter(without, kind=Invoice.Kind.INVOICE), (), lambda: "It has no credit statement.")


@PROMISES.promise(
    "c, d, e, f <= 0; a, b, g, h, B, regularization, subtotal >= 0.", things="statements", population=statements
)
def signs() -> Iterator[Broken]:
    never_positive = ("used_free_cents", "expired_cents", "used_prepaid_cents", "estimate_cents")
    never_negative = (
        *("free_balance_cents", "prepaid_balance_cents", "pending_cents", "refill_cents"),
        *("closing_cents", "regularization_cents", "subtotal_cents"),
    )
    wrong = Q()
    for column in never_positive:
        wrong |= Q(**{f"{column}__gt": 0})
    for column in never_negative:
        wrong |= Q(**{f"{column}__lt": 0})
    rows = statements().annotate(closing_cents=A + NET_USE + F("expired_cents")).filter(wrong)
    yield from found(rows, (), lambda: "A line of its statement has the wrong sign.", prefix="invoice__")


@PROMISES.promise(
    "No more credits are used or expire than there are: a + c + d >= 0 and b + e >= 0.",
    things="statements",
    population=statements,
)
def overdrafts() -> Iterator[Broken]:
    rows = statements().annotate(
        free_left=F("free_balance_cents") + F("used_free_cents") + F("expired_cents"),
        prepaid_left=F("prepaid_balance_cents") + F("used_prepaid_cents"),
    )
    yield from found(
        rows.filter(Q(free_left__lt=0) | Q(prepaid_left__lt=0)),
        ("free_left", "prepaid_left"),
        lambda free, prepaid: f"It leaves {format_cents(free)} free and {format_cents(prepaid)} prepaid credits.",
        prefix="invoice__",
    )


@PROMISES.promise(
    "Regularization = U + c + e, and it is 0 unless every usable credit was consumed.",
    things="statements",
    population=statements,
)
def regularizations() -> Iterator[Broken]:
    rows = statements().annotate(uncovered=F("fees_cents") + F("used_free_cents") + F("used_prepaid_cents"))
    yield from found(
        rows.filter(~Q(regularization_cents=F("uncovered"))),
        ("regularization_cents", "uncovered"),
        lambda stored, uncovered: differ("Its regularization", stored, "no credit covered", uncovered),
        prefix="invoice__",
    )
    left = statements().annotate(left=A + F("used_free_cents") + F("used_prepaid_cents"))
    yield from found(
        left.filter(regularization_cents__gt=0, left__gt=0),
        ("regularization_cents", "left"),
        lambda billed, cents: f"It bills {format_cents(billed)} while {format_cents(cents)} of credits were usable.",
        prefix="invoice__",
    )


@PROMISES.promise(
    "U + D + net use = regularization + h + D = subtotal, of statement and invoice alike.",
    things="statements",
    population=statements,
)
def subtotals() -> Iterator[Broken]:
    rows = statements().annotate(
        billed=F("regularization_cents") + F("refill_cents") + F("direct_cents"),
        explained=F("fees_cents") + F("direct_cents") + NET_USE,
    )
    agree = Q(subtotal_cents=F("billed")) & Q(subtotal_cents=F("explained"))
    yield from found(
        rows.filter(~(agree & Q(subtotal_cents=F("invoice__subtotal_cents")))),
        ("subtotal_cents", "billed", "explained", "invoice__subtotal_cents"),
        lambda stored, billed, explained, invoice: (
            f"Its statement's subtotal is {format_cents(stored)}; it bills {format_cents(billed)},"
            f" explains {format_cents(explained)}, and the invoice says {format_cents(invoice)}."
        ),
        prefix="invoice__",
    )


@PROMISES.promise(
    "The lines bill what the statement says: provision = h, regularizations, and D.",
    things="statements",
    population=statements,
)
def lines() -> Iterator[Broken]:
    kind, net = "invoice__lines__kind", "invoice__lines__net_cents"
    provision, regularization = InvoiceLine.Kind.PROVISION, InvoiceLine.Kind.REGULARIZATION
    rows = statements().annotate(
        provision=total(net, **{kind: provision}),
        regularization=total(net, **{kind: regularization}),
        direct=total(net, **{f"{kind}__in": set(InvoiceLine.Kind) - {provision, regularization}}),
    )
    for what, stored, summed in (
        ("refill h", "refill_cents", "provision"),
        ("regularization", "regularization_cents", "regularization"),
        ("direct part D", "direct_cents", "direct"),
    ):
        yield from found(
            rows.filter(~Q(**{stored: F(summed)})),
            (stored, summed),
            lambda said, billed, what=what: differ(f"Its {what}", said, "its lines sum to", billed),
            prefix="invoice__",
        )


@PROMISES.promise("The usage details sum to the fees.", things="statements", population=statements)
def fees() -> Iterator[Broken]:
    rows = statements().annotate(details=total("invoice__usage_details__amount_cents"))
    yield from found(
        rows.filter(~Q(details=F("fees_cents"))),
        ("fees_cents", "details"),
        lambda stored, details: differ("Its fees", stored, "its usage details sum to", details),
        prefix="invoice__",
    )


def _sum(entries: QuerySet[CreditEntry]) -> Coalesce:
    """The sum of ledger entries that a condition with OuterRef chooses."""
    one_group = entries.annotate(one=F("pk") - F("pk")).order_by().values("one")
    return Coalesce(Subquery(one_group.annotate(cents=Sum("amount_cents")).values("cents")), 0)


@PROMISES.promise(
    "The ledger has used what an issued statement says: c free and e prepaid credits.",
    things="issued statements",
    population=issued_statements,
)
def uses() -> Iterator[Broken]:
    booked = CreditEntry.objects.filter(invoice=OuterRef("invoice"), kind=CreditEntry.Kind.USE)
    rows = issued_statements().annotate(
        free=_sum(booked.filter(grant__type=CreditGrant.Type.FREE)),
        prepaid=_sum(booked.filter(grant__type=CreditGrant.Type.PREPAID)),
    )
    for what, stored, summed in (("c", "used_free_cents", "free"), ("e", "used_prepaid_cents", "prepaid")):
        yield from found(
            rows.filter(~Q(**{stored: F(summed)})),
            (stored, summed),
            lambda said, ledger, what=what: differ(f"Its {what}", said, "the ledger has", ledger),
            prefix="invoice__",
        )


def _usable_in_month() -> Q:
    """Grants of a statement's month that count in a or b: started by its last day, not expired before its first."""
    month = OuterRef("invoice__consumption_month")
    started = Q(grant__starts_on__isnull=True) | Q(start_month__lte=month)
    return started & (Q(grant__expires_on__isnull=True) | Q(grant__expires_on__gte=month))


def _booked_for_statement() -> Q:
    """Entries of a statement: its invoice's, and what an earlier nil outcome of the same month had expired."""
    outcome = Q(outcome__month=OuterRef("invoice__consumption_month"), outcome__payer=OuterRef("invoice__organization"))
    return Q(invoice=OuterRef("invoice")) | outcome


def _entries() -> QuerySet[CreditEntry]:
    return CreditEntry.objects.annotate(start_month=TruncMonth("grant__starts_on"))


@PROMISES.promise(
    "The ledger has expired what an issued statement says: d.", things="issued statements", population=issued_statements
)
def expiries() -> Iterator[Broken]:
    expired = _entries().filter(_booked_for_statement(), _usable_in_month(), kind=CreditEntry.Kind.EXPIRY)
    # What a replaced invoice let expire is taken back, see `corrections`.
    in_force = issued_statements().filter(invoice__released=False)
    rows = in_force.annotate(ledger=_sum(expired)).filter(~Q(ledger=F("expired_cents")))
    yield from found(
        rows,
        ("expired_cents", "ledger"),
        lambda stored, ledger: differ("Its d", stored, "the ledger has", ledger),
        prefix="invoice__",
    )


@PROMISES.promise(
    "Balances continue: a and b are what the ledger held when the invoice was issued.",
    things="issued statements that used or expired credits",
    population=lambda: _placed_in_ledger(),
)
def balances() -> Iterator[Broken]:
    """The place of a statement in its ledger is its first own entry, so one without entries cannot be checked."""
    month, payer = OuterRef("invoice__consumption_month"), OuterRef("invoice__organization")
    on_this_invoice = CloseOutcome.objects.filter(
        organization=OuterRef("grant__organization"), month=OuterRef(month), payer=OuterRef(payer)
    )
    before = (
        _entries()
        .filter(
            Q(grant__organization=payer) | Exists(on_this_invoice), _usable_in_month(), pk__lt=OuterRef("first_entry")
        )
        .exclude(outcome__month=month, outcome__payer=payer)
    )
    rows = _placed_in_ledger().annotate(
        free=_sum(before.filter(grant__type=CreditGrant.Type.FREE)),
        prepaid=_sum(before.filter(grant__type=CreditGrant.Type.PREPAID)),
    )
    for what, stored, summed in (("a", "free_balance_cents", "free"), ("b", "prepaid_balance_cents", "prepaid")):
        yield from found(
            rows.filter(~Q(**{stored: F(summed)})),
            (stored, summed),
            lambda said, ledger, what=what: differ(f"Its {what}", said, "the ledger held", ledger),
            prefix="invoice__",
        )


def _placed_in_ledger() -> QuerySet[CreditStatement]:
    own = CreditEntry.objects.filter(invoice=OuterRef("invoice"), amount_cents__lt=0).order_by("id").values("id")[:1]
    return issued_statements().annotate(first_entry=Subquery(own)).filter(first_entry__isnull=False)
