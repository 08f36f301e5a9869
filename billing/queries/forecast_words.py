"""A forecast in words and rows for the customer whose next invoice it is."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from billing import formatting
from billing.domain.consumption import UsageLine
from billing.domain.facts import Reason
from billing.queries.forecast import Forecast
from billing.queries.months import month_of
from billing.queries.reasons import missing_fields

SHOWN = 20


@dataclass(frozen=True)
class Row:
    """What something consumed so far and probably will in the whole month, in cents; `owner`: a sub-organization."""

    name: str
    owner: str
    so_far_cents: int
    expected_cents: int


@dataclass(frozen=True)
class Rows:
    """The largest of them, and how many there are besides with what they come to together."""

    largest: tuple[Row, ...]
    others: int
    rest: Row | None


def rows_by_resource(forecast: Forecast) -> Rows:
    """Resources by what they will probably cost."""
    payer = next(iter(forecast.organizations))
    owners = {line.resource_id: line.organization_id for line in forecast.expected.lines}
    return _rows(
        forecast,
        lambda line: line.resource_id,
        lambda id_: (
            forecast.resources[id_][0],
            "" if owners[id_] == payer else forecast.organizations[owners[id_]],
        ),
    )


def rows_by_organization(forecast: Forecast) -> Rows | None:
    """The payer and its sub-organizations by what they will probably cost; None where there are none."""
    if len(forecast.organizations) < 2:
        return None
    return _rows(forecast, lambda line: line.organization_id, lambda id_: (forecast.organizations[id_], ""))


def _rows(forecast: Forecast, key: Callable[[UsageLine], int], name: Callable[[int], tuple[str, str]]) -> Rows:
    so_far, expected = Counter[int](), Counter[int]()
    for line in forecast.so_far.lines:
        so_far[key(line)] += line.amount_cents
    for line in forecast.expected.lines:
        expected[key(line)] += line.amount_cents
    ranked = sorted(expected, key=lambda id_: (-expected[id_], -so_far[id_], id_))
    largest = tuple(Row(*name(id_), so_far[id_], expected[id_]) for id_ in ranked[:SHOWN])
    others = ranked[SHOWN:]
    rest = Row("", "", sum(so_far[id_] for id_ in others), sum(expected[id_] for id_ in others))
    return Rows(largest, len(others), rest if others else None)


def obstacle_words(reason: Reason, forecast: Forecast) -> str:
    """Say to a customer why there is no forecast, and who does what about it."""
    match reason.code:
        case "previous_month_not_closed" | "previous_month_draft" | "previous_month_blocked":
            month = forecast.month.previous if forecast.open_month is None else month_of(forecast.open_month).previous
            return _("The invoice of %(month)s is not issued yet; the forecast is back once it is.") % {
                "month": formatting.format_month(month.first_day)
            }
        case "incomplete_billing_profile":
            return _("Your billing details lack: %(missing)s. Complete them, so that invoices can be made out.") % {
                "missing": missing_fields(reason.values)
            }
        case "unknown_vat_rate":
            return _("We know no VAT rate for your country: check the country in your billing details.")
        case "no_price":
            return _("You use something new whose price is not set yet: our billing team has to set it first.")
    return _("Our billing team has to check the figures first: there is nothing for you to do.")


def nil_words(reason: Reason) -> str:
    """Say to a customer why there will be no invoice."""
    match reason.code:
        case "free_usage_only":
            return _("All that you use is free of charge so far: there will be no invoice.")
        case "nothing_due":
            return _("Your discount covers all that you use: there will be no invoice.")
    return _("Nothing was used, and there is nothing else to pay for: there will be no invoice.")
