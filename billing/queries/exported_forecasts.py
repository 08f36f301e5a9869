"""The next invoice of an organization as programs read it: it will probably be so, and nobody owes it yet."""

from datetime import date, datetime

from django.utils.translation import override
from msgspec import Struct

from billing.domain.assembly import Draft, Nil
from billing.domain.money import format_cents
from billing.queries.exports import LANGUAGE
from billing.queries.forecast import Forecast
from billing.queries.forecast_words import nil_words, obstacle_words
from billing.queries.wording import line_description
from organizations.models import Organization


class ForecastLine(Struct):
    """A line of the next invoice; `period_end` is the first day after the period."""

    kind: str
    description: str
    period_start: date
    period_end: date
    net_amount: str


class ForecastInvoice(Struct):
    """What the close would make of the month as it will probably be."""

    lines: list[ForecastLine]
    statement: dict[str, str]
    fees: str
    subtotal: str
    vat: str
    total: str


class ExportedForecast(Struct):
    """The month in progress: usage up to `known_until`, what it costs, and what the whole month probably will.

    Without an `invoice`, `reason_code` and `reason` say why there will be none, or why it cannot be told.
    """

    organization: str
    month: str
    known_until: datetime
    currency: str
    usage_so_far: str
    usage_expected: str
    invoice: ForecastInvoice | None
    reason_code: str | None
    reason: str | None


def export_forecast(organization: Organization, forecast: Forecast) -> ExportedForecast:
    """A forecast in the words of the API. Usage is before the discount on consumption."""
    invoice = forecast.invoice
    reason = None if isinstance(invoice, Draft) else invoice.reason
    with override(LANGUAGE):
        words = nil_words if isinstance(invoice, Nil) else lambda why: obstacle_words(why, forecast)
        return ExportedForecast(
            organization=organization.external_id,
            month=str(forecast.month),
            known_until=forecast.known_until,
            currency=forecast.currency,
            usage_so_far=format_cents(forecast.so_far.gross_cents),
            usage_expected=format_cents(forecast.expected.gross_cents),
            invoice=_invoice(invoice) if isinstance(invoice, Draft) else None,
            reason_code=reason.code if reason else None,
            reason=words(reason) if reason else None,
        )


def _invoice(draft: Draft) -> ForecastInvoice:
    return ForecastInvoice(
        lines=[
            ForecastLine(
                line.kind, line_description(line), line.period_start, line.period_end, format_cents(line.net_cents)
            )
            for line in draft.lines
        ],
        statement={letter: format_cents(cents) for letter, cents in draft.statement.as_letters().items()},
        fees=format_cents(draft.fees_cents),
        subtotal=format_cents(draft.subtotal_cents),
        vat=format_cents(draft.vat_cents),
        total=format_cents(draft.total_cents),
    )
