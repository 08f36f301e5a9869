"""What an organization consumes: this month so far, the next invoice as it will probably be, and the months before."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from billing import formatting
from billing.domain.assembly import Blocked, Draft, Nil
from billing.portal._access import Seat, money_page
from billing.portal._charts import HEIGHT, WIDTH, Plot, stacked_columns
from billing.portal._pages import render_page
from billing.portal._payers import payer_page
from billing.queries.consumption import Breakdown, Series, load_charts
from billing.queries.credit_history import month_at
from billing.queries.forecast import Forecast, load_forecast
from billing.queries.forecast_words import nil_words, obstacle_words, rows_by_organization, rows_by_resource
from billing.queries.provision_words import is_agreed
from billing.queries.wording import line_description


class _Line(NamedTuple):
    words: str
    cents: int


class _Chart(NamedTuple):
    id: str
    title: str
    width: int
    height: int
    plot: Plot
    months: list[date]
    names: list[str]
    series: Sequence[tuple[str, Series]]
    totals_cents: list[int]


@money_page
@require_safe
@payer_page("consumption")
def consumption(request: HttpRequest, seat: Seat) -> HttpResponse:
    """The forecast and the charts."""
    at = timezone.now()
    forecast = load_forecast(seat.organization, at=at)
    not_invoiced = (*forecast.open_lines, *forecast.so_far.lines) if forecast else ()
    charts = load_charts(seat.organization, month_at(at), not_invoiced)
    context = {
        "forecast": forecast,
        "month": month_at(at).first_day,
        **(_forecast(forecast) if forecast else {}),
        "charts": [
            _chart("resources", _("Consumption by resource"), charts.by_resource),
            *(
                [_chart("organizations", _("Consumption by organization"), charts.by_organization)]
                if charts.by_organization
                else []
            ),
        ]
        if charts.by_resource.series
        else [],
    }
    return render_page(request, seat, "portal/consumption.html", context, current="consumption")


def _forecast(forecast: Forecast) -> dict[str, object]:
    invoice = forecast.invoice
    words: dict[str, object] = {
        "by_resource": rows_by_resource(forecast),
        "by_organization": rows_by_organization(forecast),
        "open_month": forecast.open_month,
    }
    match invoice:
        case Draft():
            return words | {
                "invoice": invoice,
                "lines": [_Line(line_description(line), line.net_cents) for line in invoice.lines],
                "is_agreed": is_agreed(invoice.statement),
                "taxes": [(formatting.format_rate(tax.rate_bp), tax.vat_cents) for tax in invoice.tax_subtotals],
            }
        case Nil():
            return words | {"sentence": nil_words(invoice.reason)}
        case Blocked():
            return words | {
                "sentence": obstacle_words(invoice.reason, forecast),
                "is_blocked": True,
                "mend": invoice.reason.code in ("incomplete_billing_profile", "unknown_vat_rate"),
            }


def _chart(id_: str, title: str, breakdown: Breakdown) -> _Chart:
    return _Chart(
        id_,
        title,
        WIDTH,
        HEIGHT,
        stacked_columns([each.cents for each in breakdown.series]),
        breakdown.months,
        [date_format(day, "N y") for day in breakdown.months],
        [(_name(each), each) for each in breakdown.series],
        breakdown.totals_cents,
    )


def _name(series: Series) -> str:
    if series.id is None:
        return _("All others")
    return f"{series.name} ({series.owner})" if series.owner else series.name
