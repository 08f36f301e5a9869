"""One click from a figure of an invoice to how it came about."""

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from billing.admin._explain_lines import explain_line, explain_subtotal, explain_tax, explain_total
from billing.admin._explain_statement import explain_letter
from billing.admin._explain_usage import explain_detail
from billing.admin._explanation import Explanation
from billing.models import Invoice, InvoiceLine, TaxSubtotal, UsageDetail
from billing.queries.explanations import load_statement
from billing.queries.invoice_pages import statement_of
from billing.queries.statement_words import statement_rows


def explanation_urls(site: admin.AdminSite) -> list[URLPattern]:
    """The address of the panel: `…/invoice/<id>/explain/<figure>/`."""
    view = site.admin_view(explain)
    return [path("<int:invoice_id>/explain/<slug:figure>/", view, name="billing_invoice_explain")]


def explain(request: HttpRequest, invoice_id: int, figure: str) -> HttpResponse:
    """Show the panel: in a dialog, or as a page of its own where there is no script."""
    if not request.user.has_perm("billing.view_invoice"):
        raise Http404
    invoice = Invoice.objects.select_related("organization").filter(pk=invoice_id).first()
    explanation = None if invoice is None else find_explanation(invoice, figure)
    if invoice is None or explanation is None:
        raise Http404
    in_dialog = "HX-Request" in request.headers
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "opts": Invoice._meta,
        "title": explanation.title,
        "invoice": invoice,
        "explanation": explanation,
        "in_dialog": in_dialog,
    }
    return TemplateResponse(request, f"admin/explain/{'panel' if in_dialog else 'page'}.html", context)


def find_explanation(invoice: Invoice, figure: str) -> Explanation | None:
    """Explain a figure by its name: total, subtotal, line-7, vat-3, detail-12, letter-h; None when there is none."""
    kind, _, name = figure.partition("-")
    match kind:
        case "total":
            return explain_total(invoice)
        case "subtotal":
            return explain_subtotal(invoice)
        case "letter":
            return _letter(invoice, name)
    if not (name.isascii() and name.isdecimal() and int(name) < 2**63):
        return None
    match kind:
        case "line":
            line = InvoiceLine.objects.select_related("invoice").filter(invoice=invoice, pk=int(name)).first()
            return None if line is None else explain_line(line)
        case "vat":
            tax = TaxSubtotal.objects.select_related("invoice").filter(invoice=invoice, pk=int(name)).first()
            return None if tax is None else explain_tax(tax)
        case "detail":
            details = UsageDetail.objects.select_related("invoice", "meter", "resource")
            detail = details.filter(invoice=invoice, pk=int(name)).first()
            return None if detail is None else explain_detail(detail)
    return None


def _letter(invoice: Invoice, letter: str) -> Explanation | None:
    row = load_statement(invoice)
    if row is None:
        return None
    statement = statement_of(row)
    rows = statement_rows(statement, fees_cents=row.fees_cents, month=invoice.consumption_month)
    labels = {each.letter: each.label for each in rows}
    return explain_letter(invoice, statement, letter, labels[letter]) if letter in labels else None
