"""Invoices with all their parts, which agree with each other, with the ledger and with the usage behind them.

A small close of one organization: what credits do is computed by the domain from the grants that are stored.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Literal

from billing.domain.credits import CreditUse, Grant, use_credits
from billing.domain.direct_lines import DirectLine, single_line
from billing.domain.money import MICRO_PER_CENT
from billing.domain.numbering import render_number
from billing.domain.quantities import MICRO
from billing.domain.statement import make_statement
from billing.domain.taxation import TaxTreatment, tax_subtotals
from billing.models import (
    CloseOutcome,
    CreditGrant,
    CreditStatement,
    Invoice,
    InvoiceLine,
    LegalEntity,
    MonthClose,
    NumberSeries,
    Price,
    Resource,
    TaxSubtotal,
    UsageDetail,
    UsageMonth,
)
from billing.queries.months import month_of
from billing.queries.parties import buyer_snapshots, seller_snapshot
from billing.usecases._archive import await_rendering
from billing.usecases._sealing import seal
from billing.usecases._settlement import after_change, release, settle_credits
from organizations.models import Organization
from tests.builders.credits import book_entry, make_grant
from tests.builders.organizations import make_organization
from tests.builders.payments import make_payment
from tests.builders.usage import OCTOBER, make_meter, make_price, make_resource, make_usage_record

Status = Literal[
    "draft", "pending", "processing", "payment_held", "paid", "canceled", "refunded", "wont_pay", "discarded"
]

FRENCH_VAT = TaxTreatment("S", 2000)

_serial = count(1)


def make_invoice(
    *,
    organization: Organization | None = None,
    status: Status = "draft",
    month: date = OCTOBER,
    fees_cents: int = 0,
    discount_cents: int = 0,
    estimate_cents: int | None = None,
    refill_cents: int | None = None,
    direct: Sequence[DirectLine] = (),
    tax: TaxTreatment = FRENCH_VAT,
    issue_date: date | None = None,
    details: Sequence[UsageDetail] = (),
) -> Invoice:
    """Store an invoice; `status` is that of the export, or `discarded`.

    `fees_cents` (U) is what is left after `discount_cents`; the estimate of the next month defaults to it, and
    `refill_cents` replaces the computed refill. Every status after draft has a number, the day after the month as issue
    date by default, its ledger entries and a sold grant; `paid` has a payment. `details` are printed after the usage of
    the fees, with the invoice's month and organization.
    """
    organization = organization or make_organization()
    use = _use_credits(organization, fees_cents, month)
    statement = make_statement(
        use,
        estimate_cents=fees_cents if estimate_cents is None else estimate_cents,
        pending_cents=_pending_cents(organization),
        negotiated_refill_cents=refill_cents,
    )
    regularization_cents = use.regularization_cents(fees_cents)
    lines = [
        single_line("provision", month_of(month).next, statement.refill_cents),
        single_line("regularization", month_of(month), regularization_cents),
        *direct,
    ]
    lines = [line for line in lines if line.net_cents]
    subtotals = tax_subtotals([(tax.category, tax.rate_bp, line.net_cents) for line in lines], tax)
    direct_cents = sum(line.net_cents for line in direct)
    subtotal_cents = statement.subtotal_cents(fees_cents, direct_cents)
    vat_cents = sum(subtotal.vat_cents for subtotal in subtotals)
    created_at = month_of(month).end + timedelta(hours=3)
    invoice = Invoice.objects.create(
        document_state="discarded" if status == "discarded" else "draft",
        legal_entity=LegalEntity.objects.get(),
        organization=organization,
        consumption_month=month,
        currency=organization.currency,
        subtotal_cents=subtotal_cents,
        vat_cents=vat_cents,
        total_cents=subtotal_cents + vat_cents,
        fingerprint=f"{next(_serial):032x}",
        created_at=created_at,
        computed_at=created_at,
    )
    InvoiceLine.objects.bulk_create(_row(line, invoice, tax, position) for position, line in enumerate(lines, start=1))
    TaxSubtotal.objects.bulk_create(
        TaxSubtotal(
            invoice=invoice,
            category=subtotal.category,
            rate_bp=subtotal.rate_bp,
            base_cents=subtotal.base_cents,
            vat_cents=subtotal.vat_cents,
        )
        for subtotal in subtotals
    )
    CreditStatement.objects.create(
        invoice=invoice,
        **{name: getattr(statement, name) for name in statement.__struct_fields__},
        fees_cents=fees_cents,
        regularization_cents=regularization_cents,
        direct_cents=direct_cents,
        subtotal_cents=subtotal_cents,
    )
    _add_usage(invoice, fees_cents, discount_cents, billed=status not in ("draft", "discarded"))
    for detail in details:
        detail.invoice, detail.month, detail.organization = invoice, month, organization
        detail.save()
    if status != "discarded":
        make_outcome(organization=organization, month=month, invoice=invoice, own_consumption_cents=fees_cents)
    if status not in ("draft", "discarded"):
        _issue(invoice, issue_date or month_of(month).next.first_day)
        _book(invoice, use)
        _sell(invoice, statement.refill_cents)
        _set_status(invoice, status)
    return invoice


def make_credit_note(
    *, refers_to: Invoice, net_cents: int, status: Status = "pending", issue_date: date = date(2026, 11, 10)
) -> Invoice:
    """Store a credit note of one line at 20 % VAT, in October; issued unless `status` is "draft"."""
    invoice = Invoice.objects.create(
        kind="credit_note",
        legal_entity=refers_to.legal_entity,
        organization=refers_to.organization,
        consumption_month=refers_to.consumption_month,
        currency=refers_to.currency,
        refers_to=refers_to,
        subtotal_cents=net_cents,
        vat_cents=net_cents // 5,
        total_cents=net_cents + net_cents // 5,
        fingerprint=f"{next(_serial):032x}",
        created_at=refers_to.created_at,
        computed_at=refers_to.created_at,
    )
    billed = refers_to.lines.exclude(kind="provision").filter(net_cents__gte=net_cents).first()
    assert billed is not None
    printed = make_line(
        kind=billed.kind,
        name=billed.name,
        net_cents=net_cents,
        period_start=billed.period_start,
        period_end=billed.period_end,
    )
    line = _row(printed, invoice, FRENCH_VAT, 1)
    line.credited_line_id = billed.pk
    line.save()
    TaxSubtotal.objects.create(
        invoice=invoice, category="S", rate_bp=2000, base_cents=net_cents, vat_cents=invoice.vat_cents
    )
    if status != "draft":
        invoice.payment_state, invoice.credited_cents = "paid", invoice.total_cents
        _issue(invoice, issue_date)
        _credit(refers_to, invoice.total_cents, _issued_at(invoice))
    return invoice


def _credit(invoice: Invoice, cents: int, at: datetime) -> None:
    """Money that exceeds what is left of a credited invoice is unallocated again."""
    invoice.refresh_from_db()
    over_cents = invoice.paid_cents + invoice.credited_cents + cents - invoice.total_cents
    release(invoice, max(0, over_cents), at)
    invoice.credited_cents += cents
    after_change(invoice, at)


def make_line(
    *,
    kind: str = "one_shot",
    name: str = "Database migration",
    net_cents: int = 80_000,
    source_id: int | None = None,
    period_start: date = date(2026, 10, 20),
    period_end: date = date(2026, 10, 21),
) -> DirectLine:
    """One line that credits never pay, for the parameter `direct` of an invoice."""
    return DirectLine(
        kind, None, source_id, name, period_start, period_end, MICRO, net_cents * MICRO_PER_CENT, net_cents
    )


def make_outcome(
    *,
    organization: Organization,
    month: date = OCTOBER,
    kind: str | None = None,
    invoice: Invoice | None = None,
    payer: Organization | None = None,
    reason_code: str | None = None,
    own_consumption_cents: int = 0,
) -> CloseOutcome:
    """Store what a close made of an organization: an invoice if there is one, else nil unless `kind` says otherwise."""
    kind = kind or ("invoice" if invoice else "nil")
    return CloseOutcome.objects.create(
        close=make_close(month=month),
        month=month,
        organization=organization,
        payer=payer or organization,
        kind=kind,
        invoice=invoice,
        reason_code=("nothing_to_bill" if kind == "nil" else "") if reason_code is None else reason_code,
        own_consumption_cents=own_consumption_cents,
    )


def make_close(*, month: date = OCTOBER) -> MonthClose:
    """Store the close of a month, or find it."""
    close, _ = MonthClose.objects.get_or_create(
        legal_entity=LegalEntity.objects.get(), month=month, defaults={"run": 1, "finished_at": month_of(month).end}
    )
    return close


def _row(line: DirectLine, invoice: Invoice, tax: TaxTreatment, position: int) -> InvoiceLine:
    return InvoiceLine(
        invoice=invoice,
        position=position,
        kind=line.kind,
        organization=invoice.organization,
        source_id=line.source_id,
        name=line.name,
        period_start=line.period_start,
        period_end=line.period_end,
        quantity_micro=line.quantity_micro,
        unit_price_micro=line.unit_price_micro,
        net_cents=line.net_cents,
        vat_category=tax.category,
        vat_rate_bp=tax.rate_bp,
    )


def _use_credits(organization: Organization, fees_cents: int, month: date) -> CreditUse:
    rows = CreditGrant.objects.filter(organization=organization, remaining_cents__gt=0)
    grants = [
        Grant(row.pk, "free" if row.type == "free" else "prepaid", row.remaining_cents, row.starts_on, row.expires_on)
        for row in rows
    ]
    period = month_of(month)
    return use_credits(grants, consumption_cents=fees_cents, first_day=period.first_day, last_day=period.last_day)


def _pending_cents(organization: Organization) -> int:
    return sum(
        CreditGrant.objects.filter(organization=organization, state="pending").values_list("pending_cents", flat=True)
    )


def _add_usage(invoice: Invoice, fees_cents: int, discount_cents: int, *, billed: bool) -> None:
    """Usage of a meter at 0.01 a second: as many seconds as the fees have cents."""
    if not fees_cents and not discount_cents:
        return
    seconds = fees_cents + discount_cents
    meter = make_meter()
    price = Price.objects.filter(meter=meter).first() or make_price(meter=meter)
    organization = invoice.organization
    resource = Resource.objects.filter(organization=organization).first() or make_resource(organization=organization)
    UsageDetail.objects.create(
        invoice=invoice,
        month=invoice.consumption_month,
        organization=organization,
        resource=resource,
        resource_name=resource.name,
        meter=meter,
        zone="par",
        price=price,
        quantity_micro=seconds * MICRO,
        amount_cents=seconds,
    )
    if discount_cents:
        UsageDetail.objects.create(
            invoice=invoice, month=invoice.consumption_month, organization=organization, amount_cents=-discount_cents
        )
    if not UsageMonth.objects.filter(organization=organization, month=invoice.consumption_month).exists():
        make_usage_record(
            resource=resource,
            meter=meter,
            month=invoice.consumption_month,
            quantity_micro=seconds * MICRO,
            unbilled=not billed,
        )


def _issue(invoice: Invoice, issue_date: date) -> None:
    series = NumberSeries.objects.get(legal_entity=invoice.legal_entity, kind=invoice.kind)
    series.last_counter += 1
    series.last_date = issue_date
    series.save()
    invoice.document_state = "issued"
    invoice.counter = series.last_counter
    invoice.number = render_number(series.template, date=issue_date, counter=series.last_counter)
    invoice.issue_date = issue_date
    invoice.due_date = issue_date + timedelta(days=invoice.organization.payment_term_days)
    invoice.issued_at = datetime.combine(issue_date, time(8, 0), UTC)
    invoice.seller = seller_snapshot(invoice.legal_entity)
    invoice.buyer = buyer_snapshots([invoice.organization_id])[invoice.organization_id]
    invoice.save()
    seal([invoice.pk], series)
    await_rendering([invoice.pk], at=invoice.issued_at)
    invoice.refresh_from_db(fields=["content_hash"])


def _book(invoice: Invoice, use: CreditUse) -> None:
    movements = [("use", use.used), ("expiry", (*use.expired, *use.lapsed))]
    for kind, grants in movements:
        for grant_id, cents in grants:
            grant = CreditGrant.objects.get(pk=grant_id)
            book_entry(grant=grant, kind=kind, amount_cents=-cents, invoice=invoice, at=_issued_at(invoice))


def _sell(invoice: Invoice, refill_cents: int) -> None:
    if refill_cents:
        make_grant(
            organization=invoice.organization,
            state="pending",
            amount_cents=refill_cents,
            sold_by=invoice,
        )


def _set_status(invoice: Invoice, status: Status) -> None:
    if status != "paid":
        invoice.payment_state = status
        invoice.save(update_fields=["payment_state"])
        settle_credits([invoice], _issued_at(invoice))
        return
    if invoice.total_cents:
        make_payment(
            organization=invoice.organization,
            amount_cents=invoice.total_cents,
            settles={invoice: invoice.total_cents},
            at=_issued_at(invoice) + timedelta(days=5),
        )
    else:
        invoice.payment_state = "paid"
        invoice.save(update_fields=["payment_state"])
    for grant in CreditGrant.objects.filter(sold_by=invoice):
        grant.state, grant.pending_cents = "active", 0
        grant.save(update_fields=["state", "pending_cents"])
        book_entry(
            grant=grant, kind="grant", amount_cents=grant.amount_cents, at=_issued_at(invoice) + timedelta(days=5)
        )


def _issued_at(invoice: Invoice) -> datetime:
    assert invoice.issued_at is not None
    return invoice.issued_at
