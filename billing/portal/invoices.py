"""The invoices of an organization."""

from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from billing.portal._access import Seat, money_page
from billing.portal._pages import render_page
from billing.portal._words import status_of
from billing.queries.customer_invoices import Listed, load_invoice_list

LONGEST_TERM = 100


@money_page
@require_safe
def invoices(request: HttpRequest, seat: Seat) -> HttpResponse:
    """List them, or those looked for: pending, awaiting payment validation, settled by year of issue."""
    today = timezone.localdate()
    term = request.GET.get("q", "").strip()[:LONGEST_TERM]
    found = load_invoice_list(seat.organization.pk, today=today, term=term, page=request.GET.get("page", "1"))
    groups = [
        ("pending", _("Pending"), True, found.pending),
        ("processing", _("Awaiting payment validation"), True, found.processing),
        *((f"year-{each.year}", _settled_of(each.year), False, each.invoices) for each in found.years),
    ]
    context = {
        "term": term,
        "query": f"{urlencode({'q': term})}&" if term else "",
        "found": found,
        "currency": seat.organization.currency,
        "groups": [(*group, [_row(each, today) for each in rows]) for *group, rows in groups if rows],
        "page": found.page,
    }
    return render_page(request, seat, "portal/invoices.html", context, current="invoices")


def _settled_of(year: int) -> str:
    return _("Settled, issued in %(year)d") % {"year": year}


def _row(listed: Listed, today: date) -> dict[str, Any]:
    return {
        "invoice": listed.invoice,
        "status": status_of(listed.invoice, today=today),
        "due_cents": listed.due_cents,
        "credit_notes": listed.credit_notes,
    }
