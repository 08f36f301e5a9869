"""Addresses of the platform API."""

from django.urls import path, re_path

from billing.api.problems import no_such_address
from billing.api.usage import UsageView

app_name = "api"
urlpatterns = [
    path("usage", UsageView.as_view(), name="usage"),
    re_path(r"^(?P<path>.*)$", no_such_address),
]
