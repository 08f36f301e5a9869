"""Invoices and credit notes of an organization: lists, one as JSON, as a page, as PDF."""

import logging
from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse, HttpResponse
from django.utils.dateparse import parse_date, parse_datetime
from rest_framework.request import Request

from billing.api.pages import MAX_LIMIT, Readers, read_limit, read_query
from billing.api.problems import Problem, not_found
from billing.api.v4.authentication import PARAMETER
from billing.api.v4.views import DownloadView, MemberView
from billing.api.views import ok
from billing.documents.html import html_document
from billing.models import ArchivedDocument, Invoice
from billing.queries.archive import file_name, open_file
from billing.queries.customer_api.invoices import load_invoice
from billing.queries.customer_api.summaries import load_summaries
from billing.queries.customer_invoices import PENDING, find_issued, issued_to
from billing.queries.documents import load_document
from billing.queries.months import local_day
from organizations.models import Organization

logger = logging.getLogger(__name__)


def read_day(text: str) -> date:
    """A day, or the day of an instant with an offset; the published clients send the latter."""
    plain = text.removesuffix("[UTC]")
    try:
        day = parse_date(plain)
        instant = None if day else parse_datetime(plain)
    except ValueError:
        day = instant = None
    if day is not None:
        return day
    if instant is None or instant.tzinfo is None:
        raise ValueError("write a day such as 2026-11-01, or a time with an offset such as 2026-11-01T00:00:00Z.")
    try:
        return local_day(instant)
    except OverflowError as error:
        raise ValueError("this time has no day here.") from error


class InvoicesView(MemberView):
    """Issued documents, newest first; `since` and `until` are days of issue, inclusive."""

    readers: Readers = {"since": read_day, "until": read_day, "limit": partial(read_limit, most=MAX_LIMIT)}

    def get(self, request: Request, external_id: str) -> Any:
        """All, or those of some days."""
        values = read_query(request.query_params, self.readers)
        organization = self.find_organization(external_id)
        documents = _issued(organization)
        if "since" in values:
            documents = documents.filter(issue_date__gte=values["since"])
        if "until" in values:
            documents = documents.filter(issue_date__lte=values["until"])
        return ok(load_summaries(documents[: values.get("limit")], organization))


class UnpaidInvoicesView(MemberView):
    """The invoices that wait for payment."""

    def get(self, request: Request, external_id: str) -> Any:
        """All of them."""
        read_query(request.query_params, {})
        organization = self.find_organization(external_id)
        unpaid = _issued(organization).filter(kind=Invoice.Kind.INVOICE, payment_state__in=PENDING)
        return ok(load_summaries(unpaid, organization))


class InvoiceView(MemberView):
    """One document."""

    def get(self, request: Request, external_id: str, number: str) -> Any:
        """With everything that it is made of."""
        read_query(request.query_params, {})
        organization = self.find_organization(external_id)
        return ok(load_invoice(_find(organization, number), organization))


class InvoicePageView(DownloadView):
    """One document as a page."""

    def get(self, request: Request, external_id: str, number: str) -> Any:
        """In the customer's language, with all usage details."""
        read_query(request.query_params, LINK)
        row = _find(self.find_organization(external_id), number)
        page = html_document(load_document(row.pk)).page
        return HttpResponse(page.lstrip())


class InvoiceFileView(DownloadView):
    """One document as PDF."""

    def get(self, request: Request, external_id: str, number: str) -> Any:
        """As it was stored when it was issued."""
        read_query(request.query_params, LINK)
        row = _find(self.find_organization(external_id), number)
        stored = ArchivedDocument.objects.filter(pk=row.pk, state=ArchivedDocument.State.STORED).first()
        if stored is None:
            raise _not_ready()
        try:
            file = open_file(stored, "pdf")
        except OSError as error:
            logger.exception("The PDF of %s is not where it was stored.", row)
            raise _not_ready() from error
        return FileResponse(file, as_attachment=True, filename=file_name(row, "pdf"), content_type="application/pdf")


LINK: Mapping[str, Any] = {PARAMETER: str}


def _issued(organization: Organization) -> QuerySet[Invoice]:
    return issued_to(organization.pk).order_by("-issue_date", "-counter", "-pk")


def _find(organization: Organization, number: str) -> Invoice:
    row = find_issued(organization.pk, number)
    if row is None:
        raise not_found("There is no such document of this organization.")
    return row


def _not_ready() -> Problem:
    return Problem(404, "not_ready", "The PDF is still being prepared: ask again in a minute.")
