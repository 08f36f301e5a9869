"""Invoices and credit notes: lines, VAT, totals, and what the lines bill."""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from billing.domain.lifecycle import DocumentState
from billing.domain.money import charge_cents, format_cents, vat_cents
from billing.domain.quantities import format_micro
from billing.models import AddOn, Adjustment, Charge, Invoice, InvoiceLine, TaxSubtotal
from billing.queries.months import month_of
from billing.queries.verification._promises import (
    Broken,
    Register,
    differ,
    documents,
    found,
    invoice_name,
    issued,
    missing,
    name,
    total,
)
from organizations.models import Organization

PROMISES = Register()
CHARGES = (InvoiceLine.Kind.ONE_SHOT, InvoiceLine.Kind.CUSTOM_SERVICE)


def lines() -> QuerySet[InvoiceLine]:
    """The lines of drafts and issued documents."""
    return InvoiceLine.objects.exclude(invoice__document_state=DocumentState.DISCARDED.value)


def issued_lines() -> QuerySet[InvoiceLine]:
    """The lines of issued documents that bill something: a replaced invoice does not, nor does a credit note."""
    return InvoiceLine.objects.filter(
        invoice__document_state=DocumentState.ISSUED.value,
        invoice__released=False,
        invoice__kind=Invoice.Kind.INVOICE,
    )


def taxes() -> QuerySet[TaxSubtotal]:
    """The tax subtotals of drafts and issued documents."""
    return TaxSubtotal.objects.exclude(invoice__document_state=DocumentState.DISCARDED.value)


@PROMISES.promise(
    "A total is the subtotal plus VAT, neither of them negative.", things="documents", population=documents
)
def totals() -> Iterator[Broken]:
    fits = Q(total_cents=F("subtotal_cents") + F("vat_cents"), subtotal_cents__gte=0, vat_cents__gte=0)
    yield from found(
        documents().filter(~fits),
        ("total_cents", "subtotal_cents", "vat_cents"),
        lambda total, subtotal, vat: (
            f"Its total is {format_cents(total)}, its subtotal {format_cents(subtotal)}, its VAT {format_cents(vat)}."
        ),
    )


@PROMISES.promise("A subtotal is the sum of the lines.", things="documents", population=documents)
def subtotals() -> Iterator[Broken]:
    rows = documents().annotate(sum_cents=total("lines__net_cents")).filter(~Q(sum_cents=F("subtotal_cents")))
    yield from found(
        rows,
        ("subtotal_cents", "sum_cents"),
        lambda stored, sum_: differ("Its subtotal", stored, "its lines sum to", sum_),
    )


@PROMISES.promise("A line's net amount is quantity x unit price, rounded once.", things="lines", population=lines)
def line_amounts() -> Iterator[Broken]:
    # The product can exceed what SQL's integers hold.
    columns = ("position", "quantity_micro", "unit_price_micro", "net_cents")
    for *invoice, position, quantity, price, net in (
        lines().values_list(*invoice_name("invoice__"), *columns).iterator()
    ):
        expected = charge_cents(quantity, price)
        if net != expected:
            what = f"{format_micro(quantity)} x {format_micro(price)} make"
            yield Broken(name(*invoice), differ(f"Line {position}", net, what, expected))


@PROMISES.promise("A line's period fits its kind and its invoice's month.", things="lines", population=lines)
def line_periods() -> Iterator[Broken]:
    columns = ("invoice__consumption_month", "position", "kind", "period_start", "period_end")
    for *invoice, month, position, kind, start, end in (
        lines().values_list(*invoice_name("invoice__"), *columns).iterator()
    ):
        if not _period_fits(kind, start, end, month):
            yield Broken(name(*invoice), f"Line {position} ({kind}) runs from {start} until {end}.")


def _period_fits(kind: str, start: date, end: date, consumption_month: date) -> bool:
    """`end` is the first day after the period."""
    if end <= start:
        return False
    consumption, first = month_of(consumption_month), month_of(start)
    is_whole_month = start == first.first_day and end == first.next.first_day
    match kind:
        case InvoiceLine.Kind.PROVISION:
            return is_whole_month and first == consumption.next
        case InvoiceLine.Kind.REGULARIZATION:
            return is_whole_month and first <= consumption
        case InvoiceLine.Kind.ADD_ON:
            return end <= first.next.first_day and first <= consumption.next
        case InvoiceLine.Kind.ONE_SHOT | InvoiceLine.Kind.CUSTOM_SERVICE:
            return end == start + timedelta(days=1) and first <= consumption
        case _:
            return True


