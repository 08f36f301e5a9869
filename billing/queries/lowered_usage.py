"""Late usage that made settled months of a payer cheaper, and what was billed for these months."""

from collections.abc import Mapping
from datetime import date

from django.db.models import Q, Sum
from msgspec import Struct

from billing.domain.consumption import UsageLine, rate_month
from billing.domain.credits import Movement
from billing.domain.facts import Facts
from billing.domain.lifecycle import DocumentState
from billing.domain.lowering import MonthOnInvoice, net_by_month
from billing.domain.periods import Month
from billing.models import CloseOutcome, CreditEntry, Invoice, InvoiceLine, UsageCorrection, UsageDetail
from billing.queries.accounts import load_tree
from billing.queries.close_facts import CloseFacts
from billing.queries.crediting import load_creditable
from billing.queries.months import month_of

Kind = CreditEntry.Kind


class LoweredMonth(Struct, frozen=True):
    """A settled month that became cheaper: its lines with negative amounts, and who has more of it to be billed."""

    month: date
    lines: tuple[UsageLine, ...]
    still_unbilled: frozenset[int]

    @property
    def lowered_cents(self) -> int:
        """By how much its usage costs less, before the discount; > 0."""
        return -sum(line.amount_cents for line in self.lines)


class BilledMonth(Struct, frozen=True):
    """What was billed for a month: usage, and net of the discount less what was given back; invoices newest first.

    `uses` are the credits that each invoice used, in the order of use, and `stretches` which part of them paid the
    month and did not go back yet: [start, end) of their running total.
    """

    gross_cents: int
    net_cents: int
    invoices: tuple[MonthOnInvoice, ...]
    lines: Mapping[int, int]
    uses: Mapping[int, tuple[Movement, ...]]
    stretches: Mapping[int, tuple[int, int]]


def first_open_month(payer_id: int) -> Month | None:
    """The month after the last one that is issued or had nothing to bill; None before there is any."""
    settled = Q(kind=CloseOutcome.Kind.NIL) | Q(
        kind=CloseOutcome.Kind.INVOICE, invoice__document_state=DocumentState.ISSUED.value
    )
    last = CloseOutcome.objects.filter(settled, organization=payer_id).order_by("-month").first()
    return month_of(last.month).next if last else None


def load_lowered(payer_id: int, month: Month, *, lock: bool) -> tuple[Facts, list[LoweredMonth]]:
    """Rate the late usage of a payer before an open month; keep what lowers. Raises Unrateable."""
    loaded = CloseFacts(month, load_tree(month, payer_id, lock=lock), tax_date=month.first_day, lock=lock)
    [facts] = loaded
    lowered = []
    for usage in facts.late_usage:
        owners = usage.owners or facts.organizations
        rated = rate_month(usage, loaded.rate_card(usage), currency=facts.terms.currency, owners=owners)
        if rated.lowered:
            unbilled = frozenset(line.organization_id for line in rated.lines)
            lowered.append(LoweredMonth(usage.month.first_day, rated.lowered, unbilled))
    return facts, lowered


def load_billed_month(payer_id: int, month: date, ppm: int) -> BilledMonth:
    """What a payer's invoices billed for a month, but those that are replaced."""
    invoices = Invoice.objects.filter(
        organization=payer_id,
        kind=Invoice.Kind.INVOICE,
        document_state=DocumentState.ISSUED.value,
        released=False,
        consumption_month__gte=month,
        pk__in=UsageDetail.objects.filter(
            month=month, invoice__organization=payer_id, meter__isnull=False, invoice__consumption_month__gte=month
        ).values("invoice"),
    )
    gross_cents = net_cents = 0
    parts: list[MonthOnInvoice] = []
    lines: dict[int, int] = {}
    uses: dict[int, tuple[Movement, ...]] = {}
    stretches: dict[int, tuple[int, int]] = {}
    for invoice in invoices.order_by("-consumption_month"):
        gross, net, start, end = _month_on(invoice, month, ppm)
        line_id, left_cents = _regularization(invoice, month)
        back = _returned(invoice, month)
        gross_cents, net_cents = gross_cents + gross, net_cents + net
        if line_id is not None:
            lines[invoice.pk] = line_id
        uses[invoice.pk] = _uses(invoice)
        stretches[invoice.pk] = (start, end - back)
        parts.append(MonthOnInvoice(invoice.pk, left_cents, end - back - start))
    corrected_cents, given_cents = _corrections(payer_id, month)
    return BilledMonth(gross_cents + corrected_cents, net_cents - given_cents, tuple(parts), lines, uses, stretches)


def _month_on(invoice: Invoice, month: date, ppm: int) -> tuple[int, int, int, int]:
    """Gross, net, and the stretch of the invoice's used credits that paid the month: late months first."""
    details = UsageDetail.objects.filter(invoice=invoice).order_by()
    sums = details.filter(meter__isnull=False).values_list("month").annotate(cents=Sum("amount_cents"))
    gross = dict(sums.order_by("month"))
    discount = details.filter(meter__isnull=True).aggregate(cents=Sum("amount_cents", default=0))["cents"]
    nets = dict(zip(gross, net_by_month(list(gross.values()), -discount, ppm), strict=True))
    start = sum(cents for day, cents in nets.items() if day < month)
    used = sum(cents for _, cents in _uses(invoice))
    return gross[month], nets[month], min(start, used), min(start + nets[month], used)


def _uses(invoice: Invoice) -> tuple[Movement, ...]:
    rows = invoice.credit_entries.filter(kind=Kind.USE).order_by("pk").values_list("grant_id", "amount_cents")
    return tuple((grant_id, -cents) for grant_id, cents in rows)


def _returned(invoice: Invoice, month: date) -> int:
    """What the month's grants got back already."""
    rows = invoice.credit_entries.filter(kind=Kind.RETURN, month=month)
    return int(rows.aggregate(cents=Sum("amount_cents", default=0))["cents"])


def _regularization(invoice: Invoice, month: date) -> tuple[int | None, int]:
    """The line of the month and what is left of it; a discount on the whole invoice may have left less of its rate."""
    creditable = load_creditable(invoice.pk)
    left_of_rates = {rate.rate: rate.base_cents - rate.credited_base_cents for rate in creditable.rates}
    for line in creditable.lines:
        row = creditable.rows[line.id]
        if row.kind == InvoiceLine.Kind.REGULARIZATION and row.period_start == month:
            return line.id, min(line.left_cents, left_of_rates[line.rate])
    return None, 0


def _corrections(payer_id: int, month: date) -> tuple[int, int]:
    """What was corrected of the month before: of its usage (<= 0), and given back net (>= 0)."""
    gross_cents = given_cents = 0
    rows = UsageCorrection.objects.filter(organization=payer_id, month=month)
    for row in rows.select_related("credit_note"):
        gross_cents += sum(cents for *_, cents in row.lines)
        given_cents += row.returned_cents + (row.credit_note.subtotal_cents if row.credit_note else 0)
    return gross_cents, given_cents
