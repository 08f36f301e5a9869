"""The finance desk: one module per area. It reads through `queries` and writes through `usecases`."""

from billing.admin import (
    api_keys,
    catalogue,
    changes,
    charges_and_add_ons,
    closes,
    coupons,
    credits,  # noqa: A004  # a module, and a word of the domain
    events,
    exports,
    invoices,
    jobs,
    legal,
    organizations,
    payments,
    prices,
    reviews,
    staff,
    usage,
)

__all__ = [
    "api_keys",
    "catalogue",
    "changes",
    "charges_and_add_ons",
    "closes",
    "coupons",
    "credits",
    "events",
    "exports",
    "invoices",
    "jobs",
    "legal",
    "organizations",
    "payments",
    "prices",
    "reviews",
    "staff",
    "usage",
]
