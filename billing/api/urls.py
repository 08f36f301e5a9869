"""Addresses of the platform API. Identifiers may hold anything, also slashes."""

from django.urls import path, re_path, register_converter
from django.urls.converters import StringConverter

from billing.api import closes, focus, forecasts, invoices, objects
from billing.api.credits import CreditBalanceView, CreditEntriesView
from billing.api.problems import no_such_address
from billing.api.schema import operations  # noqa: F401  # describes the views
from billing.api.schema.pages import docs, schema
from billing.api.usage import UsageView


class AnythingConverter(StringConverter):
    """What an identifier may hold: anything, also slashes and line breaks."""

    regex = r"[\s\S]+"


register_converter(AnythingConverter, "any")

app_name = "api"
urlpatterns = [
    path("usage", UsageView.as_view(), name="usage"),
    path("organizations", objects.OrganizationListView.as_view(), name="organizations"),
    path("organizations/<any:identity>", objects.OrganizationView.as_view(), name="organization"),
    path("resources", objects.ResourceListView.as_view(), name="resources"),
    path("resources/<any:identity>", objects.ResourceView.as_view(), name="resource"),
    path("add-on-plans", objects.AddOnPlanListView.as_view(), name="add-on-plans"),
    path("add-on-plans/<any:identity>", objects.AddOnPlanView.as_view(), name="add-on-plan"),
    path("add-ons", objects.AddOnListView.as_view(), name="add-ons"),
    path("add-ons/<any:identity>", objects.AddOnView.as_view(), name="add-on"),
    path("charges", objects.ChargesView.as_view(), name="charges"),
    path("credit-grants", objects.CreditGrantsView.as_view(), name="credit-grants"),
    path("coupons", objects.CouponsView.as_view(), name="coupons"),
    path("invoices", invoices.InvoicesView.as_view(), name="invoices"),
    path("invoices/<any:number>", invoices.InvoiceView.as_view(), name="invoice"),
    path("month-closes", closes.MonthClosesView.as_view(), name="month-closes"),
    path("month-closes/<str:month>", closes.MonthCloseView.as_view(), name="month-close"),
    path("month-closes/<str:month>/outcomes", closes.OutcomesView.as_view(), name="outcomes"),
    path("forecasts/<any:identity>", forecasts.ForecastView.as_view(), name="forecast"),
    path("focus/<str:month>", focus.FocusView.as_view(), name="focus"),
    path("credit-balances/<any:identity>", CreditBalanceView.as_view(), name="credit-balance"),
    path("credit-entries", CreditEntriesView.as_view(), name="credit-entries"),
    path("schema/", schema, name="schema"),
    path("docs/", docs, name="docs"),
    re_path(r"^", no_such_address),
]
