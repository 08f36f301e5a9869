"""Addresses of the customers' API. Identifiers and numbers may hold anything, also slashes."""

from django.urls import path, re_path

from billing.api import urls as platform  # noqa: F401  # registers the converter of identifiers
from billing.api.v4 import credits as credit_views
from billing.api.v4 import invoices, prices
from billing.api.v4.views import NoView

# One route each: a prefix for all would take the last slash for the end of the identifier.
_OF = "billing/organisations/<any:external_id>/"

app_name = "v4"
urlpatterns = [
    path("billing/price-system", prices.PriceSystemView.as_view(), name="price-system"),
    path(f"{_OF}invoices", invoices.InvoicesView.as_view(), name="invoices"),
    path(f"{_OF}invoices/unpaid", invoices.UnpaidInvoicesView.as_view(), name="unpaid-invoices"),
    path(f"{_OF}invoices/<any:number>.html", invoices.InvoicePageView.as_view(), name="invoice-page"),
    path(f"{_OF}invoices/<any:number>.pdf", invoices.InvoiceFileView.as_view(), name="invoice-file"),
    path(f"{_OF}invoices/<any:number>", invoices.InvoiceView.as_view(), name="invoice"),
    path(f"{_OF}credits/summary", credit_views.CreditsSummaryView.as_view(), name="credits-summary"),
    path(f"{_OF}applied-coupons", credit_views.AppliedCouponsView.as_view(), name="applied-coupons"),
    path(f"{_OF}price-system", prices.OrganizationPriceSystemView.as_view(), name="organization-price-system"),
    path(f"{_OF}payments/methods", credit_views.PaymentMethodsView.as_view(), name="payment-methods"),
    re_path(r"^", NoView.as_view()),
]
