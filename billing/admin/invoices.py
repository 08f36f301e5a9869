"""Invoices: a list, and a page with the three sections as a person wants to read them."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, RadioFilter, RangeDateFilter
from unfold.decorators import display

from billing import formatting
from billing.admin import _displays as displays
from billing.admin._actions import ActionsMixin, PageAction
from billing.admin._adjusting import ADJUST_ACTIONS, HOLD_ACTIONS, ROW_ACTIONS, adjustments_context
from billing.admin._base import ComputedAdmin
from billing.admin._crediting_actions import CREDITING_ACTIONS
from billing.admin._delivery import DELIVERY_ACTIONS, delivery_context, file_urls
from billing.admin._draft_forms import seen_of
from billing.admin._invoice_page import invoice_context
from billing.admin._reviewing import APPROVE_ACTIONS, CHECK_ACTIONS, FINDING_ACTIONS, ISSUE_ACTIONS, review_context
from billing.admin._settling_actions import SETTLING_ACTIONS, UNDO_ACTIONS
from billing.admin.explanations import explanation_urls
from billing.admin.previews import preview_urls
from billing.models import Invoice
from billing.models._invoices import PAYMENT_STATES
from billing.queries.approvals import printed_parties_of
from billing.queries.archive import left_to_render
from billing.queries.awaiting_approval import drafts_awaiting_approval
from billing.queries.draft_checks import MUST_BE_MENDED, failure_count, must_be_mended
from billing.queries.invoice_pages import InvoicePage
from billing.queries.invoices import due_cents, find_by_number, live_invoice
from billing.queries.review_pages import load_review
from organizations.admin._exports import Money, exports

STATUS_COLOURS = {
    "draft": "info",
    "discarded": "default",
    "issued": "success",
    "pending": "warning",
    "overdue": "danger",
    "processing": "info",
    "payment_held": "danger",
    "paid": "success",
    "canceled": "default",
    "refunded": "default",
    "wont_pay": "danger",
}
REVIEW_COLOURS = {"on_hold": "warning", "open": "danger", "warnings": "warning"}
STATUS_LABELS = {
    **dict(PAYMENT_STATES),
    "draft": _("draft"),
    "discarded": _("discarded"),
    "overdue": _("overdue"),
    "issued": _("issued"),
}
FILTER_LABELS = {
    "draft": STATUS_LABELS["draft"],
    "ready": _("draft, ready"),
    "awaiting": _("draft, waiting for approval"),
    "review": _("draft, to be reviewed"),
    "on_hold": _("draft, on hold"),
    "issued": _("issued"),
    **{
        name: STATUS_LABELS[name]
        for name in (
            "pending",
            "overdue",
            "processing",
            "payment_held",
            "paid",
            "canceled",
            "refunded",
            "wont_pay",
        )
    },
}
DRAFT_STATES = {
    "draft": Q(),
    "ready": Q(hold_reason="", open_findings=0) & ~MUST_BE_MENDED,
    "review": Q(hold_reason="") & (Q(open_findings__gt=0) | MUST_BE_MENDED),
    "on_hold": ~Q(hold_reason=""),
}


def status_of(invoice: Invoice, today: date) -> str:
    """The document's state until it is issued, then where its money is; `overdue` when it is late.

    Nobody pays a credit note: it is issued, and that is all.
    """
    if invoice.document_state != "issued":
        return invoice.document_state
    if invoice.kind == Invoice.Kind.CREDIT_NOTE:
        return "issued"
    if invoice.payment_state == "pending" and invoice.due_date is not None and invoice.due_date < today:
        return "overdue"
    return invoice.payment_state


class StatusFilter(RadioFilter):
    """The one status that people speak of, from the two that are stored."""

    title = _("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Draft and what it waits for, then where the money is."""
        return list(FILTER_LABELS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> QuerySet[Invoice]:
        """Apply the choice; without one, discarded drafts are left out."""
        match self.value():
            case None | "":
                return queryset
            case "ready":
                ready = queryset.filter(DRAFT_STATES["ready"], document_state="draft")
                return ready.exclude(pk__in=_awaiting_approval())
            case "draft" | "review" | "on_hold" as state:
                return queryset.filter(DRAFT_STATES[state], document_state="draft")
            case "awaiting":
                return queryset.filter(pk__in=_awaiting_approval())
            case "issued":
                return queryset.filter(document_state="issued", kind=Invoice.Kind.INVOICE)
            case "overdue":
                late = Q(payment_state="pending", due_date__lt=timezone.localdate(), kind=Invoice.Kind.INVOICE)
                return queryset.filter(late, document_state="issued")
            case state:
                return queryset.filter(document_state="issued", payment_state=state, kind=Invoice.Kind.INVOICE)


def _awaiting_approval() -> set[int]:
    """Of all months that have drafts."""
    drafts = Invoice.objects.filter(document_state="draft", kind=Invoice.Kind.INVOICE).order_by()
    months = drafts.values_list("consumption_month", flat=True).distinct()
    return {pk for month in months for pk in drafts_awaiting_approval(month).values_list("pk", flat=True)}


class FilesFilter(RadioFilter):
    """Issued documents whose files are still to be made."""

    title = _("files")
    parameter_name = "files"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """What is left; what is stored is nearly everything."""
        return [("left", _("not stored yet")), ("failed", _("failed"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> QuerySet[Invoice]:
        """Apply the choice; a partial index holds exactly these."""
        match self.value():
            case "left":
                return queryset.filter(pk__in=left_to_render().values("pk"))
            case "failed":
                return queryset.filter(pk__in=left_to_render().filter(state="failed").values("pk"))
            case _:
                return queryset


@admin.register(Invoice)
class InvoiceAdmin(ActionsMixin[Invoice], ComputedAdmin[Invoice]):
    """Everything on an invoice is computed; what people decide about a draft are buttons with a dialog."""

    page_actions: ClassVar[Sequence[PageAction[Any]]] = (
        *ISSUE_ACTIONS,
        *HOLD_ACTIONS,
        *APPROVE_ACTIONS,
        *ADJUST_ACTIONS,
        *ROW_ACTIONS,
        *FINDING_ACTIONS,
        *CHECK_ACTIONS,
        *SETTLING_ACTIONS,
        *UNDO_ACTIONS,
        *CREDITING_ACTIONS,
        *DELIVERY_ACTIONS,
    )
    list_display = [
        "name",
        displays.link_column("organization", _("organization")),
        displays.month_column("consumption_month", _("month")),
        "status",
        "review",
        displays.money_column("subtotal_cents", _("excl. VAT"), currency=""),
        displays.money_column("vat_cents", _("VAT"), currency=""),
        displays.money_column("total_cents", _("total")),
        "due",
        "issue_date",
        "due_date",
    ]
    list_select_related = ["organization", "organization__billing_profile", "e_invoice_check"]
    list_filter = [
        StatusFilter,
        FilesFilter,
        ("kind", ChoicesDropdownFilter),
        ("organization", AutocompleteSelectFilter),
        ("issue_date", RangeDateFilter),
        ("due_date", RangeDateFilter),
    ]
    search_fields = ["number"]
    search_help_text = _("Invoice number, or beginning of the organization's name or identifier")
    search_organization = "organization"
    date_hierarchy = "consumption_month"
    change_form_template = "admin/invoice_page.html"
    fields = ()
    empty_hint = _("Closing a month generates one draft invoice per organization: manage.py close_month YYYY-MM.")

    def get_urls(self) -> list[URLPattern]:
        """The panels that explain a figure, the preview and the files, before Django's own patterns."""
        site = self.admin_site
        return [*explanation_urls(site), *preview_urls(site), *file_urls(site), *super().get_urls()]

    @exports(lambda invoice: invoice.number)
    @display(description=_("number"), ordering="counter")
    def name(self, invoice: Invoice) -> Any:
        """The number, or that there is none yet."""
        return formatting.nowrap(invoice.number or str(_("no number yet")))

    @display(description=_("status"), label=STATUS_COLOURS)
    def status(self, invoice: Invoice) -> tuple[str, str]:
        """Draft, then where the money is."""
        status = status_of(invoice, timezone.localdate())
        return status, str(STATUS_LABELS[status])

    @display(description=_("review"), label=REVIEW_COLOURS)
    def review(self, invoice: Invoice) -> tuple[str, str] | None:
        """What a draft waits for, or what somebody should look at."""
        if invoice.document_state != "draft":
            return None
        if invoice.hold_reason:
            return "on_hold", str(_("on hold"))
        if invoice.open_findings:
            return "open", ngettext(
                "%d open finding", "%d open findings", invoice.open_findings
            ) % invoice.open_findings
        if errors := failure_count(invoice):
            look = "open" if must_be_mended(invoice) else "warnings"
            return look, ngettext("e-invoice: %d error", "e-invoice: %d errors", errors) % errors
        warnings = sum(1 for note in invoice.review_notes if note.get("severity", "warning") == "warning")
        return ("warnings", ngettext("%d warning", "%d warnings", warnings) % warnings) if warnings else None

    @exports(lambda invoice: Money(due_cents(invoice), invoice.currency))
    @display(description=_("amount due"), formatting="price")
    def due(self, invoice: Invoice) -> Any:
        """What is left to pay; nobody pays a credit note."""
        if invoice.kind == Invoice.Kind.CREDIT_NOTE:
            return ""
        return formatting.format_money(due_cents(invoice))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Invoice], search_term: str
    ) -> tuple[QuerySet[Invoice], bool]:
        """Find an invoice by its number or counter, else the invoices of an organization."""
        term = search_term.strip()
        found = find_by_number(queryset, term) if term else None
        return (found, False) if found is not None else super().get_search_results(request, queryset, search_term)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the sections instead of a form."""
        invoice = self.get_object(request, object_id)
        context = {} if invoice is None or not self.has_view_permission(request) else invoice_context(request, invoice)
        if invoice is not None and context:
            status = status_of(invoice, timezone.localdate())
            context |= {
                "status": status,
                "status_label": STATUS_LABELS[status],
                "status_colour": STATUS_COLOURS[status],
                "due_cents": due_cents(invoice),
                **self._actions_context(request, invoice, context["page"]),
            }
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def action_url(self, row: Invoice, name: str) -> str:
        """The address of a dialog, with what the person sees now: a draft that changed meanwhile is not overwritten."""
        seen = {"seen": seen_of(row)}
        if name == "approve":
            seen["parties"] = printed_parties_of(row)
        return f"{super().action_url(row, name)}?{urlencode(seen)}"

    def _actions_context(self, request: HttpRequest, invoice: Invoice, page: InvoicePage) -> dict[str, Any]:
        """The buttons where they belong: of the document, of each finding, of adjustments, of each adjustment."""
        review, buttons = load_review(invoice), self.buttons(request, invoice)
        if not review.may_be_approved_by(request.user.pk):
            buttons = [button for button in buttons if button.name != "approve"]
        adjusting, of_rows = _names(ADJUST_ACTIONS), _names((*ROW_ACTIONS, *FINDING_ACTIONS, *UNDO_ACTIONS))
        delivering = _names(DELIVERY_ACTIONS)
        urls = {button.name: button.url for button in buttons if button.name in of_rows}
        return {
            "buttons": [button for button in buttons if button.name not in adjusting | of_rows | delivering],
            "adjust_buttons": [button for button in buttons if button.name in adjusting],
            "delivery_buttons": [button for button in buttons if button.name in delivering],
            **delivery_context(invoice),
            "undo_url": urls.get("undo-allocation", ""),
            **adjustments_context(invoice, page, urls),
            **review_context(review, urls),
            "instead": live_invoice(invoice) if invoice.document_state == "discarded" or invoice.released else None,
        }


def _names(actions: Iterable[PageAction[Invoice]]) -> set[str]:
    return {action.name for action in actions}
