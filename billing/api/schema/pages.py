"""Where the description is read: by programs as JSON, by people with Swagger UI, whose files are served from here."""

from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import override
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator


@require_safe
def schema(request: HttpRequest) -> HttpResponse:
    """The description in OpenAPI 3.1."""
    return JsonResponse(_generate(), content_type="application/vnd.oai.openapi+json")


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """The same for people, who can try it with a key."""
    return render(request, "api/docs.html")


@cache
def _generate() -> dict[str, Any]:
    """It says the same to everybody until the next start."""
    with override("en"):
        generator = SchemaGenerator()  # type: ignore[no-untyped-call]  # not typed
        found: dict[str, Any] = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]  # same
        return found