@PROMISES.promise("A tax subtotal's base is the sum of its lines.", things="tax subtotals", population=taxes)
def tax_bases() -> Iterator[Broken]:
    group = InvoiceLine.objects.filter(
        invoice=OuterRef("invoice"), vat_category=OuterRef("category"), vat_rate_bp=OuterRef("rate_bp")
    )
    sums = group.order_by().values("invoice").annotate(cents=Sum("net_cents")).values("cents")
    rows = taxes().annotate(sum_cents=Coalesce(Subquery(sums), 0)).filter(~Q(base_cents=F("sum_cents")))
    yield from found(
        rows,
        ("category", "rate_bp", "base_cents", "sum_cents"),
        lambda category, rate, base, sum_: differ(
            f"The base of {category} {format_cents(rate)} %", base, "its lines sum to", sum_
        ),
        prefix="invoice__",
    )


@PROMISES.promise(
    "Every line is in a tax subtotal, and every document has one.", things="documents", population=documents
)
def tax_groups() -> Iterator[Broken]:
    group = TaxSubtotal.objects.filter(
        invoice=OuterRef("invoice"), category=OuterRef("vat_category"), rate_bp=OuterRef("vat_rate_bp")
    )
    yield from found(
        lines().filter(~Exists(group)),
        ("position", "vat_category", "vat_rate_bp"),
        lambda position, category, rate: f"Line {position} has no tax subtotal of {category} {format_cents(rate)} %.",
        prefix="invoice__",
    )
    without = documents().filter(~Exists(TaxSubtotal.objects.filter(invoice=OuterRef("pk"))))
    yield from found(without, (), lambda: "It has no tax subtotal.")


@PROMISES.promise(
    "VAT is computed once per rate, and only category S has a rate.", things="tax subtotals", population=taxes
)
def tax_amounts() -> Iterator[Broken]:
    columns = ("category", "rate_bp", "base_cents", "vat_cents")
    names = (*invoice_name("invoice__"), "invoice__kind")
    for *invoice, kind, category, rate, base, vat in taxes().values_list(*names, *columns).iterator():
        expected = vat_cents(base, rate)
        # What takes the rest of a base takes the rest of its VAT, see `corrections`.
        if vat != expected and kind == Invoice.Kind.INVOICE:
            what = f"The VAT of {category} {format_cents(rate)} %"
            yield Broken(name(*invoice), differ(what, vat, f"{format_cents(base)} give", expected))
        if rate and category != "S":
            yield Broken(name(*invoice), f"Category {category} has a rate of {format_cents(rate)} %.")


@PROMISES.promise("A document's VAT is the sum of its tax subtotals.", things="documents", population=documents)
def vat_sums() -> Iterator[Broken]:
    rows = documents().annotate(sum_cents=total("tax_subtotals__vat_cents")).filter(~Q(sum_cents=F("vat_cents")))
    yield from found(
        rows,
        ("vat_cents", "sum_cents"),
        lambda stored, sum_: differ("Its VAT", stored, "its tax subtotals sum to", sum_),
    )


@PROMISES.promise(
    "An issued document has dates and copies of both parties.", things="issued documents", population=issued
)
def issued_content() -> Iterator[Broken]:
    rows = issued().filter(
        Q(number__isnull=True)
        | Q(issue_date__isnull=True)
        | Q(due_date__isnull=True)
        | Q(due_date__lt=F("issue_date"))
        | Q(seller__isnull=True)
        | Q(buyer__isnull=True)
    )
    yield from found(
        rows,
        ("issue_date", "due_date"),
        lambda day, due: f"Its number, a date (issued {day}, due {due}) or the copy of a party is missing or wrong.",
    )


@PROMISES.promise("A document has its organization's currency.", things="documents", population=documents)
def currencies() -> Iterator[Broken]:
    rows = documents().filter(~Q(currency=F("organization__currency")))
    yield from found(
        rows,
        ("currency", "organization__currency"),
        lambda ours, theirs: f"It is in {ours}, its organization in {theirs}.",
    )


@PROMISES.promise("What a line names exists: organization, add-on, charge.", things="lines", population=lines)
def line_references() -> Iterator[Broken]:
    rows = lines().filter(
        missing(Organization, "organization")
        | (Q(kind=InvoiceLine.Kind.ADD_ON) & missing(AddOn, "source_id"))
        | (Q(kind__in=CHARGES) & missing(Charge, "source_id"))
    )
    yield from found(
        rows,
        ("position", "kind", "organization_id", "source_id"),
        lambda position, kind, organization, source: (
            f"Line {position} ({kind}) names organization {organization} or source {source}, which does not exist."
        ),
        prefix="invoice__",
    )


