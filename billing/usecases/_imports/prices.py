"""Price versions."""

from collections.abc import Sequence

from billing.domain.pricing import Tier
from billing.domain.quantities import parse_micro, parse_unit_price
from billing.queries.months import midnight
from billing.usecases._imports.lines import PriceLine
from billing.usecases._imports.storing import Importing, Numbered, RejectedLine, Verdicts, find_owner, read_field
from billing.usecases._price_versions import PriceKey, PriceTerms
from billing.usecases.set_price import set_price


def store_prices(lines: Sequence[Numbered[PriceLine]], importing: Importing) -> Verdicts:
    """Store versions of prices, one by one: each moves the end of the one before."""
    meters = importing.references.meters({line.meter for _, line in lines})
    owners = importing.owners([line.organization for _, line in lines if line.organization is not None])
    verdicts = Verdicts()

    def store(line: PriceLine) -> bool:
        meter_id = meters.get(line.meter.upper())
        if meter_id is None:
            raise RejectedLine(f"Unknown meter: {line.meter!r:.120}.")
        owner = None if line.organization is None else find_owner(owners, line.organization)
        if owner is not None and owner.currency != line.currency:
            raise RejectedLine(f"The price is in {line.currency}, {line.organization} pays in {owner.currency}.")
        key = PriceKey(
            meter_id=meter_id,
            zone=(line.zone or "").lower(),
            currency=line.currency,
            organization_id=owner.id if owner else None,
        )
        valid_from = None if line.valid_from is None else midnight(line.valid_from)
        return set_price(key=key, valid_from=valid_from, terms=_read_terms(line)).is_new

    for entry in lines:
        verdicts.judge(entry, store)
    return verdicts


def _read_terms(line: PriceLine) -> PriceTerms:
    package = line.package_quantity
    return PriceTerms(
        per_quantity_micro=read_field("per_quantity", parse_micro, line.per_quantity),
        package_micro=None if package is None else read_field("package_quantity", parse_micro, package),
        mode=line.mode,
        bounds_per_hour=line.bounds_per_hour,
        tiers=tuple(
            Tier(
                None if tier.up_to is None else read_field("up_to", parse_micro, tier.up_to),
                read_field("unit_price", parse_unit_price, tier.unit_price),
            )
            for tier in line.tiers
        ),
    )
