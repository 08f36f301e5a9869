"""The customers with a story: each feature of the product happens to one of them, always in the same way.

The index of an account is its place in `STORY`; a parent comes before its sub-organizations.
"""

from collections.abc import Callable

from billing.demo.accounts import Account
from billing.demo.months import FourMonths
from billing.demo.story._cast import CAST, cast, shop, warehouse
from billing.demo.story._credits import clamped_refill, expired_credits, negotiated, on_trial, over_consumption, unpaid
from billing.demo.story._making import organization_id
from billing.demo.story._places import (
    consumer_in_the_union,
    outside_the_union,
    overseas,
    reverse_charge,
    without_vat_number,
)
from billing.demo.story._usage import (
    closing,
    late_usage,
    nothing_used,
    packages,
    runaway,
    without_address,
    without_price,
)

__all__ = ["CAST", "STORY", "organization_id"]

STORY: tuple[Callable[[int, FourMonths], Account], ...] = (
    cast,
    shop,
    warehouse,
    over_consumption,
    clamped_refill,
    reverse_charge,
    negotiated,
    expired_credits,
    late_usage,
    without_price,
    without_address,
    unpaid,
    on_trial,
    nothing_used,
    overseas,
    outside_the_union,
    consumer_in_the_union,
    without_vat_number,
    closing,
    packages,
    runaway,
)
