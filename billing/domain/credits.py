"""Which credit grants pay a month's consumption, and which expire (domain page, section 5)."""

from collections.abc import Sequence
from datetime import date
from typing import Literal

from msgspec import Struct

GrantKind = Literal["free", "prepaid"]
Movement = tuple[int, int]
"""A grant's id and the cents taken from it (> 0)."""


class Grant(Struct, frozen=True, gc=False):
    """What is left of one lot of credits, in cents.

    `starts_on` None: usable from ever. `expires_on` is the last day a free grant is usable, None: never expires;
    it means nothing on a prepaid grant. A lower `priority` is used first.

    `starts_on` is compared with the closed month, so a prepaid grant that an invoice sold has to come with None
    once it is paid: it counts from the moment of payment, even in a month that ended before.
    """

    id: int
    kind: GrantKind
    remaining_cents: int
    starts_on: date | None = None
    expires_on: date | None = None
    priority: int = 0


class CreditUse(Struct, frozen=True, gc=False):
    """What one month does to the grants of an organization; all amounts are cents >= 0.

    `free_balance_cents` (a) and `prepaid_balance_cents` (b) are what was usable in the month. `used` is in the order
    of use. `expired` is what the month let expire (d). `lapsed` was over before the month began, or is lost before
    it could start: it has to be booked as expired too, but is in neither a nor d.
    """

    free_balance_cents: int
    prepaid_balance_cents: int
    used: tuple[Movement, ...] = ()
    expired: tuple[Movement, ...] = ()
    lapsed: tuple[Movement, ...] = ()

    @property
    def used_cents(self) -> int:
        """What credits paid, free and prepaid together."""
        return _sum(self.used)

    @property
    def used_free_cents(self) -> int:
        """-c: what free credits paid. Free credits go first, so nothing prepaid is used before all of a is."""
        return min(self.used_cents, self.free_balance_cents)

    @property
    def used_prepaid_cents(self) -> int:
        """-e: what prepaid credits paid."""
        return max(0, self.used_cents - self.free_balance_cents)

    @property
    def expired_cents(self) -> int:
        """-d: the unused part of the free grants that expire with the month."""
        return _sum(self.expired)

    def regularization_cents(self, consumption_cents: int) -> int:
        """The part of the consumption U, in cents, that no credit covered: it is billed now."""
        return consumption_cents - self.used_cents


NO_CREDITS = CreditUse(0, 0)


def use_credits(
    grants: Sequence[Grant],
    *,
    consumption_cents: int,
    first_day: date,
    last_day: date,
    lose_free: bool = False,
) -> CreditUse:
    """Let the grants pay `consumption_cents` (U) of the month from `first_day` to `last_day`, both included.

    Free grants first: by priority, then soonest expiry, then oldest; prepaid grants next, oldest first. A grant that
    starts after the month stays untouched; netting is by whole months, so one that starts on the last day pays for
    all of it. `lose_free`: the account closes with this month and every free credit that is left is lost.

    Raises ValueError when the consumption or what remains of a grant is negative.
    """
    if consumption_cents < 0:
        raise ValueError(f"Consumption cannot be negative: {consumption_cents} cents.")
    if not grants:
        return NO_CREDITS
    free, prepaid, lapsed = _sort_out(grants, first_day, last_day, lose_free)
    free_used, free_unused = _spend(free, consumption_cents)
    prepaid_used, _ = _spend(prepaid, consumption_cents - _sum(free_used))
    return CreditUse(
        free_balance_cents=sum([grant.remaining_cents for grant in free]),
        prepaid_balance_cents=sum([grant.remaining_cents for grant in prepaid]),
        used=(*free_used, *prepaid_used),
        expired=tuple([(grant.id, cents) for grant, cents in free_unused if lose_free or _expires_by(grant, last_day)]),
        lapsed=lapsed,
    )


def _sort_out(
    grants: Sequence[Grant], first_day: date, last_day: date, lose_free: bool
) -> tuple[list[Grant], list[Grant], tuple[Movement, ...]]:
    """Free and prepaid grants usable in the month, each in the order of use, and what lapsed; empty grants drop out."""
    free: list[Grant] = []
    prepaid: list[Grant] = []
    lapsed: list[Movement] = []
    for grant in grants:
        if grant.remaining_cents <= 0:
            if grant.remaining_cents < 0:
                raise ValueError(f"Grant {grant.id} is overdrawn: {grant.remaining_cents} cents remain.")
            continue
        is_free = grant.kind == "free"
        starts_later = grant.starts_on is not None and grant.starts_on > last_day
        if is_free and (_expires_before(grant, first_day) or (starts_later and lose_free)):
            lapsed.append((grant.id, grant.remaining_cents))
        elif not starts_later:
            (free if is_free else prepaid).append(grant)
    free.sort(key=_free_order)
    prepaid.sort(key=_age)
    return free, prepaid, tuple(lapsed)


def _spend(grants: list[Grant], due_cents: int) -> tuple[list[Movement], list[tuple[Grant, int]]]:
    """Take `due_cents` from the grants in their order: what each one gave, and what is left of those not used up."""
    used: list[Movement] = []
    unused: list[tuple[Grant, int]] = []
    for grant in grants:
        cents = min(due_cents, grant.remaining_cents)
        due_cents -= cents
        if cents:
            used.append((grant.id, cents))
        if cents < grant.remaining_cents:
            unused.append((grant, grant.remaining_cents - cents))
    return used, unused


def _expires_before(grant: Grant, day: date) -> bool:
    return grant.expires_on is not None and grant.expires_on < day


def _expires_by(grant: Grant, day: date) -> bool:
    return grant.expires_on is not None and grant.expires_on <= day


def _age(grant: Grant) -> tuple[date, int]:
    """Oldest first; a grant without a start is older than any."""
    return grant.starts_on or date.min, grant.id


def _free_order(grant: Grant) -> tuple[int, date, date, int]:
    return grant.priority, grant.expires_on or date.max, *_age(grant)


def _sum(movements: Sequence[Movement]) -> int:
    return sum([cents for _, cents in movements]) if movements else 0
