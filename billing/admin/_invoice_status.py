"""The status of an invoice that people speak of, its words and colours, and the filters of the list by it."""

from datetime import date
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RadioFilter

from billing.models import Invoice
from billing.models._invoices import PAYMENT_STATES
from billing.queries import draft_states
from billing.queries.archive import left_to_render
from billing.queries.mails import mailed_to_nobody

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
            case "draft":
                return queryset.filter(draft_states.DRAFT)
            case "ready":
                return queryset.filter(draft_states.ready() & ~draft_states.awaiting_approval())
            case "awaiting":
                return queryset.filter(draft_states.awaiting_approval())
            case "review":
                return queryset.filter(draft_states.to_review())
            case "on_hold":
                return queryset.filter(draft_states.ON_HOLD)
            case "issued":
                return queryset.filter(document_state="issued", kind=Invoice.Kind.INVOICE)
            case "overdue":
                late = Q(payment_state="pending", due_date__lt=timezone.localdate(), kind=Invoice.Kind.INVOICE)
                return queryset.filter(late, document_state="issued")
            case state:
                return queryset.filter(document_state="issued", payment_state=state, kind=Invoice.Kind.INVOICE)


class FilesFilter(RadioFilter):
    """Issued documents whose files are still to be made, or that nobody got."""

    title = _("files")
    parameter_name = "files"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """What is left; what is stored is nearly everything."""
        return [("left", _("not stored yet")), ("failed", _("failed")), ("nobody", _("stored, mailed to nobody"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> QuerySet[Invoice]:
        """Apply the choice; partial indexes hold exactly these."""
        match self.value():
            case "left":
                return queryset.filter(pk__in=left_to_render().values("pk"))
            case "failed":
                return queryset.filter(pk__in=left_to_render().filter(state="failed").values("pk"))
            case "nobody":
                return queryset.filter(pk__in=mailed_to_nobody(timezone.now()).values("invoice"))
            case _:
                return queryset
