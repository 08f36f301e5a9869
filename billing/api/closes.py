"""Month closes and what became of each organization. For keys of the platform only."""

from typing import Any

from rest_framework.request import Request

from billing.api.pages import PAGING, Readers, answer_page, read_month, read_page, read_query
from billing.api.problems import not_found
from billing.api.views import KeyView, ok
from billing.models import CloseOutcome, MonthClose
from billing.queries.exported_closes import export_close, export_outcomes, export_report

OUTCOMES = tuple(CloseOutcome.Kind.values)


def read_outcome(text: str) -> str:
    """What a close made of an organization."""
    if text not in OUTCOMES:
        raise ValueError(f"choose among {', '.join(OUTCOMES)}.")
    return text


class MonthClosesView(KeyView):
    """Closes, in the order in which they were begun."""

    scopes = {"GET": "closes:read"}

    def get(self, request: Request) -> Any:
        """One page."""
        values = read_query(request.query_params, PAGING)
        rows = MonthClose.objects.all()
        return ok(answer_page(rows, read_page(values), lambda closes: [export_close(close) for close in closes]))


class MonthCloseView(KeyView):
    """The close of one month."""

    scopes = {"GET": "closes:read"}

    def get(self, request: Request, month: str) -> Any:
        """Its counts and totals."""
        read_query(request.query_params, {})
        return ok(export_report(_find(month)))


class OutcomesView(KeyView):
    """The outcomes of one month."""

    scopes = {"GET": "closes:read"}
    readers: Readers = {**PAGING, "organization": str, "outcome": read_outcome}

    def get(self, request: Request, month: str) -> Any:
        """One page."""
        values = read_query(request.query_params, self.readers)
        rows = CloseOutcome.objects.filter(close=_find(month)).select_related("organization", "payer", "invoice")
        if "organization" in values:
            rows = rows.filter(organization__external_id=values["organization"])
        if "outcome" in values:
            rows = rows.filter(kind=values["outcome"])
        return ok(answer_page(rows, read_page(values), export_outcomes))


def _find(text: str) -> MonthClose:
    try:
        first_day = read_month(text).first_day
    except ValueError as error:
        raise not_found() from error
    close = MonthClose.objects.filter(month=first_day).first()
    if close is None:
        raise not_found()
    return close
