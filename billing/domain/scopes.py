"""What a key of the API may be allowed to do. None of it issues, refunds or settles: that takes a person."""

from collections.abc import Iterable

SCOPES = (
    "usage:write",
    "organizations:read",
    "organizations:write",
    "catalogue:read",
    "catalogue:write",
    "charges:write",
    "credits:read",
    "credits:write",
    "coupons:write",
    "invoices:read",
    "closes:read",
)
# What concerns everybody, so that a key of one organization cannot have it.
FOR_THE_PLATFORM = frozenset({"catalogue:write", "coupons:write", "closes:read"})


def check_scopes(scopes: Iterable[str], *, is_for_one_organization: bool) -> list[str]:
    """The scopes in the order of the list, each once. Raises ValueError with a sentence."""
    wanted = set(scopes)
    if unknown := sorted(wanted.difference(SCOPES)):
        raise ValueError(f"Unknown scope {', '.join(unknown):.200}: choose among {', '.join(SCOPES)}.")
    if not wanted:
        raise ValueError(f"A key needs a scope: choose among {', '.join(SCOPES)}.")
    if is_for_one_organization and (refused := sorted(wanted & FOR_THE_PLATFORM)):
        raise ValueError(f"A key of one organization cannot have {', '.join(refused)}.")
    return [scope for scope in SCOPES if scope in wanted]
