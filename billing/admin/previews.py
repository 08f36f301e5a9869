"""A document as the customer sees it, drafts included: in the customer's language, on a page of its own."""

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path

from billing.documents.html import html_document
from billing.models import Invoice
from billing.queries.documents import load_document


def preview_urls(site: admin.AdminSite) -> list[URLPattern]:
    """The address of the preview: `…/invoice/<id>/preview/`."""
    return [path("<int:invoice_id>/preview/", site.admin_view(preview), name="billing_invoice_preview")]


def preview(request: HttpRequest, invoice_id: int) -> HttpResponse:
    """Show it."""
    is_there = invoice_id < 2**63 and Invoice.objects.filter(pk=invoice_id).exists()
    if not request.user.has_perm("billing.view_invoice") or not is_there:
        raise Http404
    shown = html_document(load_document(invoice_id), details_page=request.GET.get("details", "1"))
    return HttpResponse(shown.page)
