"""What an organization will probably consume next month (domain page, sections 5 and 6)."""

from collections.abc import Sequence

from billing.domain.money import mean_cents


def estimate_consumption(own_consumptions: Sequence[int], months: int) -> int:
    """The mean, in cents, of the last `months` closed months, or of those that exist when they are fewer.

    `own_consumptions`: one amount in cents per closed month, newest first, each the month's own consumption less its
    discount, without late usage. A month without consumption is a 0; months before the organization opened are left
    out. `months` = 0 means that no provision is sold: the estimate is 0, as it is before any closed month.

    Raises ValueError when `months` is negative.
    """
    if months < 0:
        raise ValueError(f"The number of months of an estimate cannot be negative: {months}.")
    recent = own_consumptions[:months]
    return mean_cents(recent) if recent else 0
