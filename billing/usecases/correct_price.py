"""Correct a price version that no issued invoice was rated with."""

from django.db import transaction

from billing.domain.pricing import InvalidPrice, check_price
from billing.models import Price, PriceTier
from billing.queries.prices import is_invoiced, price_of
from billing.usecases._audit import log_tiers
from billing.usecases._price_gate import wait_for_issuing
from billing.usecases._price_versions import PriceTerms, terms_of


class PriceInUse(InvalidPrice):
    """The version is on an issued invoice: it can only be followed by a new one."""


@transaction.atomic
def correct_price(*, price_id: int, terms: PriceTerms) -> Price:
    """Give a version other terms; what it prices and when it is in force stay.

    Raises InvalidPrice, with a sentence, for terms that can rate nothing, and PriceInUse.
    """
    row = lock_unused_price(price_id)
    row.per_quantity_micro, row.package_micro = terms.per_quantity_micro, terms.package_micro
    row.mode, row.bounds_per_hour = terms.mode, terms.bounds_per_hour
    check_price(price_of(row, terms.tiers))
    row.save(update_fields=["per_quantity_micro", "package_micro", "mode", "bounds_per_hour"])
    before = terms_of(row).tiers
    row.tiers.all().delete()
    PriceTier.objects.bulk_create(
        PriceTier(price=row, position=position, up_to_micro=tier.up_to_micro, unit_price=tier.unit_price)
        for position, tier in enumerate(terms.tiers)
    )
    log_tiers(row, before=before, after=terms.tiers)
    return row


def lock_unused_price(price_id: int) -> Price:
    """Wait as `set_price` does, and return a version that nobody was billed with. Raises PriceInUse."""
    wait_for_issuing()
    row = Price.objects.get(pk=price_id)
    if is_invoiced(price_id):
        raise PriceInUse("An issued invoice was rated with this price: add a new version instead.")
    return row
