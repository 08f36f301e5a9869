"""Pages for machines: is the process alive, can it work, and what does it measure."""

import os
from collections.abc import Callable

from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 as long as the process answers: restart it when it does not."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when the database and the cache can be used, else 503: send no traffic. Names what failed, no detail."""
    checks = {"database": _succeeds(_use_database), "cache": _succeeds(_use_cache)}
    ready = all(checks.values())
    body = {"status": "ok" if ready else "unavailable"} | {
        name: "ok" if succeeded else "unavailable" for name, succeeded in checks.items()
    }
    return JsonResponse(body, status=200 if ready else 503)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus' text format. It holds no customer data; a proxy should still keep it from the internet."""
    return HttpResponse(generate_latest(_registry()), content_type=CONTENT_TYPE_LATEST)


def _registry() -> CollectorRegistry:
    """With several web processes, the sum of them: set PROMETHEUS_MULTIPROC_DIR to an empty directory."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # not typed
    return registry


def _succeeds(use: Callable[[], None]) -> bool:
    # Every error of a driver, a pool or a socket means the same here, and each backend has its own.
    try:
        use()
    except Exception:
        return False
    return True


def _use_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _use_cache() -> None:
    cache.set("readyz", "ok", timeout=10)
    if cache.get("readyz") != "ok":
        raise ConnectionError("the cache does not keep what it is given")
