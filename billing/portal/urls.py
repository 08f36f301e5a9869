"""Addresses of the portal: all that belongs to an organization lies below its public identifier."""

from django.urls import include, path, register_converter

from billing.portal import balance, consumption, entrance, invoices, visits
from billing.portal._converters import TextConverter

register_converter(TextConverter, "text")

app_name = "portal"

of_an_organization = [
    path("credits/", balance.balance, name="credits"),
    path("consumption/", consumption.consumption, name="consumption"),
    path("", entrance.organization, name="organization"),
    path("invoices/", invoices.invoices, name="invoices"),
]

urlpatterns = [
    path("", entrance.home, name="home"),
    path("visit/end/", visits.end_visit, name="end_visit"),
    path("organizations/<text:external_id>/", include(of_an_organization)),
]
