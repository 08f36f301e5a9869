"""The sidebar: what a person may see, grouped as finance thinks of it."""

from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.dataclasses import SearchResult

from billing.formatting import change_url
from billing.models import Invoice
from billing.queries.invoices import find_by_number
from organizations.queries import find_organizations

# How many of each kind the search box shows.
FOUND = 8

# Title, symbol, app label, model name.
type Entry = tuple[Any, str, str, str]

GROUPS: list[tuple[Any, list[Entry]]] = [
    (
        _("Billing"),
        [
            (_("Invoices"), "receipt_long", "billing", "invoice"),
            (_("Month closes"), "event_available", "billing", "monthclose"),
            (_("Outcomes"), "rule", "billing", "closeoutcome"),
            (_("Bulk work"), "playlist_play", "billing", "bulkjob"),
            (_("Charges"), "post_add", "billing", "charge"),
            (_("Payments"), "payments", "billing", "payment"),
            (_("E-mails"), "mail", "billing", "outgoingmail"),
        ],
    ),
    (
        _("Customers"),
        [
            (_("Organizations"), "apartment", "organizations", "organization"),
            (_("Resources"), "deployed_code", "billing", "resource"),
            (_("Usage"), "monitoring", "billing", "usagerecord"),
            (_("Add-ons"), "extension", "billing", "addon"),
        ],
    ),
    (
        _("Catalogue"),
        [
            (_("Meters"), "speed", "billing", "meter"),
            (_("Prices"), "sell", "billing", "price"),
            (_("Add-on plans"), "inventory_2", "billing", "addonplan"),
        ],
    ),
    (
        _("Credits"),
        [
            (_("Credit grants"), "savings", "billing", "creditgrant"),
            (_("Credit entries"), "swap_vert", "billing", "creditentry"),
            (_("Coupons"), "confirmation_number", "billing", "coupon"),
            (_("Coupon uses"), "redeem", "billing", "couponuse"),
        ],
    ),
    (
        _("Settings"),
        [
            (_("Legal entity"), "domain", "billing", "legalentity"),
            (_("VAT rates"), "percent", "billing", "taxrate"),
            (_("Legal texts"), "gavel", "billing", "legaltext"),
            (_("Exchange rates"), "currency_exchange", "billing", "exchangerate"),
            (_("Number series"), "tag", "billing", "numberseries"),
            (_("Review thresholds"), "flag", "billing", "reviewthresholds"),
            (_("Approval policy"), "verified", "billing", "approvalpolicy"),
            (_("Users"), "person", "organizations", "user"),
            (_("Groups"), "group", "auth", "group"),
            (_("API keys"), "vpn_key", "billing", "apikey"),
            (_("Webhooks"), "webhook", "billing", "webhookendpoint"),
            (_("Messages to webhooks"), "outbox", "billing", "webhookdelivery"),
            (_("Second factors"), "key", "mfa", "authenticator"),
            (_("Events"), "manage_history", "billing", "event"),
            (_("Audit trail"), "history", "admin", "logentry"),
            (_("Configuration changes"), "manage_history", "auditlog", "logentry"),
        ],
    ),
]


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Return Unfold's navigation with the entries that the person may see; a group without any is left out."""
    dashboard = {"title": _("Dashboard"), "icon": "dashboard", "link": reverse("admin:index")}
    groups: list[dict[str, Any]] = [{"title": None, "items": [dashboard]}]
    for title, entries in GROUPS:
        items = [_item(*entry) for entry in entries if _may_see(request, entry)]
        if items:
            groups.append({"title": title, "separator": True, "items": items})
    return groups


def find(request: HttpRequest, term: str) -> list[SearchResult]:
    """Answer the search box of the sidebar: a few invoices by number, then organizations, if they may be seen."""
    results = []
    if request.user.has_perm("billing.view_invoice"):
        invoices = find_by_number(Invoice.objects.select_related("organization"), term)
        results += [_found(invoice, invoice.organization.name, "receipt_long") for invoice in (invoices or ())[:FOUND]]
    if request.user.has_perm("organizations.view_organization"):
        organizations = find_organizations(term)[:FOUND]
        results += [_found(organization, organization.external_id, "apartment") for organization in organizations]
    return results


def _found(row: Model, description: str, icon: str) -> SearchResult:
    return SearchResult(
        title=str(row), description=description, link=change_url(row._meta.label_lower, row.pk), icon=icon
    )


def _item(title: Any, icon: str, app: str, model: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse(f"admin:{app}_{model}_changelist")}


def _may_see(request: HttpRequest, entry: Entry) -> bool:
    _title, _icon, app, model = entry
    return any(request.user.has_perm(f"{app}.{verb}_{model}") for verb in ("view", "change"))
