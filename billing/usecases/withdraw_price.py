"""Take back a price version that no issued invoice was rated with."""

from django.db import transaction

from billing.usecases._price_versions import PriceKey, neighbours, versions_of
from billing.usecases.correct_price import lock_unused_price


@transaction.atomic
def withdraw_price(*, price_id: int) -> None:
    """Delete a version as if it had never been set: the one before is in force again until where it ended.

    Raises PriceInUse.
    """
    row = lock_unused_price(price_id)
    key = PriceKey(meter_id=row.meter_id, zone=row.zone, currency=row.currency, organization_id=row.organization_id)
    before, _after = neighbours(versions_of(key), row.valid_from)
    row.delete()
    if before is not None and before.valid_to == row.valid_from:
        before.valid_to = row.valid_to
        before.save(update_fields=["valid_to"])
