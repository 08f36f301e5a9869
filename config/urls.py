"""Addresses: the portal of the customers, the finance desk, signing in, the two APIs, and pages for machines."""

from django.contrib import admin
from django.urls import include, path

from config.errors import server_error as handler500  # noqa: F401  # Django looks for this name
from config.health import healthz, metrics, readyz
from organizations.sign_in.views import desk_door

urlpatterns = [
    path("admin/login/", desk_door),  # the admin's own login has this address, and comes too late
    path("admin/", admin.site.urls),
    path("accounts/", include("organizations.sign_in.urls")),
    path("api/", include("billing.api.urls")),
    path("v4/", include("billing.api.v4.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("", include("billing.portal.urls")),
]
