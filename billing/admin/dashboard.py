"""The first page of the desk."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from billing.admin import _links as links
from billing.formatting import format_month
from billing.models import CloseOutcome, OutgoingMail
from billing.queries.archive import in_need_of_attention
from billing.queries.dashboard import CloseSummary, load_dashboard
from billing.queries.mails import count_mails_to_decide, mailed_to_nobody
from billing.queries.outcomes import reason_sentences
from billing.queries.webhooks import count_failing_webhooks

Kind = CloseOutcome.Kind

COLOURS = {Kind.INVOICE: "success", Kind.NIL: "quiet", Kind.ON_PARENT: "info", Kind.BLOCKED: "danger"}
NEEDED = ("billing.view_monthclose", "billing.view_closeoutcome", "billing.view_invoice")


def dashboard_callback(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add what the first page shows; people who may not see invoices get the list of what they may see."""
    if not request.user.has_perms(NEEDED):
        return context
    dashboard = load_dashboard(today=timezone.localdate())
    sentences = reason_sentences(dashboard.blocked)
    context |= {
        "dashboard": dashboard,
        "title": _("Dashboard"),
        "closes": [_close(summary) for summary in dashboard.closes],
        "blocked": [(outcome, sentences.get(outcome.pk, "")) for outcome in dashboard.blocked],
        "overdue_url": links.overdue_invoices(),
        "attention": _attention(request),
    }
    if dashboard.month:
        context |= {
            "all_blocked_url": links.outcomes(dashboard.month, Kind.BLOCKED),
            "invoices_url": links.invoices(dashboard.month),
        }
    return context


def _attention(request: HttpRequest) -> dict[str, Any]:
    """What does not heal by itself: documents without files or recipients, e-mails to decide about, webhooks."""
    counts = count_mails_to_decide() if request.user.has_perm("billing.view_outgoingmail") else {}
    labels = {
        OutgoingMail.State.FAILED: _("E-mails could not be sent: their pages say why."),
        OutgoingMail.State.UNCLEAR: _("E-mails may have been sent or not: try them again or give them up."),
    }
    return {
        "documents": in_need_of_attention().count(),
        "documents_url": links.unrendered_invoices(files="left"),
        "webhooks": count_failing_webhooks(timezone.now())
        if request.user.has_perm("billing.view_webhookendpoint")
        else 0,
        "mailed_to_nobody": mailed_to_nobody(timezone.now()).count(),
        "mailed_to_nobody_url": links.invoices_mailed_to_nobody(),
        "mails": [(labels[state], number, links.mails(state)) for state, number in counts.items()],
    }


def _close(summary: CloseSummary) -> dict[str, Any]:
    return {"summary": summary, "title": format_month(summary.close.month), "parts": outcome_parts(summary)}


def outcome_parts(summary: CloseSummary) -> list[dict[str, Any]]:
    """The outcomes of a close as the parts of a bar, each with its number, colour and list."""
    return [
        {
            "label": kind.label,
            "number": summary.counts.get(kind, 0),
            "colour": colour,
            "url": links.outcomes(summary.close.month, kind),
        }
        for kind, colour in COLOURS.items()
    ]
