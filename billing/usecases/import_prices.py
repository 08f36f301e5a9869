"""Load the price system that the platform publishes."""

from dataclasses import dataclass
from datetime import date
from typing import BinaryIO

from django.db import transaction

from billing.domain.pricing import InvalidPrice
from billing.models import Meter
from billing.queries.months import local_day, midnight
from billing.usecases._price_systems import InvalidPriceSystem, MeterPrice, read_price_system
from billing.usecases._price_versions import PriceKey, terms_of, versions_of
from billing.usecases._references import References
from billing.usecases.set_price import set_price

__all__ = ["InvalidPriceSystem", "PriceImport", "import_prices"]

NAMED_METERS = 10


@dataclass(slots=True)
class PriceImport:
    """What a price system changed; new prices are those of meters that had none in its zone and currency."""

    zone: str
    currency: str
    new_meters: int = 0
    new_prices: int = 0
    changed_prices: int = 0
    unchanged_prices: int = 0


@transaction.atomic
def import_prices(*, stream: BinaryIO, valid_from: date | None) -> PriceImport:
    """Load all prices of a file, or none: meters that it lacks keep theirs, those that are not there are created.

    A first price is valid from `valid_from`, or from ever when that is None. A price that differs from the latest
    version gets a new version from that day, which must lie behind it. Raises InvalidPriceSystem.
    """
    system = read_price_system(stream)
    report = PriceImport(system.zone, system.currency)
    meters = _find_meters(system.prices, report)
    undated: list[str] = []
    for price in system.prices:
        key = PriceKey(meter_id=meters[price.code.upper()], zone=system.zone, currency=system.currency)
        try:
            if not _import(key, price, valid_from, report):
                undated.append(price.code)
        except InvalidPrice as error:
            raise InvalidPriceSystem(f"{price.code}: {error}") from error
    if undated:
        more = f" and {len(undated) - NAMED_METERS} more" if len(undated) > NAMED_METERS else ""
        raise InvalidPriceSystem(
            f"Prices have changed ({', '.join(undated[:NAMED_METERS])}{more}): say with --from since when."
        )
    return report


def _find_meters(prices: list[MeterPrice], report: PriceImport) -> dict[str, int]:
    """The meters of the prices by code in upper case; those that are not there are created."""
    units = _units(prices)
    for price in prices:
        if units.get(price.code.upper(), price.unit) != price.unit:
            raise InvalidPriceSystem(
                f"{price.code} is priced per {price.unit}, but the meter counts {units[price.code.upper()]}."
            )
    missing = [price for price in prices if price.code.upper() not in units]
    Meter.objects.bulk_create(
        Meter(code=price.code, name=price.code, unit=price.unit, category=price.category) for price in missing
    )
    report.new_meters = len(missing)
    return References().meters(price.code for price in prices)


def _units(prices: list[MeterPrice]) -> dict[str, str]:
    ids = References().meters(price.code for price in prices)
    units = dict(Meter.objects.filter(pk__in=ids.values()).values_list("pk", "unit"))
    return {code: units[id_] for code, id_ in ids.items()}


def _import(key: PriceKey, price: MeterPrice, valid_from: date | None, report: PriceImport) -> bool:
    """Store one price; False when it has changed and nobody said since when."""
    start = None if valid_from is None else midnight(valid_from)
    versions = versions_of(key)
    latest = versions[-1] if versions else None
    if latest is None:
        set_price(key=key, valid_from=start, terms=price.terms)
        report.new_prices += 1
    elif terms_of(latest) == price.terms:
        report.unchanged_prices += 1
    elif start is None:
        return False
    elif latest.valid_from is not None and start < latest.valid_from:
        raise InvalidPrice(f"A version is valid from {local_day(latest.valid_from)} already: choose a later day.")
    else:
        set_price(key=key, valid_from=start, terms=price.terms)
        report.changed_prices += 1
    return True
