"""Credit notes: what they take back of lines and VAT rates, and what is left of it."""

from collections.abc import Iterator

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Sum

from billing.domain.lifecycle import DocumentState, PaymentState
from billing.domain.money import format_cents, vat_cents
from billing.models import Charge, CreditEntry, Invoice, InvoiceLine, TaxSubtotal, UsageCorrection
from billing.queries.verification._promises import (
    Broken,
    Register,
    differ,
    documents,
    found,
    invoice_name,
    issued,
    name,
)

PROMISES = Register()


def credit_lines() -> QuerySet[InvoiceLine]:
    """The lines of credit notes, drafts and issued ones."""
    rows = InvoiceLine.objects.exclude(invoice__document_state=DocumentState.DISCARDED.value)
    return rows.filter(invoice__kind=Invoice.Kind.CREDIT_NOTE)


def credit_taxes() -> QuerySet[TaxSubtotal]:
    """The tax subtotals of credit notes, drafts and issued ones."""
    rows = TaxSubtotal.objects.exclude(invoice__document_state=DocumentState.DISCARDED.value)
    return rows.filter(invoice__kind=Invoice.Kind.CREDIT_NOTE)


@PROMISES.promise(
    "A credit note refers to an issued invoice of the same customer.",
    things="credit notes",
    population=lambda: Invoice.objects.filter(kind=Invoice.Kind.CREDIT_NOTE),
)
def credit_notes() -> Iterator[Broken]:
    fits = Q(
        refers_to__kind=Invoice.Kind.INVOICE,
        refers_to__document_state=DocumentState.ISSUED.value,
        refers_to__organization=F("organization"),
        refers_to__currency=F("currency"),
    )
    rows = documents().filter(Q(kind=Invoice.Kind.CREDIT_NOTE) & ~fits)
    yield from found(rows, ("refers_to__number",), lambda number: f"It refers to {number}, which it cannot correct.")


@PROMISES.promise(
    "A credit note's line takes back a line of its invoice: of the same kind and VAT rate.",
    things="lines of credit notes",
    population=credit_lines,
)
def credited_lines() -> Iterator[Broken]:
    line = InvoiceLine.objects.filter(
        pk=OuterRef("credited_line_id"),
        invoice=OuterRef("invoice__refers_to"),
        kind=OuterRef("kind"),
        vat_category=OuterRef("vat_category"),
        vat_rate_bp=OuterRef("vat_rate_bp"),
    )
    rows = credit_lines().annotate(line=Subquery(line.values("pk")[:1])).filter(line__isnull=True)
    yield from found(
        rows,
        ("position", "kind"),
        lambda position, kind: f"Its line {position} ({kind}) takes back no such line of its invoice.",
        prefix="invoice__",
    )


@PROMISES.promise(
    "Credit notes never take back more of a line than it billed.",
    things="lines of credit notes",
    population=credit_lines,
)
def line_limits() -> Iterator[Broken]:
    taken = credit_lines().filter(credited_line_id=OuterRef("pk")).order_by().values("credited_line_id")
    rows = InvoiceLine.objects.filter(pk__in=credit_lines().values("credited_line_id")).annotate(
        taken=Subquery(taken.annotate(cents=Sum("net_cents")).values("cents"))
    )
    too_much = (Q(net_cents__gte=0) & (Q(taken__gt=F("net_cents")) | Q(taken__lt=0))) | (
        Q(net_cents__lt=0) & (Q(taken__lt=F("net_cents")) | Q(taken__gt=0))
    )
    yield from found(
        rows.filter(too_much),
        ("position", "net_cents", "taken"),
        lambda position, net, taken: (
            f"Of its line {position} of {format_cents(net)}, {format_cents(taken)} are credited."
        ),
        prefix="invoice__",
    )


