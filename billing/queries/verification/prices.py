"""Prices: one in force at a time, with usable tiers."""

from collections.abc import Iterator
from itertools import groupby, pairwise
from operator import itemgetter

from django.db.models import F

from billing.domain.pricing import InvalidPrice, Tier, check_tiers
from billing.models import Price, PriceTier
from billing.queries.verification._promises import Broken, Register

PROMISES = Register()


@PROMISES.promise(
    "At most one price is in force for a meter, zone, currency and organization.",
    things="prices",
    population=Price.objects.all,
)
def overlaps() -> Iterator[Broken]:
    key = ("meter__code", "zone", "currency", "organization__external_id")
    rows = Price.objects.order_by(
        "meter", "zone", "currency", "organization", F("valid_from").asc(nulls_first=True), "id"
    )
    for (*before, _, until), (*after, since, _until) in pairwise(
        rows.values_list(*key, "valid_from", "valid_to").iterator()
    ):
        if before == after and (until is None or since is None or since < until):
            code, zone, currency, organization = after
            subject = f"price of {code} ({zone or 'any zone'}, {currency}, {organization or 'catalogue'})"
            yield Broken(subject, f"The version from {since} begins before the one before ends.")


@PROMISES.promise(
    "Tiers of a price ascend, and only the last is without end.", things="prices", population=Price.objects.all
)
def tiers() -> Iterator[Broken]:
    columns = ("id", "meter__code", "tiers__up_to_micro", "tiers__unit_price", "tiers__id")
    rows = Price.objects.order_by("id", "tiers__position").values_list(*columns).iterator()
    for (id_, code), group in groupby(rows, key=itemgetter(0, 1)):
        stored = tuple(Tier(up_to, unit_price) for _, _, up_to, unit_price, tier_id in group if tier_id)
        try:
            check_tiers(stored)
        except InvalidPrice as error:
            yield Broken(f"price {id_} of {code}", str(error))
    for price_id in PriceTier.objects.filter(unit_price__startswith="-").values_list("price_id", flat=True).iterator():
        yield Broken(f"price {price_id}", "A unit price is negative.")
