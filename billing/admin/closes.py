"""Month closes and what became of each organization."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import display

from billing.admin import _displays as displays
from billing.admin import _links as links
from billing.admin._base import ComputedAdmin
from billing.admin.dashboard import outcome_parts
from billing.models import CloseOutcome, MonthClose
from billing.queries.dashboard import compare_months, summarize_closes
from billing.queries.outcomes import count_reasons, reason_sentences

Kind = CloseOutcome.Kind
OUTCOME_COLOURS = {"invoice": "success", "blocked": "danger", "on_parent": "info"}


@admin.register(MonthClose)
class MonthCloseAdmin(ComputedAdmin[MonthClose]):
    """The closes, with how far each is."""

    list_display = [displays.month_column("month", _("consumption month")), "state", "run", "started_at", "finished_at"]
    list_select_related = ["legal_entity"]
    date_hierarchy = "month"
    change_form_template = "admin/close_page.html"
    fields = ()
    empty_hint = _(
        "No month is closed yet. The scheduler closes a month once it is over, or run: manage.py close_month."
    )

    @display(description=_("state"), label={"done": "success", "running": "warning"})
    def state(self, close: MonthClose) -> tuple[str, str]:
        """Whether the last run is over."""
        return ("done", str(_("finished"))) if close.finished_at else ("running", str(_("running")))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the close with its outcomes, their reasons and its totals."""
        close = self.get_object(request, object_id)
        context = {} if close is None else _close_context(close)
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})


def _close_context(close: MonthClose) -> dict[str, Any]:
    summary = summarize_closes([close])[0]
    reasons = [*count_reasons(close.month, Kind.BLOCKED), *count_reasons(close.month, Kind.NIL)]
    sentences = reason_sentences([reason.example for reason in reasons])
    return {
        "close": close,
        "summary": summary,
        "parts": outcome_parts(summary),
        "comparisons": compare_months(close.month),
        "reasons": [
            {
                "kind": reason.example.get_kind_display(),
                "is_blocked": reason.example.kind == Kind.BLOCKED,
                "number": reason.number,
                "sentence": sentences.get(reason.example.pk, ""),
                "url": f"{links.outcomes(close.month, reason.example.kind)}&reason_code={reason.example.reason_code}",
            }
            for reason in reasons
        ],
        "invoices_url": links.invoices(close.month),
    }


@admin.register(CloseOutcome)
class CloseOutcomeAdmin(ComputedAdmin[CloseOutcome]):
    """One row per organization and month."""

    list_display = [
        displays.link_column("organization", _("organization")),
        displays.month_column("month", _("consumption month")),
        displays.state_column("kind", _("outcome"), OUTCOME_COLOURS),
        "reason",
        displays.link_column("invoice", _("invoice")),
        displays.money_column("own_consumption_cents", _("own consumption"), currency="organization.currency"),
    ]
    list_display_links = None
    ordering = ["-pk"]
    list_select_related = ["organization", "invoice"]
    list_filter = [("kind", ChoicesDropdownFilter), ("organization", AutocompleteSelectFilter)]
    search_fields = ["organization__name"]
    search_help_text = _("Name or identifier, from the beginning")
    search_organization = "organization"
    date_hierarchy = "month"
    fields = ["organization", "payer", "month", "kind", "reason", "invoice", "own_consumption_cents"]
    readonly_fields = ["reason"]
    currency_path = "organization.currency"
    empty_hint = _("A close writes one outcome per organization: an invoice, nothing to bill, or why it is blocked.")

    @display(description=_("reason"))
    def reason(self, outcome: CloseOutcome) -> str:
        """The sentence that says what to do."""
        sentences = getattr(outcome, "sentences", None) or reason_sentences([outcome])
        return str(sentences.get(outcome.pk, ""))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Word the reasons of a page together, so that no row looks up what its reason names."""
        response = super().changelist_view(request, extra_context)
        changelist = getattr(response, "context_data", {}).get("cl")
        if changelist is not None:
            changelist.result_list = list(changelist.result_list)
            sentences = reason_sentences(changelist.result_list)
            for outcome in changelist.result_list:
                outcome.sentences = sentences
        return response

    def exported_rows(self, rows: QuerySet[CloseOutcome]) -> Iterable[CloseOutcome]:
        """Word the reasons of all rows together as well."""
        outcomes = list(rows)
        sentences = reason_sentences(outcomes)
        for outcome in outcomes:
            outcome.sentences = sentences  # type: ignore[attr-defined]  # for `reason`
        return outcomes

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """The close's page links to the outcomes of one reason."""
        return lookup == "reason_code" or super().lookup_allowed(lookup, value, request)
