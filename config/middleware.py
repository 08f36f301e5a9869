"""Middleware of our own: content security policy, who changes what, second factor and visits of staff, metrics."""

import time
from collections.abc import Callable
from typing import Any

from auditlog.middleware import AuditlogMiddleware
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.middleware.csp import ContentSecurityPolicyMiddleware as DjangoContentSecurityPolicyMiddleware
from django.shortcuts import render
from django.urls import reverse
from prometheus_client import Histogram

from billing.models import ApiKey
from organizations.sign_in import second_factor
from organizations.sign_in.visits import current_visit

REQUEST_SECONDS = Histogram(
    "http_request_duration_seconds",
    "Time to answer a request",
    ["method", "view", "status"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class ContentSecurityPolicyMiddleware(DjangoContentSecurityPolicyMiddleware):
    """Django's, with settings.ADMIN_CSP below /admin/ (its login page is not wrapped by the site's admin_view)."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if request.path.startswith(reverse("admin:index")) and not hasattr(response, "_csp_config"):
            response._csp_config = settings.ADMIN_CSP  # type: ignore[attr-defined]  # django-csp's
        return super().process_response(request, response)


class AuditMiddleware(AuditlogMiddleware):  # type: ignore[misc]  # it comes without types
    """django-auditlog's, which also writes down which API key changed something: there is no person then."""

    def get_extra_data(self, request: HttpRequest) -> dict[str, Any]:
        """Who asks. The key is looked for when an entry is written: the API recognizes it after this."""

        def shown_key() -> dict[str, str] | None:
            key = getattr(request, "auth", None)
            return {"api_key": f"{key.name} ({key.prefix})"} if isinstance(key, ApiKey) else None

        return {**super().get_extra_data(request), "additional_data": shown_key}


class RequestMetricsMiddleware:
    """Observe each answered request under the name of its view, never its path: the number of series stays small."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        response = self.get_response(request)
        match = request.resolver_match
        REQUEST_SECONDS.labels(
            method=request.method if request.method in METHODS else "other",
            view=match.view_name if match else "none",
            status=response.status_code,
        ).observe(time.perf_counter() - started)
        return response


class StaffSecondFactorMiddleware:
    """Lead staff to their second factor before any page of the desk but the doors, where settings require one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if settings.REQUIRE_STAFF_MFA and self._is_guarded(request.path) and (url := second_factor.way_in(request)):
            if "HX-Request" in request.headers:
                return HttpResponse(headers={"HX-Redirect": url})
            return HttpResponseRedirect(url)
        return self.get_response(request)

    @staticmethod
    def _is_guarded(path: str) -> bool:
        return path.startswith(reverse("admin:index")) and path not in {reverse("admin:login"), reverse("admin:logout")}


class ReadOnlyVisitsMiddleware:
    """Refuse every change while staff see the portal as an organization, wherever in the portal it is tried.

    The desk, where they are themselves, signing out, the language and the end of the visit are no part of the portal.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method not in SAFE_METHODS and not self._is_own(request.path) and current_visit(request):
            return render(request, "portal/read_only.html", status=403)
        return self.get_response(request)

    @staticmethod
    def _is_own(path: str) -> bool:
        own = {reverse("account_logout"), reverse("set_language"), reverse("portal:end_visit")}
        return path in own or path.startswith((reverse("admin:index"), "/accounts/"))
