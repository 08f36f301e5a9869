"""What staff change about a month's invoice: a layer over the computed lines (domain page, section 7).

computed lines -> without skipped ones, with another refill, with added lines -> less discounts on lines
               -> less discounts on the whole                                 -> what is printed

Only added lines add money and only discounts take some off, at most what there is to take it off: whatever is adjusted,
regularization + D never falls below zero, and the credits provision is never discounted.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Final, Protocol

from msgspec import Struct, structs

from billing.domain.direct_lines import DirectLine
from billing.domain.facts import Adjustment
from billing.domain.money import MICRO_PER_CENT, PPM_OF_WHOLE, charge_cents, percentage_cents
from billing.domain.periods import Month
from billing.domain.quantities import MICRO

LINE: Final = "line"
DISCOUNT: Final = "discount"
REFILL: Final = "refill"
SKIP: Final = "skip"
DUE_DATE: Final = "due_date"
PURCHASE_ORDER: Final = "purchase_order"
NOTE: Final = "note"

PROVISION: Final = "provision"
WHOLE: Final = ""
"""The target of a discount on every line but the credits provision."""

SKIPPABLE: Final = frozenset({"add_on", "one_shot", "custom_service"})
"""Kinds of lines that can wait for the next invoice."""


class Conflict(Struct, frozen=True):
    """An adjustment that does not fit the computed lines any more; somebody has to decide before issuing.

    `line_gone`, `line_changed`: its line was `then_cents` and is `now_cents` now. `exceeds`: the discount would take
    `then_cents`, but only `now_cents` are left to take it off.
    """

    adjustment_id: int
    code: str
    then_cents: int
    now_cents: int


class Adjusted(Struct, frozen=True):
    """The lines after adjusting, in printed order, the keys of those that wait, and what conflicts."""

    lines: tuple[DirectLine, ...]
    skipped: frozenset[str]
    conflicts: tuple[Conflict, ...]


class KeyedLine(Protocol):
    """What the key of a line is made of; computed and stored lines have it."""

    @property
    def kind(self) -> str: ...
    @property
    def source_id(self) -> int | None: ...
    @property
    def period_start(self) -> date: ...


def line_key(line: KeyedLine) -> str:
    """What adjustments call a line: the same for all lines of one add-on, and whenever the month is computed again."""
    match line.kind:
        case "provision":
            return PROVISION
        case "regularization":
            return f"regularization:{line.period_start:%Y-%m}"
        case "adjustment":
            return f"{LINE}:{line.source_id}"
        case kind:
            return f"{kind}:{line.source_id}"


def net_by_key(lines: Iterable[DirectLine]) -> dict[str, int]:
    """The net amounts that adjustments can be about, in cents."""
    nets: dict[str, int] = {}
    for line in lines:
        key = line_key(line)
        nets[key] = nets.get(key, 0) + line.net_cents
    return nets


def last_of(kind: str, adjustments: Iterable[Adjustment]) -> Adjustment | None:
    """Of a kind that replaces a value, the last one wins."""
    found = [adjustment for adjustment in adjustments if adjustment.kind == kind]
    return found[-1] if found else None


def adjust(
    lines: Sequence[DirectLine], adjustments: Sequence[Adjustment], month: Month, *, sells_credits: bool = True
) -> Adjusted:
    """Apply the adjustments of consumption month `month` to its computed lines, of which none is negative.

    `sells_credits` False: the account closes, so there is no provision that could be another.
    """
    computed = net_by_key(lines)
    if not sells_credits:
        computed.pop(PROVISION, None)
    refill = last_of(REFILL, adjustments)
    skips = [adjustment for adjustment in adjustments if adjustment.kind == SKIP]
    skipped = frozenset(skip.target for skip in skips)
    kept = [line for line in lines if line_key(line) not in skipped]
    if refill is not None and sells_credits:
        kept = [_refilled(line, refill.amount_cents) if line.kind == PROVISION else line for line in kept]
    kept += [_added_line(adjustment, month) for adjustment in adjustments if adjustment.kind == LINE]
    conflicts = _moved([*skips, *([refill] if refill else [])], computed)
    discounts = [adjustment for adjustment in adjustments if adjustment.kind == DISCOUNT]
    discount_lines, too_much = _discount(kept, discounts, month)
    return Adjusted((*kept, *discount_lines), skipped, _one_each(conflicts + too_much))


def _refilled(line: DirectLine, cents: int) -> DirectLine:
    return structs.replace(line, unit_price_micro=cents * MICRO_PER_CENT, net_cents=cents)


def _added_line(added: Adjustment, month: Month) -> DirectLine:
    net_cents = charge_cents(added.quantity_micro, added.unit_price_micro)
    return _line("adjustment", added, month, added.quantity_micro, added.unit_price_micro, net_cents)


def _discount_line(discount: Adjustment, month: Month, cents: int) -> DirectLine:
    # A price is never negative (EN 16931 BR-27), so the quantity is: -1 x what is taken off.
    return _line("discount", discount, month, -MICRO, cents * MICRO_PER_CENT, -cents)


def _line(kind: str, source: Adjustment, month: Month, micro: int, price_micro: int, net_cents: int) -> DirectLine:
    return DirectLine(
        kind, None, source.id, source.name, month.first_day, month.next.first_day, micro, price_micro, net_cents
    )


def _discount(
    kept: Sequence[DirectLine], discounts: Sequence[Adjustment], month: Month
) -> tuple[list[DirectLine], list[Conflict]]:
    """The lines of all discounts: on lines first, then on the whole that these leave."""
    if not discounts:
        return [], []
    nets = net_by_key(line for line in kept if line.kind != PROVISION)
    by_target: dict[str, list[Adjustment]] = {}
    for discount in discounts:
        by_target.setdefault(discount.target, []).append(discount)
    on_whole = by_target.pop(WHOLE, [])
    conflicts: list[Conflict] = []
    cents: dict[int, int] = {}
    for target, on_line in by_target.items():
        conflicts += _moved(on_line, nets)
        cents |= _take_off(nets.get(target, 0), on_line, conflicts)
    cents |= _take_off(sum(nets.values()) - sum(cents.values()), on_whole, conflicts)
    in_order = [each for each in discounts if each.target != WHOLE] + on_whole
    return [_discount_line(each, month, cents[each.id]) for each in in_order], conflicts


def _take_off(base_cents: int, discounts: Sequence[Adjustment], conflicts: list[Conflict]) -> dict[int, int]:
    """What each discount takes off one base: percentages of the whole base, each rounded once, before amounts.

    Together never more than the base, and then all of it: whatever the order, the sum is min(base, what they ask for).
    """
    taken: dict[int, int] = {}
    left_cents, left_ppm = base_cents, PPM_OF_WHOLE
    for discount in sorted(discounts, key=lambda each: (each.percent_ppm is None, each.id)):
        if discount.percent_ppm is None:
            wanted_cents = discount.amount_cents
            exceeds = wanted_cents > left_cents
        else:
            wanted_cents = percentage_cents(base_cents, discount.percent_ppm)
            left_ppm -= discount.percent_ppm
            exceeds = left_ppm < 0
        if exceeds:
            conflicts.append(Conflict(discount.id, "exceeds", wanted_cents, left_cents))
        taken[discount.id] = min(wanted_cents, left_cents)
        left_cents -= taken[discount.id]
    return taken


def _one_each(conflicts: Sequence[Conflict]) -> tuple[Conflict, ...]:
    """The first conflict of each adjustment, in the order in which they were made."""
    first = {conflict.adjustment_id: conflict for conflict in reversed(conflicts)}
    return tuple([first[id_] for id_ in sorted(first)])


def _moved(adjustments: Iterable[Adjustment], nets: Mapping[str, int]) -> list[Conflict]:
    """Those whose line is gone, or another than it was when somebody decided."""
    conflicts = []
    for adjustment in adjustments:
        then_cents, now_cents = adjustment.target_net_cents, nets.get(adjustment.target, 0)
        if then_cents is not None and then_cents != now_cents:
            code = "line_changed" if adjustment.target in nets else "line_gone"
            conflicts.append(Conflict(adjustment.id, code, then_cents, now_cents))
    return conflicts
