"""The next invoice before its month is over: what is measured goes on at its recent rate, and the close computes.

    last month | month in progress                       | next
               [------- so far -------|- goes on at ... -)
                          [- window --)   this rate
                                    known until

Only quantities are guessed; prices, credits, lines and VAT come from `assemble`, as at the close.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from msgspec import Struct, structs

from billing.domain.assembly import Draft, Nil
from billing.domain.credits import Grant, Movement
from billing.domain.facts import AddOn, Facts, MonthUsage, UsageSum
from billing.domain.money import divide_half_away
from billing.domain.periods import Month, split_quantity

type UsageOf = tuple[int, int, int, str]
"""Organization, resource, meter, zone."""

WINDOW = timedelta(days=7)
"""Long enough to hold a weekend, short enough to notice what was started or stopped."""
LONGEST_DELAY = timedelta(days=1)
"""Usage usually arrives within it; when there was none for longer, there is none."""

_MICROSECOND = timedelta(microseconds=1)


class Window(Struct, frozen=True):
    """The time `[start, end)` whose rate is taken; up to its end, usage is known."""

    start: datetime
    end: datetime


def window_at(month: Month, at: datetime, last_measured: datetime | None) -> Window:
    """The last week for which usage is known; on the first days it reaches into the month before.

    Usage that has not arrived yet is not taken for a standstill, unless it has been missing for more than a day.
    """
    if at >= month.end:
        return Window(month.end - WINDOW, month.end)
    end = max(at - LONGEST_DELAY, min(at, last_measured or at))
    return Window(end - WINDOW, end)


def extrapolate(usage: MonthUsage, measured: Mapping[UsageOf, int], window: Window, until: datetime) -> MonthUsage:
    """Add what the rest of the month, up to `until`, will use if everything goes on as in the window.

    `measured` are millionths of what was measured over time within the window. Quantities only grow, and when nothing
    of the month is left they are what was measured: the forecast becomes the invoice. Each part falls on the segment
    of the month whose prices are then in force.
    """
    start = max(window.end, usage.month.start)
    remaining = (until - start) // _MICROSECOND
    if remaining <= 0:
        return usage
    length = (window.end - window.start) // _MICROSECOND
    added: list[UsageSum] = []
    for (organization_id, resource_id, meter_id, zone), quantity_micro in measured.items():
        rest_micro = divide_half_away(quantity_micro * remaining, length)
        for part in split_quantity(rest_micro, start, until, usage.segment_starts):
            segment = sum(1 for cut in usage.segment_starts if cut <= part.start) - 1
            added.append((organization_id, resource_id, meter_id, zone, segment, part.quantity_micro))
    return structs.replace(usage, sums=[*usage.sums, *added])


def carried_on(facts: Facts, before: Draft | Nil, *, is_known: bool) -> Facts:
    """The facts of a month as they will be once the month before is settled as computed.

    Its credits are used, its provision waits for a payment, its late usage, charges and add-ons are billed. `is_known`:
    the past consumption lists that month already.
    """
    taken = (*before.used, *before.expired) if isinstance(before, Draft) else before.expired
    own_cents = before.own_consumption_cents if isinstance(before, Draft) else 0
    past = facts.past_consumption_cents[1:] if is_known else facts.past_consumption_cents
    carried = structs.replace(
        facts,
        blocked=None,
        late_usage=(),
        grants=_after(facts.grants, taken),
        past_consumption_cents=[own_cents, *past],
    )
    if isinstance(before, Nil):
        return carried
    return structs.replace(
        carried,
        pending_cents=facts.pending_cents + before.statement.refill_cents,
        is_first_invoice=False,
        add_ons=_billed(facts.add_ons, dict(before.add_ons_billed_until)),
        charges=[charge for charge in facts.charges if charge.id not in before.charge_ids],
    )


def _after(grants: Sequence[Grant], taken: Iterable[Movement]) -> list[Grant]:
    left = {grant.id: grant.remaining_cents for grant in grants}
    for grant_id, cents in taken:
        if grant_id in left:
            left[grant_id] = max(0, left[grant_id] - cents)
    return [structs.replace(grant, remaining_cents=left[grant.id]) for grant in grants]


def _billed(add_ons: Sequence[AddOn], billed_until: Mapping[int, date]) -> list[AddOn]:
    return [
        structs.replace(add_on, billed_until=billed_until[add_on.id]) if add_on.id in billed_until else add_on
        for add_on in add_ons
    ]
