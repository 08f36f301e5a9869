"""Invoices: a list, and a page with the three sections as a person wants to read them."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, RangeDateFilter
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
from billing.admin._invoice_status import (
    REVIEW_COLOURS,
    STATUS_COLOURS,
    STATUS_LABELS,
    FilesFilter,
    StatusFilter,
    status_of,
)
from billing.admin._reviewing import APPROVE_ACTIONS, CHECK_ACTIONS, FINDING_ACTIONS, ISSUE_ACTIONS, review_context
from billing.admin._settling_actions import SETTLING_ACTIONS, UNDO_ACTIONS
from billing.admin.explanations import explanation_urls
from billing.admin.previews import preview_urls
from billing.models import Invoice
from billing.queries.approvals import printed_parties_of
from billing.queries.draft_checks import failure_count, must_be_mended
from billing.queries.invoice_pages import InvoicePage
from billing.queries.invoices import due_cents, find_by_number, live_invoice
from billing.queries.review_pages import load_review
from organizations.admin._exports import Money, exports


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
