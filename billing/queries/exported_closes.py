"""Month closes and their outcomes, as programs read them."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from billing.domain.money import format_cents
from billing.models import CloseOutcome, MonthClose
from billing.queries.accounts import Scope
from billing.queries.close_reports import CloseReport
from billing.queries.months import month_of
from billing.queries.outcomes import reason_sentences


class ExportedClose(Struct):
    """A run over a month."""

    month: str
    run: int
    started_at: datetime | None
    finished_at: datetime | None


class ExportedTotals(Struct):
    """Sums of the month's invoices in one currency."""

    currency: str
    subtotal: str
    vat: str
    total: str


class ExportedReport(Struct):
    """What a close led to."""

    month: str
    run: int
    started_at: datetime | None
    finished_at: datetime | None
    invoices: int
    nil: int
    blocked: int
    totals: list[ExportedTotals]


class ExportedOutcome(Struct):
    """What a close made of one organization."""

    organization: str
    payer: str
    outcome: str
    invoice: str | None
    invoice_status: str | None
    reason_code: str | None
    reason: str | None


def export_close(close: MonthClose) -> ExportedClose:
    """A close in the words of the API."""
    return ExportedClose(f"{close.month:%Y-%m}", close.run, close.started_at, close.finished_at)


def export_report(close: MonthClose) -> ExportedReport:
    """A close with its counts and totals."""
    report = CloseReport.load(month_of(close.month), Scope())
    totals = [
        ExportedTotals(currency, *map(format_cents, (sums.subtotal_cents, sums.vat_cents, sums.total_cents)))
        for currency, sums in sorted(report.totals.items())
    ]
    return ExportedReport(
        f"{close.month:%Y-%m}",
        *(close.run, close.started_at, close.finished_at, report.invoices, report.nil, report.blocked, totals),
    )


def export_outcomes(outcomes: Sequence[CloseOutcome]) -> list[ExportedOutcome]:
    """Outcomes with the sentences of their reasons."""
    reasons = reason_sentences(outcomes)
    return [
        ExportedOutcome(
            organization=outcome.organization.external_id,
            payer=outcome.payer.external_id,
            outcome=outcome.kind,
            invoice=outcome.invoice.number if outcome.invoice else None,
            invoice_status=outcome.invoice.document_state if outcome.invoice else None,
            reason_code=outcome.reason_code or None,
            reason=reasons.get(outcome.pk),
        )
        for outcome in outcomes
    ]
