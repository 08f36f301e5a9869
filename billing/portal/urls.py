"""Addresses of the portal: all that belongs to an organization lies below its public identifier."""

from django.urls import include, path, register_converter

from billing.portal import balance, consumption, coupons, details, entrance, invoice, invoices, members, tokens, visits
from billing.portal._converters import TextConverter

register_converter(TextConverter, "text")

app_name = "portal"

of_an_organization = [
    path("", entrance.organization, name="organization"),
    path("invoices/", invoices.invoices, name="invoices"),
    path("invoices/<text:number>/", invoice.invoice, name="invoice"),
    path("invoices/<text:number>.pdf", invoice.document_file, {"kind": "pdf"}, name="invoice_pdf"),
    path("invoices/<text:number>.ubl.xml", invoice.ubl_file, name="invoice_ubl"),
    path("invoices/<text:number>.xml", invoice.document_file, {"kind": "xml"}, name="invoice_xml"),
    path("invoices/<text:number>.focus.csv", invoice.focus_csv, name="focus_csv"),
    path("invoices/<text:number>.csv", invoice.usage_csv, name="usage_csv"),
    path("credits/", balance.balance, name="credits"),
    path("consumption/", consumption.consumption, name="consumption"),
    path("coupons/", coupons.coupons, name="coupons"),
    path("billing-details/", details.details, name="billing_details"),
    path("members/", members.members, name="members"),
    path("members/<int:member_id>/role/", members.change_role, name="change_role"),
    path("members/<int:member_id>/remove/", members.remove, name="remove_member"),
]

urlpatterns = [
    path("", entrance.home, name="home"),
    path("tokens/", tokens.tokens, name="tokens"),
    path("tokens/<int:token_id>/revoke/", tokens.revoke, name="revoke_token"),
    path("visit/end/", visits.end_visit, name="end_visit"),
    path("organizations/<text:external_id>/", include(of_an_organization)),
]
