"""How the finance desk looks and where it leads: Unfold's settings."""

from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

UNFOLD = {
    "SITE_TITLE": _("Unified Invoicing"),
    "SITE_HEADER": _("Unified Invoicing"),
    "SITE_SUBHEADER": _("Finance desk"),
    "SITE_SYMBOL": "receipt_long",
    "SITE_URL": None,
    "COLORS": {
        "primary": {
            "50": "oklch(97% .014 254.604)",
            "100": "oklch(93.2% .032 255.585)",
            "200": "oklch(88.2% .059 254.128)",
            "300": "oklch(80.9% .105 251.813)",
            "400": "oklch(70.7% .165 254.624)",
            "500": "oklch(62.3% .214 259.815)",
            "600": "oklch(54.6% .245 262.881)",
            "700": "oklch(48.8% .243 264.376)",
            "800": "oklch(42.4% .199 265.638)",
            "900": "oklch(37.9% .146 265.522)",
            "950": "oklch(28.2% .091 267.935)",
        }
    },
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("billing/favicon.svg")},
    ],
    "STYLES": [lambda request: static("billing/desk.css")],
    "SHOW_LANGUAGES": True,
    "ACCOUNT": {
        "navigation": [
            {"title": _("Change password"), "link": reverse_lazy("admin:password_change")},
            {"title": _("Second factor"), "link": reverse_lazy("mfa_index")},
        ]
    },
    "DASHBOARD_CALLBACK": "billing.admin.dashboard.dashboard_callback",
    "COMMAND": {"search_callback": "billing.admin.navigation.find"},
    "SIDEBAR": {"show_search": True, "navigation": "billing.admin.navigation.sidebar"},
}