@PROMISES.promise(
    "VAT is credited as it was billed: base x rate, and what takes the rest of a base takes the rest of its VAT.",
    things="tax subtotals of credit notes",
    population=credit_taxes,
)
def credited_vat() -> Iterator[Broken]:
    """The credit notes of an invoice in the order in which they were issued, a draft last."""
    left: dict[tuple[int | None, str, int], tuple[int, int]] = {}
    invoices = TaxSubtotal.objects.filter(invoice__in=credit_taxes().values("invoice__refers_to"))
    for invoice_id, category, rate_bp, base_cents, tax_cents in invoices.values_list(
        "invoice_id", "category", "rate_bp", "base_cents", "vat_cents"
    ):
        left[invoice_id, category, rate_bp] = base_cents, tax_cents
    rows = credit_taxes().order_by(F("invoice__counter").asc(nulls_last=True), "pk")
    columns = ("invoice__refers_to_id", "category", "rate_bp", "base_cents", "vat_cents")
    for *document, invoice_id, category, rate_bp, base_cents, tax_cents in rows.values_list(
        *invoice_name("invoice__"), *columns
    ).iterator():
        base_left, tax_left = left.get((invoice_id, category, rate_bp), (0, 0))
        expected = tax_left if base_cents == base_left else min(vat_cents(base_cents, rate_bp), tax_left)
        left[invoice_id, category, rate_bp] = base_left - base_cents, tax_left - tax_cents
        if tax_cents != expected or base_cents > base_left:
            yield Broken(
                name(*document),
                f"It takes back {format_cents(base_cents)} and {format_cents(tax_cents)} of VAT at {category}"
                f" {format_cents(rate_bp)} %, but {format_cents(base_left)} and {format_cents(tax_left)} were left.",
            )


def replaced() -> QuerySet[Invoice]:
    """Invoices that were cancelled so that their month can be invoiced again."""
    return Invoice.objects.filter(released=True)


@PROMISES.promise(
    "A replaced invoice is credited in full, and what it used, expired and took is given back.",
    things="issued documents",
    population=issued,
)
def replacements() -> Iterator[Broken]:
    over = (PaymentState.CANCELED.value, PaymentState.REFUNDED.value)
    fits = Q(
        kind=Invoice.Kind.INVOICE,
        document_state=DocumentState.ISSUED.value,
        payment_state__in=over,
        credited_cents=F("total_cents"),
    )
    yield from found(replaced().filter(~fits), (), lambda: "It is replaced, but not cancelled in full.")
    booked = CreditEntry.objects.filter(invoice__released=True, invoice__kind=Invoice.Kind.INVOICE).order_by()
    sums = booked.values("invoice", "grant").annotate(cents=Sum("amount_cents")).exclude(cents=0)
    rows = replaced().filter(pk__in=sums.values("invoice"))
    yield from found(rows, (), lambda: "It is replaced, but still uses credits or lets some expire.")
    charged = replaced().filter(Exists(Charge.objects.filter(invoice=OuterRef("pk"))))
    yield from found(charged, (), lambda: "It is replaced, but still holds charges.")


@PROMISES.promise(
    "Credits go back to their grants only for a month that became cheaper, as much as was given back for it.",
    things="issued documents",
    population=issued,
)
def given_back() -> Iterator[Broken]:
    """But for replaced invoices, see above; what else was given back are credit notes of the same payer."""
    returns = CreditEntry.objects.filter(kind=CreditEntry.Kind.RETURN, invoice__released=False).order_by()
    booked = {
        (payer, month): cents
        for payer, month, cents in returns.values_list("invoice__organization__external_id", "month").annotate(
            cents=Sum("amount_cents")
        )
    }
    kept = {
        (payer, month): cents
        for payer, month, cents in UsageCorrection.objects.order_by()
        .values_list("organization__external_id", "month")
        .annotate(cents=Sum("returned_cents"))
    }
    for payer, month in booked.keys() | kept.keys():
        returned, said = booked.get((payer, month), 0), kept.get((payer, month), 0)
        if returned != said:
            yield Broken(f"{payer}, {month:%Y-%m}", differ("What credits got back", returned, "given back were", said))
    fits = Q(
        credit_note__kind=Invoice.Kind.CREDIT_NOTE,
        credit_note__document_state=DocumentState.ISSUED.value,
        credit_note__organization=F("organization"),
    )
    for payer, month in (
        UsageCorrection.objects.filter(credit_note__isnull=False)
        .exclude(fits)
        .values_list("organization__external_id", "month")
    ):
        yield Broken(f"{payer}, {month:%Y-%m}", "What was given back for it names no credit note of its payer.")
