"""Add a version to the price of a meter."""

from datetime import datetime
from typing import NamedTuple

import msgspec
from django.db import transaction

from billing.domain.pricing import InvalidPrice, check_price
from billing.domain.pricing import Price as PriceVersion
from billing.models import Price
from billing.queries.months import local_day
from billing.usecases._price_gate import wait_for_issuing
from billing.usecases._price_versions import (
    PriceKey,
    PriceTerms,
    create_version,
    last_settled_month,
    neighbours,
    terms_of,
    versions_of,
)
from organizations.currencies import check_currency

__all__ = ["MonthAlreadyIssued", "PriceConflict", "PriceKey", "PriceSet", "PriceTerms", "UnableToSetPrice", "set_price"]


class UnableToSetPrice(InvalidPrice):
    """Nothing was stored; the message is a sentence that says why."""


class PriceConflict(UnableToSetPrice):
    """A version with other content begins at the same instant."""


class MonthAlreadyIssued(UnableToSetPrice):
    """The version would reprice what is on an invoice, or was settled without one."""


class PriceSet(NamedTuple):
    """The version that is stored; `is_new` is False when the same one was there before."""

    price: Price
    is_new: bool


@transaction.atomic
def set_price(*, key: PriceKey, valid_from: datetime | None, terms: PriceTerms) -> PriceSet:
    """Store the version of a price that begins at an instant, or is in force from ever (None).

    It ends the version before, and ends itself where the next one begins:

        before        [---- A -------------------)[--- C ---
        B is set      [---- A ----)[---- B ------)[--- C ---

    Raises InvalidPrice, with a sentence, for terms that can rate nothing; PriceConflict when another version begins
    then; MonthAlreadyIssued when it begins within or before an issued month of an organization that it concerns.
    """
    key = msgspec.structs.replace(key, zone=key.zone.lower())
    _check(key, terms)
    # Whoever else sets a price waits here too, so that the versions read below stay what they are.
    wait_for_issuing()
    versions = versions_of(key)
    for row in versions:
        if row.valid_from == valid_from:
            return _compare(row, terms)
    before, after = neighbours(versions, valid_from)
    valid_to = after.valid_from if after else None
    if settled := last_settled_month(key, valid_from, valid_to):
        raise MonthAlreadyIssued(
            f"{settled} is already issued or settled, and this price would change it: it may be valid from "
            f"{settled.next.first_day} at the earliest."
        )
    if before:
        before.valid_to = valid_from
        before.save(update_fields=["valid_to"])
    return PriceSet(create_version(key, valid_from, valid_to, terms), is_new=True)


def _check(key: PriceKey, terms: PriceTerms) -> None:
    try:
        check_currency(key.currency)
    except ValueError as error:
        raise InvalidPrice(str(error)) from error
    check_price(
        PriceVersion(
            id=0,
            meter_id=key.meter_id,
            zone=key.zone,
            currency=key.currency,
            organization_id=key.organization_id,
            valid_from=None,
            valid_to=None,
            per_quantity_micro=terms.per_quantity_micro,
            package_micro=terms.package_micro,
            mode=terms.mode,
            bounds_per_hour=terms.bounds_per_hour,
            tiers=terms.tiers,
        )
    )


def _compare(row: Price, terms: PriceTerms) -> PriceSet:
    if terms_of(row) == terms:
        return PriceSet(row, is_new=False)
    since = f"from {local_day(row.valid_from)}" if row.valid_from else "from ever"
    raise PriceConflict(f"Another price of this meter, zone and currency is already valid {since}: choose another day.")
