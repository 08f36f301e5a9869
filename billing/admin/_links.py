"""Addresses of filtered lists."""

from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode

from billing.models import Price, UsageDetail


def outcomes(month: date, kind: str | None = None) -> str:
    """The outcomes of a close, of one kind or all."""
    return _list("closeoutcome", **_in_month("month", month), **({"kind__exact": str(kind)} if kind else {}))


def invoices(month: date, status: str | None = None) -> str:
    """The invoices of a consumption month, with one status or all."""
    return _list("invoice", **_in_month("consumption_month", month), **({"status": status} if status else {}))


def unrendered_invoices(month: date | None = None, files: str = "failed") -> str:
    """The issued documents without files, of a consumption month or all; `files` as in the filter."""
    return _list("invoice", files=files, **(_in_month("consumption_month", month) if month else {}))


def invoices_mailed_to_nobody() -> str:
    """The issued documents that nobody got lately."""
    return _list("invoice", files="nobody")


def mails(state: str) -> str:
    """The e-mails in a state."""
    return _list("outgoingmail", state__exact=state)


def invoices_of(organization_id: int) -> str:
    """The invoices of an organization."""
    return _list("invoice", organization__id__exact=organization_id)


def overdue_invoices() -> str:
    """The invoices whose due date is over."""
    return _list("invoice", status="overdue")


def usage_behind(detail: UsageDetail, price: Price | None) -> str:
    """The usage records that a usage detail sums; of a price that changed within the month only its own time."""
    filters: dict[str, Any] = {
        "month__exact": detail.month.isoformat(),
        "organization__id__exact": detail.organization_id,
        "resource__id__exact": detail.resource_id,
        "meter__id__exact": detail.meter_id,
        "zone__exact": detail.zone,
    }
    if price is not None and price.valid_from is not None and price.valid_from.date() > detail.month:
        filters["ended_at__gt"] = price.valid_from.isoformat()
    if price is not None and price.valid_to is not None:
        filters["started_at__lt"] = price.valid_to.isoformat()
    return _list("usagerecord", **filters)


def _in_month(column: str, month: date) -> dict[str, int]:
    return {f"{column}__year": month.year, f"{column}__month": month.month}


def _list(model: str, **filters: Any) -> str:
    return f"{reverse(f'admin:billing_{model}_changelist')}?{urlencode(filters)}"
