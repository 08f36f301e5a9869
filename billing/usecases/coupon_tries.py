"""How often an organization may guess: coupon codes that do not exist are counted in the cache.

Without Redis each process has a cache of its own, so that the limit holds per process.
"""

from django.core.cache import cache

MOST = 10
WITHIN_SECONDS = 60 * 60
"""From the first wrong code on."""


def is_guessing(organization_id: int) -> bool:
    """Whether there were so many wrong codes that no other is looked at for now."""
    return bool(cache.get(_name(organization_id), 0) >= MOST)


def count_wrong_code(organization_id: int) -> None:
    """Remember one more."""
    name = _name(organization_id)
    cache.add(name, 0, timeout=WITHIN_SECONDS)
    try:
        cache.incr(name)
    except ValueError:  # it was over, or the cache was full, in between
        cache.set(name, 1, timeout=WITHIN_SECONDS)


def _name(organization_id: int) -> str:
    return f"wrong-coupons:{organization_id}"
