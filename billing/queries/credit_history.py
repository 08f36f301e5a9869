"""The credits of a paying organization and its sub-organizations: what there is, and what moved it month by month."""

from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import NamedTuple

from django.db.models import Min, Q, Sum
from msgspec import Struct

from billing.domain.credit_history import MonthOfCredits, Movement, by_month
from billing.domain.periods import Month
from billing.models import CreditEntry, CreditGrant
from billing.queries.among import among
from billing.queries.months import local_day, month_of
from organizations.models import Organization

MONTHS_PER_PAGE = 12


class Lot(Struct, frozen=True):
    """A grant as its owner knows it: bought with an invoice (number, issue date), a coupon's, or somebody's reason."""

    id: int
    is_free: bool
    reason: str
    coupon: str | None
    invoice_id: int | None
    invoice_number: str | None
    invoice_date: date | None
    starts_on: date | None
    expires_on: date | None


class Cause(Struct, frozen=True):
    """What a movement names: one lot, or none when several moved together; and the document that moved them."""

    lot: Lot | None
    document_id: int | None = None
    document_number: str | None = None
    document_date: date | None = None


class Holding(NamedTuple):
    """What is left of a lot, or waits for the payment of the invoice that sold it; cents."""

    lot: Lot
    cents: int


class Balance(Struct, frozen=True):
    """Lots in the order in which consumption uses them, and those that wait for a payment."""

    usable: list[Holding]
    pending: list[Holding]

    @property
    def free_cents(self) -> int:
        """Free credits that are left."""
        return sum(holding.cents for holding in self.usable if holding.lot.is_free)

    @property
    def prepaid_cents(self) -> int:
        """Prepaid credits that are left."""
        return sum(holding.cents for holding in self.usable if not holding.lot.is_free)

    @property
    def total_cents(self) -> int:
        """All that is usable."""
        return self.free_cents + self.prepaid_cents

    @property
    def pending_cents(self) -> int:
        """Sold, but not paid yet."""
        return sum(holding.cents for holding in self.pending)


class History(Struct, frozen=True):
    """Months in which something moved, newest first; `older` is the month to go on from, if there is more."""

    months: list[MonthOfCredits[Cause]]
    older: Month | None


_LOT_COLUMNS = (
    "id",
    "type",
    "reason",
    "reference",
    "coupon_use__coupon__name",
    "sold_by_id",
    "sold_by__number",
    "sold_by__issue_date",
    "starts_on",
    "expires_on",
)


def tree_ids(organization: Organization) -> list[int]:
    """An organization and those that are billed on its invoice: their credits are one account."""
    return [organization.pk, *organization.children.order_by("pk").values_list("pk", flat=True)]


def load_balance(organization_ids: Collection[int]) -> Balance:
    """What these organizations can use and what waits for a payment: one query."""
    rows = CreditGrant.objects.filter(
        Q(remaining_cents__gt=0) | Q(state=CreditGrant.State.PENDING), among("organization", organization_ids)
    ).order_by("id")
    usable: list[tuple[_OrderOfUse, Holding]] = []
    pending: list[Holding] = []
    selected = rows.values_list("remaining_cents", "pending_cents", "priority", *_LOT_COLUMNS)
    for remaining_cents, pending_cents, priority, *columns in selected:
        lot = _lot(*columns)
        if remaining_cents:
            usable.append((_order_of_use(lot, priority), Holding(lot, remaining_cents)))
        if pending_cents:
            pending.append(Holding(lot, pending_cents))
    return Balance([holding for _, holding in sorted(usable)], pending)


type _OrderOfUse = tuple[bool, int, date, date, int]


def _order_of_use(lot: Lot, priority: int) -> _OrderOfUse:
    """As `billing.domain.credits` uses them: priority and expiry mean nothing on a prepaid lot."""
    if not lot.is_free:
        priority, expires_on = 0, date.max
    else:
        expires_on = lot.expires_on or date.max
    return not lot.is_free, priority, expires_on, lot.starts_on or date.min, lot.id


def load_history(organization_ids: Collection[int], *, until: Month, months: int = MONTHS_PER_PAGE) -> History:
    """The movements of the last months up to and including `until`, in three queries whatever there is."""
    since = until.back(months - 1)
    entries = CreditEntry.objects.filter(among("grant__organization", organization_ids))
    earlier = entries.filter(booked_at__lt=since.start).aggregate(cents=Sum("amount_cents"), first=Min("booked_at"))
    found = entries.filter(booked_at__gte=since.start, booked_at__lt=until.end)
    columns = (*(f"grant__{column}" for column in _LOT_COLUMNS), "invoice_id", "invoice__number", "invoice__issue_date")
    rows = found.order_by("booked_at", "id").values_list("booked_at", "kind", "amount_cents", "month", *columns)
    history = by_month(
        earlier["cents"] or 0, _together(_Entry(row[0], row[1], row[2], row[3], _cause(row[4:])) for row in rows)
    )
    return History(history[::-1], since.previous if earlier["first"] is not None else None)


class _Entry(NamedTuple):
    booked_at: datetime
    kind: str
    cents: int
    month: date | None
    cause: Cause


def _together(entries: Iterable[_Entry]) -> list[Movement[Cause]]:
    """One movement for all that an invoice used, or gave back, of a month: whoever reads does not care for lots."""
    movements: dict[tuple[object, ...], Movement[Cause]] = {}
    for entry in entries:
        day, cause, cents = local_day(entry.booked_at), entry.cause, entry.cents
        if entry.kind in (CreditEntry.Kind.USE, CreditEntry.Kind.RETURN):
            key: tuple[object, ...] = (day, entry.kind, entry.month, cause.document_id)
            cause = Cause(None, cause.document_id, cause.document_number, cause.document_date)
        else:
            key = (day, entry.kind, entry.month, cause.document_id, cause.lot.id if cause.lot else None)
        if key in movements:
            cents += movements[key].cents
        movements[key] = Movement(day, cents, entry.kind, entry.month, cause)
    return [movement for movement in movements.values() if movement.cents]


def _cause(columns: tuple[object, ...]) -> Cause:
    return Cause(_lot(*columns[:-3]), *columns[-3:])  # type: ignore[arg-type]  # as `load_history` selects them


def _lot(
    id_: int,
    type_: str,
    reason: str,
    reference: str | None,
    coupon: str | None,
    invoice_id: int | None,
    invoice_number: str | None,
    invoice_date: date | None,
    starts_on: date | None,
    expires_on: date | None,
) -> Lot:
    return Lot(
        id_,
        type_ == CreditGrant.Type.FREE,
        reason or reference or "",
        coupon,
        invoice_id,
        invoice_number,
        invoice_date,
        starts_on,
        expires_on,
    )


def parse_month(text: str | None, default: Month) -> Month:
    """Read "2026-10" of an address; anything else, or a month later than the default, is the default."""
    try:
        return min(Month.parse(text or "", default.zone), default)
    except ValueError:
        return default


def month_at(at: datetime) -> Month:
    """The calendar month in progress at an instant."""
    return month_of(local_day(at))
