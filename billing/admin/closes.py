"""Month closes and what became of each organization."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import display

from billing.admin import _displays as displays
from billing.admin import _links as links
from billing.admin._actions import ActionsMixin
from billing.admin._base import ComputedAdmin
from billing.admin._close_actions import CLOSE_ACTIONS, OUTCOME_ACTIONS
from billing.admin.dashboard import outcome_parts
from billing.formatting import format_money
from billing.models import BulkJob, CloseOutcome, MonthClose
from billing.queries.archive import MonthDocuments, count_documents
from billing.queries.cockpit import load_progress, load_states
from billing.queries.dashboard import compare_months, rises_and_falls, summarize_closes
from billing.queries.outcomes import count_reasons, reason_sentences
from organizations.admin._exports import Money, exports

Kind = CloseOutcome.Kind
JOBS, MOVERS = 5, 6
OUTCOME_COLOURS = {"invoice": "success", "blocked": "danger", "on_parent": "info"}


@admin.register(MonthClose)
class MonthCloseAdmin(ActionsMixin[MonthClose], ComputedAdmin[MonthClose]):
    """The closes, each with its cockpit: how far the month is, and what can be done with all of it."""

    page_actions = CLOSE_ACTIONS

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
        context = {} if close is None else {**_close_context(close), "buttons": self.buttons(request, close)}
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})


def _close_context(close: MonthClose) -> dict[str, Any]:
    summary = summarize_closes([close])[0]
    reasons = [*count_reasons(close.month, Kind.BLOCKED), *count_reasons(close.month, Kind.NIL)]
    sentences = reason_sentences([reason.example for reason in reasons])
    jobs = list(BulkJob.objects.filter(close=close).select_related("author").order_by("-id")[:JOBS])
    rises, falls = rises_and_falls(close.month, MOVERS)
    documents = count_documents(close.month)
    return {
        "close": close,
        "state_cells": _state_cells(close),
        "batches": _batches(close),
        "documents": documents,
        "failed_documents_url": links.unrendered_invoices(close.month),
        "jobs": [(job, load_progress(job)) for job in jobs],
        "refreshes_after": _refreshes_after(jobs, documents),
        "movers": [(_("Largest rises"), rises), (_("Largest falls"), falls)],
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


def _refreshes_after(jobs: Iterable[BulkJob], documents: MonthDocuments) -> int:
    """The seconds after which the page looks again, 0 when nothing moves."""
    if any(job.state == BulkJob.State.RUNNING for job in jobs):
        return 2
    return 5 if documents.left > documents.failed else 0


def _state_cells(close: MonthClose) -> list[dict[str, Any]]:
    """The way of a month's invoices from left to right, each number with its list."""
    states, month = load_states(close.month), close.month
    cells = [
        (_("Drafts"), states.drafts, "", links.invoices(month, "draft")),
        (_("Ready"), states.ready, "good", links.invoices(month, "ready")),
        (_("Waiting for approval"), states.awaiting, "warn", links.invoices(month, "awaiting")),
        (_("To be reviewed"), states.review, "warn", links.invoices(month, "review")),
        (_("On hold"), states.on_hold, "warn", links.invoices(month, "on_hold")),
        (_("Blocked"), states.blocked, "bad", links.outcomes(month, Kind.BLOCKED)),
        (_("Nothing to bill"), states.nil, "", links.outcomes(month, Kind.NIL)),
        (_("Issued"), states.issued, "", links.invoices(month, "issued")),
        (_("Paid"), states.paid, "good", links.invoices(month, "paid")),
    ]
    return [
        {"label": label, "number": number, "colour": colour if number else "", "url": url}
        for label, number, colour, url in cells
    ]


def _batches(close: MonthClose) -> dict[str, int]:
    """How many batches of the run are done, of all."""
    run = close.batches.filter(run=close.run)
    return run.aggregate(done=Count("pk", filter=Q(finished_at__isnull=False)), total=Count("pk"))


@admin.register(CloseOutcome)
class CloseOutcomeAdmin(ActionsMixin[CloseOutcome], ComputedAdmin[CloseOutcome]):
    """One row per organization and month."""

    page_actions = OUTCOME_ACTIONS
    change_form_template = "admin/outcome_page.html"

    list_display = [
        displays.link_column("organization", _("organization")),
        displays.month_column("month", _("consumption month")),
        displays.state_column("kind", _("outcome"), OUTCOME_COLOURS),
        "reason",
        displays.link_column("invoice", _("invoice")),
        "own_consumption",
    ]
    list_display_links = None
    ordering = ["-pk"]
    list_select_related = ["organization", "invoice"]
    list_filter = [("kind", ChoicesDropdownFilter), ("organization", AutocompleteSelectFilter)]
    search_fields = ["organization__name"]
    search_help_text = _("Name or identifier, from the beginning")
    search_organization = "organization"
    date_hierarchy = "month"
    fields = ["organization", "payer", "month", "kind", "reason", "invoice", "own_consumption"]
    readonly_fields = ["reason", "own_consumption"]
    empty_hint = _("A close writes one outcome per organization: an invoice, nothing to bill, or why it is blocked.")

    @display(description=_("reason"))
    def reason(self, outcome: CloseOutcome) -> str:
        """The sentence that says what to do."""
        sentences = getattr(outcome, "sentences", None) or reason_sentences([outcome])
        return str(sentences.get(outcome.pk, ""))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the outcome, and the button that tries it again."""
        outcome = self.get_object(request, object_id)
        context = {} if outcome is None else {"buttons": self.buttons(request, outcome)}
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})

    @exports(lambda outcome: Money(_known_consumption(outcome), outcome.organization.currency))
    @display(description=_("own consumption"), formatting="price", ordering="own_consumption_cents")
    def own_consumption(self, outcome: CloseOutcome) -> Any:
        """What a payer and its sub-organizations consumed; of whoever is blocked nobody knows."""
        cents = _known_consumption(outcome)
        return "" if cents is None else format_money(cents, outcome.organization.currency)

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


def _known_consumption(outcome: CloseOutcome) -> int | None:
    return outcome.own_consumption_cents if outcome.kind in (Kind.INVOICE, Kind.NIL) else None
