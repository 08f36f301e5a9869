"""How many requests a key or a token may make in a minute, counted in the cache.

Without Redis each process has a cache of its own, so that the limit holds per process.
"""

import time
from typing import Any, NamedTuple

from django.conf import settings
from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from billing.models import ApiKey
from organizations.models import MemberToken

WINDOW_SECONDS = 60


class Quota(NamedTuple):
    """What is left of a window, and after how many seconds the next one begins."""

    limit: int
    used: int
    reset_seconds: int

    @property
    def is_used_up(self) -> bool:
        """Whether this request is one too many."""
        return self.used > self.limit

    def headers(self) -> dict[str, str]:
        """As draft-ietf-httpapi-ratelimit-headers has them, and as its first versions and most clients do."""
        left = max(0, self.limit - self.used)
        return {
            "RateLimit-Policy": f'"key";q={self.limit};w={WINDOW_SECONDS}',
            "RateLimit": f'"key";r={left};t={self.reset_seconds}',
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(left),
            "RateLimit-Reset": str(self.reset_seconds),
        }


def count_request(secret: ApiKey | MemberToken, now: float) -> Quota | None:
    """Count one more request with a key or a token; None where settings set no limit."""
    limit = settings.API_REQUESTS_PER_MINUTE
    if not limit:
        return None
    window, second = divmod(int(now), WINDOW_SECONDS)
    name = f"api-requests:{secret.prefix}:{window}"
    cache.add(name, 0, timeout=2 * WINDOW_SECONDS)
    try:
        used = cache.incr(name)
    except ValueError:  # the cache is full and threw it out in between
        used = 1
    return Quota(limit, used, WINDOW_SECONDS - second)


class QuotaThrottle(BaseThrottle):
    """Lets a key or a token make as many requests as it may; the view puts the quota into the headers of its answer."""

    quota: Quota | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count the request. Who shows no key is refused anyway, or sees what everybody may see."""
        if isinstance(request.auth, ApiKey | MemberToken):
            view.quota = self.quota = count_request(request.auth, time.time())
        return self.quota is None or not self.quota.is_used_up

    def wait(self) -> float | None:
        """Seconds until the next window."""
        return self.quota.reset_seconds if self.quota else None
