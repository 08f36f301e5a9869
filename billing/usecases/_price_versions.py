"""The versions of a price as rows, and which months they may no longer touch."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import chain

import msgspec
from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet

from billing.domain.lifecycle import DocumentState
from billing.domain.periods import Month
from billing.domain.pricing import ANY_ZONE, Tier, TierMode
from billing.models import CloseOutcome, Invoice, Price, PriceTier, UsageDetail
from billing.queries.months import billing_zone, month_of
from billing.usecases._audit import log_tiers
from organizations.models import Organization

type _Span = tuple[date, date]
"""First days of the first and the last month, both included."""
type _Priced = tuple[int, int | None, str, date]
"""Whose usage was priced: its organization, the owner and the zone of the price, the month."""


class PriceKey(msgspec.Struct, frozen=True, kw_only=True):
    """What a price is for: its versions follow each other without overlap. `zone` "" serves any zone."""

    meter_id: int
    zone: str
    currency: str
    organization_id: int | None = None


class PriceTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What a version says: currency units per `per_quantity_micro`, tier by tier."""

    per_quantity_micro: int
    tiers: tuple[Tier, ...]
    package_micro: int | None = None
    mode: TierMode = "graduated"
    bounds_per_hour: bool = False


def versions_of(key: PriceKey) -> list[Price]:
    """The stored versions, oldest first."""
    rows = Price.objects.filter(
        meter=key.meter_id, zone=key.zone, currency=key.currency, organization=key.organization_id
    )
    return list(rows.order_by(F("valid_from").asc(nulls_first=True)).prefetch_related("tiers"))


def terms_of(row: Price) -> PriceTerms:
    """What a stored version says."""
    return PriceTerms(
        per_quantity_micro=row.per_quantity_micro,
        tiers=tuple(Tier(tier.up_to_micro, tier.unit_price) for tier in row.tiers.all()),
        package_micro=row.package_micro,
        mode="volume" if row.mode == Price.Mode.VOLUME else "graduated",
        bounds_per_hour=row.bounds_per_hour,
    )


def create_version(key: PriceKey, valid_from: datetime | None, valid_to: datetime | None, terms: PriceTerms) -> Price:
    """Store a version with its tiers."""
    row = Price.objects.create(
        meter_id=key.meter_id,
        zone=key.zone,
        currency=key.currency,
        organization_id=key.organization_id,
        valid_from=valid_from,
        valid_to=valid_to,
        per_quantity_micro=terms.per_quantity_micro,
        package_micro=terms.package_micro,
        mode=terms.mode,
        bounds_per_hour=terms.bounds_per_hour,
    )
    PriceTier.objects.bulk_create(
        PriceTier(price=row, position=position, up_to_micro=tier.up_to_micro, unit_price=tier.unit_price)
        for position, tier in enumerate(terms.tiers)
    )
    log_tiers(row, before=(), after=terms.tiers)
    return row


def last_settled_month(key: PriceKey, valid_from: datetime | None, valid_to: datetime | None) -> Month | None:
    """The last month that is settled and that a version in force `[valid_from, valid_to)` would reprice.

    It would reprice usage that a price of the same or a lower precedence has priced: negotiated with the organization,
    negotiated with its parent, the catalogue's; within each, for the very zone before any zone.
    """
    if not Price.objects.filter(meter=key.meter_id).exists():
        return None  # a meter without a price is on no invoice: spares the search through all of them
    span = _months_of(valid_from, valid_to)
    months = [
        month
        for owner_id, price_owner_id, price_zone, month in chain(_invoiced(key, span), _given_away(key, span))
        if _precedence(owner_id, key.organization_id, key.zone) >= _precedence(owner_id, price_owner_id, price_zone)
    ]
    return month_of(max(months)) if months else None


def _months_of(valid_from: datetime | None, valid_to: datetime | None) -> _Span:
    zone = billing_zone()
    first_day = date.min if valid_from is None else Month.containing(valid_from, zone).first_day
    last_instant = None if valid_to is None else valid_to - timedelta(microseconds=1)
    return first_day, date.max if last_instant is None else Month.containing(last_instant, zone).first_day


def _invoiced(key: PriceKey, span: _Span) -> Iterable[_Priced]:
    # Usage of a month is on the invoice of that month or, when it came late, of a later one.
    # A replaced one bills nothing any more: its month is to be billed anew, at the right price.
    invoices = Invoice.objects.filter(
        document_state=DocumentState.ISSUED.value,
        released=False,
        currency=key.currency,
        consumption_month__gte=span[0],
    )
    details = UsageDetail.objects.filter(meter=key.meter_id, price__isnull=False, month__range=span)
    if key.zone != ANY_ZONE:
        details = details.filter(zone=key.zone)
    if key.organization_id is not None:
        details = details.filter(organization__in=_tree(key.organization_id))
    groups = details.filter(invoice__in=invoices).order_by()
    return groups.values_list("organization_id", "price__organization_id", "price__zone").annotate(Max("month"))


def _given_away(key: PriceKey, span: _Span) -> Iterator[_Priced]:
    """Usage that cost nothing and is on no invoice, of months that are not closed again: the next one is closed."""
    later = CloseOutcome.objects.filter(organization=OuterRef("organization"), month__gt=OuterRef("month"))
    nils = CloseOutcome.objects.filter(
        Exists(later.exclude(kind=CloseOutcome.Kind.BLOCKED)), kind=CloseOutcome.Kind.NIL, month__gte=span[0]
    )
    prices = {row.pk: row for row in Price.objects.filter(meter=key.meter_id, currency=key.currency)}
    tree = None if key.organization_id is None else set(_tree(key.organization_id).values_list("pk", flat=True))
    for lines in nils.exclude(settled_usage=[]).values_list("settled_usage", flat=True).iterator():
        for text, owner_id, _resource_id, _meter_id, zone, price_id, *_ in lines:
            month, price = date.fromisoformat(text), prices.get(price_id)
            is_concerned = key.zone in (ANY_ZONE, zone) and (tree is None or owner_id in tree)
            if price is not None and is_concerned and span[0] <= month <= span[1]:
                yield owner_id, price.organization_id, price.zone, month


def _tree(organization_id: int) -> QuerySet[Organization]:
    return Organization.objects.filter(Q(pk=organization_id) | Q(parent=organization_id))


def _precedence(owner_id: int, price_owner_id: int | None, price_zone: str) -> tuple[int, bool]:
    level = 0 if price_owner_id is None else 2 if price_owner_id == owner_id else 1
    return level, price_zone != ANY_ZONE


def neighbours(versions: Sequence[Price], valid_from: datetime | None) -> tuple[Price | None, Price | None]:
    """The versions that begin last before and first after an instant; None means from ever."""
    before = [row for row in versions if valid_from is not None and (not row.valid_from or row.valid_from < valid_from)]
    after = [row for row in versions if row.valid_from and (valid_from is None or row.valid_from > valid_from)]
    return (before[-1] if before else None), (after[0] if after else None)
