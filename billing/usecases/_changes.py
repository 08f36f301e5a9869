"""The kinds of adjustments as people give them, and what each must keep to."""

from datetime import date, timedelta

from django.utils.formats import date_format
from django.utils.translation import gettext_noop as _
from msgspec import Struct

from billing.domain.adjustments import LINE, PROVISION, SKIP, SKIPPABLE, WHOLE, net_by_key
from billing.domain.assembly import Draft
from billing.domain.facts import Facts
from billing.domain.money import MICRO_PER_CENT, PPM_OF_WHOLE, charge_cents, format_cents
from billing.models import Adjustment
from billing.usecases._drafts import Effect, OpenMonth, UnableToAdjust
from billing.usecases._events import NewEvent

MOST_CENTS = 10**12
"""Of one line, discount or refill: ten billion, more is a slip of the finger."""
NAME_LENGTH, ORDER_LENGTH, NOTE_LENGTH = 500, 100, 2000
LATEST_DUE = timedelta(days=2 * 366)


class AddedLine(Struct, frozen=True):
    """A line that no usage explains: quantity x unit price, both in millionths, both above zero."""

    name: str
    quantity_micro: int
    unit_price_micro: int


class Discount(Struct, frozen=True):
    """A percentage (millionths) or an amount off one line, or off every line but the provision (target empty)."""

    target: str = WHOLE
    percent_ppm: int | None = None
    amount_cents: int | None = None
    name: str = ""


class Refill(Struct, frozen=True):
    """So many credits are sold by this invoice instead of the computed refill."""

    amount_cents: int


class Skip(Struct, frozen=True):
    """An add-on, one-shot operation or custom service waits for the next invoice."""

    target: str


class DueDate(Struct, frozen=True):
    """The day by which the invoice is to be paid, instead of issue date + payment term."""

    day: date


class PurchaseOrder(Struct, frozen=True):
    """The customer's order number for this invoice, instead of the one in its billing profile."""

    text: str


class Note(Struct, frozen=True):
    """A note to the customer on the invoice."""

    text: str


type Change = AddedLine | Discount | Refill | Skip | DueDate | PurchaseOrder | Note
type Targets = dict[str, int]
"""What lines are worth before discounts and refills by hand, by key, in cents."""


def targets_of(opened: OpenMonth, *, without: int | None = None) -> Targets:
    """The lines that an adjustment of a month can be about, as they are computed now, `without` one of its skips."""
    shaping = [each for each in opened.adjustments if each.kind in (LINE, SKIP) and each.id != without]
    assembled = opened.with_adjustments(shaping).assembled
    nets = net_by_key(assembled.lines) if isinstance(assembled, Draft) else {}
    return {PROVISION: 0, **nets}


def check_change(change: Change, today: date) -> None:
    """What can be told without the draft. Raises UnableToAdjust with the limit named."""
    match change:
        case AddedLine():
            _check_line(change)
        case Discount():
            _check_discount(change)
        case Refill(cents):
            if not 0 <= cents <= MOST_CENTS:
                raise UnableToAdjust(_("A refill is between 0.00 and %(limit)s."), limit=format_cents(MOST_CENTS))
        case Skip(target):
            _check_skip(target)
        case DueDate(day):
            _check_due_date(day, today)
        case PurchaseOrder(text):
            _check_text(text, ORDER_LENGTH)
        case Note(text):
            _check_text(text, NOTE_LENGTH)


