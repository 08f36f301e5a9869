"""The sidebar: what a person may see, grouped as finance thinks of it."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

# Title, symbol, app label, model name.
type Entry = tuple[Any, str, str, str]

GROUPS: list[tuple[Any, list[Entry]]] = [
    (
        _("Billing"),
        [
            (_("Invoices"), "receipt_long", "billing", "invoice"),
            (_("Month closes"), "event_available", "billing", "monthclose"),
            (_("Outcomes"), "rule", "billing", "closeoutcome"),
            (_("Charges"), "post_add", "billing", "charge"),
            (_("Payments"), "payments", "billing", "payment"),
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
            (_("Number series"), "tag", "billing", "numberseries"),
            (_("Users"), "person", "organizations", "user"),
            (_("Groups"), "group", "auth", "group"),
            (_("Audit trail"), "history", "admin", "logentry"),
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


def _item(title: Any, icon: str, app: str, model: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse(f"admin:{app}_{model}_changelist")}


def _may_see(request: HttpRequest, entry: Entry) -> bool:
    _title, _icon, app, model = entry
    return any(request.user.has_perm(f"{app}.{verb}_{model}") for verb in ("view", "change"))
