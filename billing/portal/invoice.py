"""One invoice or credit note: what it says, what became of it, how to pay it, and its files."""

import logging
from io import BytesIO
from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from billing.documents.e_invoice import ubl_xml
from billing.documents.html import how_to_pay, html_document
from billing.domain.documents import Language
from billing.domain.lifecycle import PaymentState
from billing.models import ArchivedDocument, Invoice
from billing.portal._access import Seat, money_page
from billing.portal._pages import render_page
from billing.portal._words import status_of
from billing.queries.archive import FileKind, file_name, open_file
from billing.queries.customer_invoices import find_issued, is_overdue, load_account
from billing.queries.documents import load_document
from billing.queries.focus import CONTENT_TYPE, FocusMismatch, focus_file, focus_of_organization
from billing.queries.months import month_of
from billing.queries.snapshot import read_snapshot
from billing.queries.usage_rows import usage_header, usage_rows
from organizations.spreadsheets.writing import CONTENT_TYPES, write_csv

logger = logging.getLogger(__name__)

FILE_TYPES: dict[FileKind, str] = {"pdf": "application/pdf", "xml": "application/xml"}


@money_page
@require_safe
def invoice(request: HttpRequest, seat: Seat, number: str) -> HttpResponse:
    """Show it in the language of whoever reads."""
    row = _find(seat, number)
    language = _language()
    document, account = load_document(row.pk, language=language), load_account(row)
    is_invoice, today = row.kind == Invoice.Kind.INVOICE, timezone.localdate()
    status = status_of(row, today=today)
    shown = html_document(
        document,
        language=language,
        details_page=request.GET.get("details", "1"),
        due_note=status.sentence if is_invoice else None,
    )
    is_payable = is_invoice and row.payment_state == PaymentState.PENDING
    is_late = is_overdue(row, today)
    context: dict[str, Any] = {
        "invoice": row,
        "shown": shown,
        "status": status,
        "account": account,
        "pay": how_to_pay(document, left_cents=account.due_cents, is_late=is_late, language=language)
        if is_payable
        else None,
        "has_usage": bool(document.usage),
        "is_stored": ArchivedDocument.objects.filter(pk=row.pk, state=ArchivedDocument.State.STORED).exists(),
    }
    return render_page(request, seat, "portal/invoice.html", context, current="invoices")


@money_page
@require_safe
def usage_csv(request: HttpRequest, seat: Seat, number: str) -> HttpResponseBase:
    """The usage details as a file that spreadsheets open, and never compute."""
    row = _find(seat, number)
    file = write_csv(str(row), usage_header(), usage_rows(row))
    return FileResponse(file, as_attachment=True, filename=file_name(row, "csv"), content_type=CONTENT_TYPES["csv"])


@money_page
@require_safe
def focus_csv(request: HttpRequest, seat: Seat, number: str) -> HttpResponseBase:
    """What was invoiced for its month as a dataset for cost tools; a sentence when it would not sum to the invoices."""
    row = _find(seat, number)
    month = month_of(row.consumption_month)
    try:
        with read_snapshot():
            file, _rows = focus_file(focus_of_organization(seat.organization.pk, month))
    except FocusMismatch:
        logger.exception("There is no dataset of %s for %s.", month, seat.organization)
        messages.error(request, _("There is no dataset of this month: ask our billing team."))
        return redirect("portal:invoice", seat.organization.external_id, row.number)
    return FileResponse(file, as_attachment=True, filename=f"focus-{month}.csv", content_type=CONTENT_TYPE)


@money_page
@require_safe
def document_file(request: HttpRequest, seat: Seat, number: str, kind: FileKind) -> HttpResponseBase:
    """The PDF or the e-invoice, as stored when it was issued; a page that says so while it is being prepared."""
    row = _find(seat, number)
    stored = ArchivedDocument.objects.filter(pk=row.pk, state=ArchivedDocument.State.STORED).first()
    if stored is None:
        return _not_ready(request, seat, row)
    try:
        file = open_file(stored, kind)
    except OSError:
        logger.exception("The %s of %s is not where it was stored.", kind, row)
        return _not_ready(request, seat, row)
    return FileResponse(file, as_attachment=True, filename=file_name(row, kind), content_type=FILE_TYPES[kind])


@money_page
@require_safe
def ubl_file(request: HttpRequest, seat: Seat, number: str) -> HttpResponseBase:
    """The same e-invoice as UBL, written on request: the document does not change any more."""
    row = _find(seat, number)
    file = BytesIO(ubl_xml(load_document(row.pk)))
    return FileResponse(file, as_attachment=True, filename=file_name(row, "ubl.xml"), content_type=FILE_TYPES["xml"])


def _not_ready(request: HttpRequest, seat: Seat, row: Invoice) -> HttpResponse:
    return render_page(request, seat, "portal/invoice/not_ready.html", {"invoice": row}, current="invoices", status=404)


def _find(seat: Seat, number: str) -> Invoice:
    row = find_issued(seat.organization.pk, number)
    if row is None:
        raise Http404
    return row


def _language() -> Language:
    return "fr" if (get_language() or "").startswith("fr") else "en"
