"""What the log of configuration changes cannot see by itself."""

from collections.abc import Sequence

from auditlog.models import LogEntry

from billing.domain.pricing import Tier
from billing.domain.quantities import format_micro, format_unit_price
from billing.models import Price


def log_tiers(price: Price, *, before: Sequence[Tier], after: Sequence[Tier]) -> None:
    """Say on the entries of a price how its tiers changed: they are written many at once, which nobody hears."""
    if tuple(before) != tuple(after):
        changes = {"tiers": [_write(before), _write(after)]}
        LogEntry.objects.log_create(price, action=LogEntry.Action.UPDATE, changes=changes)


def _write(tiers: Sequence[Tier]) -> str:
    """Such as `0 up to 10; 0.09 up to 1000; 0.07`."""
    return "; ".join(
        format_unit_price(tier.unit_price)
        + ("" if tier.up_to_micro is None else f" up to {format_micro(tier.up_to_micro)}")
        for tier in tiers
    )