def _check_line(line: AddedLine) -> None:
    _check_text(line.name, NAME_LENGTH)
    if line.quantity_micro < 0 or line.unit_price_micro < 0:
        raise UnableToAdjust(_("A line cannot take money off: give a discount instead."))
    net_cents = charge_cents(line.quantity_micro, line.unit_price_micro)
    if not net_cents:
        raise UnableToAdjust(_("The line comes to 0.00: give it a quantity and a unit price."))
    if max(net_cents, line.quantity_micro // MICRO_PER_CENT, line.unit_price_micro // MICRO_PER_CENT) > MOST_CENTS:
        raise UnableToAdjust(_("A line bills at most %(limit)s."), limit=format_cents(MOST_CENTS))


def _check_discount(discount: Discount) -> None:
    if discount.target == PROVISION:
        raise UnableToAdjust(
            _("Prepaid credits are worth what they cost, so the provision has no discount: set another refill instead.")
        )
    if len(discount.name) > NAME_LENGTH:
        raise UnableToAdjust(_("At most %(limit)s characters can be printed here."), limit=NAME_LENGTH)
    if (discount.percent_ppm is None) == (discount.amount_cents is None):
        raise UnableToAdjust(_("A discount is either a percentage or an amount."))
    if discount.percent_ppm is not None and not 0 < discount.percent_ppm <= PPM_OF_WHOLE:
        raise UnableToAdjust(_("A discount is above 0 %% and at most 100 %%."))
    if discount.amount_cents is not None and not 0 < discount.amount_cents <= MOST_CENTS:
        raise UnableToAdjust(
            _("A discount takes off more than 0.00, at most %(limit)s."), limit=format_cents(MOST_CENTS)
        )


def _check_skip(target: str) -> None:
    kind = target.partition(":")[0]
    if kind == PROVISION:
        raise UnableToAdjust(_("The provision is not skipped: set a refill of 0.00 instead."))
    if kind == LINE:
        raise UnableToAdjust(_("This line was added by hand: undo that instead."))
    if kind not in SKIPPABLE:
        raise UnableToAdjust(_("Consumption cannot wait for the next invoice: give a discount instead."))


def _check_due_date(day: date, today: date) -> None:
    if day < today:
        raise UnableToAdjust(
            _("The due date %(day)s is in the past: choose %(today)s or later."),
            day=date_format(day),
            today=date_format(today),
        )
    if day > today + LATEST_DUE:
        raise UnableToAdjust(
            _("The due date %(day)s is years away: choose %(last)s or earlier."),
            day=date_format(day),
            last=date_format(today + LATEST_DUE),
        )


def _check_text(text: str, length: int) -> None:
    if not text.strip():
        raise UnableToAdjust(_("Write what is to be printed on the invoice."))
    if len(text) > length:
        raise UnableToAdjust(_("At most %(limit)s characters can be printed here."), limit=length)


def to_row(change: Change, targets: Targets) -> Adjustment:
    """A change as a row, pinned to what its line is worth now. Raises UnableToAdjust for a line that is not there."""
    match change:
        case AddedLine(name, micro, price):
            return Adjustment(kind=LINE, name=name.strip(), quantity_micro=micro, unit_price_micro=price)
        case Discount(target, ppm, cents, name):
            pinned = None if target == WHOLE else _net_of(target, targets)
            return Adjustment(
                kind="discount",
                target=target,
                target_net_cents=pinned,
                percent_ppm=ppm,
                amount_cents=cents,
                name=name.strip(),
            )
        case Refill(cents):
            return Adjustment(kind="refill", target=PROVISION, target_net_cents=targets[PROVISION], amount_cents=cents)
        case Skip(target):
            return Adjustment(kind=SKIP, target=target, target_net_cents=_net_of(target, targets))
        case DueDate(day):
            return Adjustment(kind="due_date", day=day)
        case PurchaseOrder(text):
            return Adjustment(kind="purchase_order", text=text.strip())
        case Note(text):
            return Adjustment(kind="note", text=text.strip())


def _net_of(target: str, targets: Targets) -> int:
    if target not in targets:
        raise UnableToAdjust(_("This line is not on the draft (any more): choose one that is."))
    return targets[target]


def adjustment_event(kind: str, row: Adjustment, opened: OpenMonth, effect: Effect, reason: str) -> NewEvent:
    """What happened to an adjustment: its content, and the totals before and after."""
    existing = opened.result.existing
    names = _line_names(opened.result.facts)
    content = {
        name: value if not isinstance(value, date) else value.isoformat()
        for name in (
            "target",
            "target_net_cents",
            "name",
            "quantity_micro",
            "unit_price_micro",
            "amount_cents",
            "percent_ppm",
            "day",
            "text",
        )
        if (value := getattr(row, name)) not in (None, "")
    }
    totals = {"before_cents": effect.before_cents, "after_cents": effect.after_cents, "currency": effect.currency}
    return NewEvent(
        kind,
        organization_id=row.organization_id,
        invoice_id=effect.invoice_id or (existing.id if existing else None),
        values={
            "adjustment": row.pk,
            "kind": str(row.kind),
            **content,
            **({"line": names[row.target]} if row.target in names else {}),
            **totals,
        },
        reason=reason,
    )


def _line_names(facts: Facts) -> dict[str, str]:
    """What the lines are called that have a name of their own; the others are worded for their reader."""
    return {
        **{f"add_on:{add_on.id}": add_on.name for add_on in facts.add_ons},
        **{f"{charge.kind}:{charge.id}": charge.description for charge in facts.charges},
        **{f"{LINE}:{each.id}": each.name for each in facts.adjustments if each.kind == LINE},
    }
