"""What an issued invoice booked beside itself, taken back: everything it billed is unbilled again.

issuing                                   undoing
USE entries on grants                     RETURN entries of what is still used, to the same grants
EXPIRY entries                            reversed; closing the month again lets them expire anew
charges taken, add-ons billed             free; billed until the first day of the invoice's lines
usage of its details settled              flagged unbilled
outcomes of its month                     blocked, until the month is closed again

The grant that it sold is taken back by its credit note. Nothing here looks at money.
"""

from collections.abc import Collection, Iterable
from datetime import date, datetime

from django.db.models import Min, QuerySet, Sum

from billing.domain.facts import Reason
from billing.domain.lifecycle import DocumentState
from billing.models import AddOn, Charge, CloseOutcome, CreditEntry, Invoice, InvoiceLine, UsageDetail, UsageMonth
from billing.queries.among import among
from billing.queries.late_usage import load_months_settled_by
from billing.queries.months import month_of
from billing.usecases._ledger import book_entries
from billing.usecases._settlement import return_credits

Kind = CreditEntry.Kind


def undo_bookings(invoice: Invoice, at: datetime) -> int:
    """Undo all that a fully credited invoice booked; return how many cents of credits went back to their grants.

    The caller has locked the accounts of everybody who is billed on it.
    """
    booked = invoice.credit_entries
    of_invoice = CreditEntry(month=invoice.consumption_month, invoice=invoice, booked_at=at)
    returned = _reversals(booked.filter(kind__in=(Kind.USE, Kind.RETURN)), Kind.RETURN, of_invoice)
    return_credits(returned, at)
    book_entries(_reversals(booked.filter(kind=Kind.EXPIRY), Kind.EXPIRY, of_invoice))
    Charge.objects.filter(invoice=invoice).update(invoice=None)
    _unbill_add_ons(invoice)
    _flag_usage(invoice)
    reopen_outcomes(
        CloseOutcome.objects.filter(payer=invoice.organization_id, month=invoice.consumption_month),
        Reason("invoice_cancelled", {"number": invoice.number or ""}),
    )
    return sum(entry.amount_cents for entry in returned)


def reopen_nil_month(outcome: CloseOutcome, reason: Reason, at: datetime) -> None:
    """Undo what a month without an invoice settled: it waits for a month before it that is closed again."""
    of_outcome = CreditEntry(month=outcome.month, outcome=outcome, booked_at=at)
    book_entries(_reversals(outcome.credit_entries.filter(kind=Kind.EXPIRY), Kind.EXPIRY, of_outcome))
    month = outcome.month
    rows = CloseOutcome.objects.filter(payer=outcome.payer_id, month=month)
    members = set(rows.values_list("organization_id", flat=True))
    flag_unbilled({**load_months_settled_by([outcome.pk]), month: members}.items())
    reopen_outcomes(rows, reason)


def reopen_outcomes(rows: Iterable[CloseOutcome], reason: Reason) -> None:
    """Make a payer's outcomes of a month blocked: until it is closed again, nothing later can be closed."""
    for outcome in rows:
        outcome.invoice, outcome.settled_usage, outcome.own_consumption_cents = None, [], 0
        if outcome.kind == CloseOutcome.Kind.ON_PARENT:
            outcome.reason_code, outcome.reason_values = "payer_blocked", {}
        else:
            outcome.kind = CloseOutcome.Kind.BLOCKED
            outcome.reason_code, outcome.reason_values = reason.code, dict(reason.values)
        outcome.save()


def flag_unbilled(months: Iterable[tuple[date, Collection[int]]]) -> None:
    """Mark months of organizations that have usage as not billed."""
    for month, organization_ids in months:
        UsageMonth.objects.filter(among("organization", organization_ids), month=month).update(unbilled=True)


def _reversals(entries: QuerySet[CreditEntry], kind: CreditEntry.Kind, place: CreditEntry) -> list[CreditEntry]:
    """One entry per grant that brings the sum of these to 0; month, document and instant are those of `place`."""
    sums = entries.order_by("grant").values_list("grant_id").annotate(cents=Sum("amount_cents"))
    return [
        CreditEntry(
            grant_id=grant_id,
            kind=kind,
            amount_cents=-cents,
            month=place.month,
            invoice_id=place.invoice_id,
            outcome_id=place.outcome_id,
            booked_at=place.booked_at,
        )
        for grant_id, cents in sums
        if cents
    ]


def _unbill_add_ons(invoice: Invoice) -> None:
    """Back to the first day of its lines; to never, where no other invoice billed the add-on."""
    issued = InvoiceLine.objects.filter(
        invoice__kind=Invoice.Kind.INVOICE,
        invoice__document_state=DocumentState.ISSUED.value,
        invoice__released=False,
        kind=InvoiceLine.Kind.ADD_ON,
    )
    lines = invoice.lines.filter(kind=InvoiceLine.Kind.ADD_ON, source_id__isnull=False).order_by()
    first_days = dict(lines.values_list("source_id").annotate(Min("period_start")))
    others = issued.exclude(invoice=invoice).filter(among("source_id", first_days))
    billed_before = set(others.values_list("source_id", flat=True))
    for add_on_id, first_day in first_days.items():
        billed_until = first_day if add_on_id in billed_before else None
        AddOn.objects.filter(pk=add_on_id).update(billed_until=billed_until)
    _unbill_free_add_ons(invoice, first_days)


def _unbill_free_add_ons(invoice: Invoice, printed: Collection[int]) -> None:
    """Those that cost nothing are on no line: back to where the invoice before had left them, if there is one."""
    since = month_of(invoice.consumption_month).next.first_day
    members = CloseOutcome.objects.filter(payer=invoice.organization_id, month=invoice.consumption_month)
    free = AddOn.objects.filter(organization__in=members.values("organization"), billed_until__gt=since)
    free = free.exclude(pk__in=printed)
    before = Invoice.objects.filter(
        organization=invoice.organization_id,
        kind=Invoice.Kind.INVOICE,
        document_state=DocumentState.ISSUED.value,
        released=False,
        consumption_month__lt=invoice.consumption_month,
    )
    if before.exists():
        free.filter(started_on__lt=since).update(billed_until=since)
    free.update(billed_until=None)


def _flag_usage(invoice: Invoice) -> None:
    details = UsageDetail.objects.filter(invoice=invoice, meter__isnull=False).order_by()
    months: dict[date, set[int]] = {}
    for month, organization_id in details.values_list("month", "organization_id").distinct():
        months.setdefault(month, set()).add(organization_id)
    flag_unbilled(months.items())