@PROMISES.promise(
    "An invoice's adjustments and discounts are those in force for its month.", things="lines", population=lines
)
def adjustments() -> Iterator[Broken]:
    in_force = Adjustment.objects.filter(
        pk=OuterRef("source_id"),
        organization=OuterRef("invoice__organization"),
        month=OuterRef("invoice__consumption_month"),
        undone_at__isnull=True,
    )
    added, discount = InvoiceLine.Kind.ADJUSTMENT, InvoiceLine.Kind.DISCOUNT
    fits = Q(Exists(in_force.filter(kind=Adjustment.Kind.LINE)), kind=added) | Q(
        Exists(in_force.filter(kind=Adjustment.Kind.DISCOUNT)), kind=discount
    )
    # A replaced invoice may have been adjusted otherwise since.
    yield from found(
        lines().filter(~fits, kind__in=(added, discount), invoice__kind=Invoice.Kind.INVOICE, invoice__released=False),
        ("position", "kind", "source_id"),
        lambda position, kind, source: f"Line {position} ({kind}) names adjustment {source}, which is not in force.",
        prefix="invoice__",
    )


@PROMISES.promise(
    "Only discounts take money off an invoice, and never off its provision.", things="documents", population=documents
)
def discounts() -> Iterator[Broken]:
    of_invoices = lines().filter(invoice__kind=Invoice.Kind.INVOICE)
    wrong = Q(kind=InvoiceLine.Kind.DISCOUNT, net_cents__gt=0) | Q(~Q(kind=InvoiceLine.Kind.DISCOUNT), net_cents__lt=0)
    yield from found(
        of_invoices.filter(wrong),
        ("position", "kind", "net_cents"),
        lambda position, kind, cents: f"Line {position} ({kind}) is {format_cents(cents)}.",
        prefix="invoice__",
    )
    provision = Coalesce(Sum("lines__net_cents", filter=Q(lines__kind=InvoiceLine.Kind.PROVISION)), 0)
    rows = documents().filter(kind=Invoice.Kind.INVOICE).annotate(provision=provision)
    yield from found(
        rows.filter(subtotal_cents__lt=F("provision")),
        ("subtotal_cents", "provision"),
        lambda subtotal, cents: f"Its subtotal is {format_cents(subtotal)}, its provision alone {format_cents(cents)}.",
    )


@PROMISES.promise("A charge is billed by one issued invoice.", things="charges", population=Charge.objects.all)
def charges() -> Iterator[Broken]:
    billed_by = Subquery(Charge.objects.filter(pk=OuterRef("source_id")).values("invoice"))
    rows = issued_lines().filter(kind__in=CHARGES, source_id__isnull=False).annotate(billed_by=billed_by)
    yield from found(
        rows.filter(Q(billed_by__isnull=True) | ~Q(billed_by=F("invoice"))),
        ("position", "source_id"),
        lambda position, source: f"Line {position} bills charge {source}, which is not marked as billed by it.",
        prefix="invoice__",
    )
    marked = Charge.objects.filter(invoice__isnull=False).exclude(invoice__document_state=DocumentState.ISSUED.value)
    for reference in marked.values_list("reference", flat=True).iterator():
        yield Broken(f"charge {reference}", "It is marked as billed by an invoice that is not issued.")


@PROMISES.promise("An add-on is billed once for each day.", things="add-ons", population=AddOn.objects.all)
def add_ons() -> Iterator[Broken]:
    billed = issued_lines().filter(kind=InvoiceLine.Kind.ADD_ON, source_id__isnull=False)
    days = billed.order_by("source_id", "period_start", "id").values_list("source_id", "period_start", "period_end")
    for (before, _, end), (source, start, _end) in pairwise(days.iterator()):
        if before == source and start < end:
            yield Broken(f"add-on {source}", f"It is billed twice from {start} on.")
    last = billed.filter(source_id=OuterRef("pk")).order_by("-period_end").values("period_end")[:1]
    rows = AddOn.objects.annotate(last=Subquery(last)).filter(last__isnull=False)
    for external_id, until, last_end in rows.filter(
        Q(billed_until__isnull=True) | Q(billed_until__lt=F("last"))
    ).values_list("external_id", "billed_until", "last"):
        yield Broken(f"add-on {external_id}", f"It is billed until {last_end}, but remembers {until}.")
