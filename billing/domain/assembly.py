"""The whole month of one organization as one pure function: facts in, a draft invoice out (or nothing, or a reason).

usage x prices  -> printed usage lines -> U (less the discount)     what credits may pay
add-ons, charges -> printed lines      -> D                         what credits never pay
U, grants       -> used, expired       -> statement a..i -> h, regularization
lines           -> adjustments         -> what is printed
printed lines   -> VAT per rate        -> total
"""

from collections.abc import Callable, Sequence
from datetime import date

from msgspec import Struct, structs

from billing.domain.adjustments import (
    DUE_DATE,
    NOTE,
    PROVISION,
    PURCHASE_ORDER,
    Conflict,
    adjust,
    last_of,
    net_by_key,
)
from billing.domain.consumption import RateCard, Unrateable, UsageLine, rate_month, share_discount, share_regularization
from billing.domain.credits import CreditUse, Movement, use_credits
from billing.domain.direct_lines import DirectLine, add_on_lines, charge_lines, single_line
from billing.domain.estimates import estimate_consumption
from billing.domain.facts import Facts, MonthUsage, Reason
from billing.domain.money import MICRO_PER_CENT, percentage_cents
from billing.domain.statement import CreditStatement, make_statement
from billing.domain.taxation import TaxSubtotal, TaxTreatment, tax_subtotals

type RateCards = Callable[[MonthUsage], RateCard]

LARGEST = 2**63 - 1
"""What a column can hold, in cents or millionths; more blocks the organization instead of failing the batch."""


class Draft(Struct, frozen=True):
    """A computed invoice: its printed lines, statement, usage lines and totals, and what issuing it will book.

    `movements` are taken from the grants (`used` and `expired`), `add_ons_billed_until` and `charge_ids` are what the
    lines bill. `discount_cents` >= 0 is the discount on consumption, an entry of its own in the usage details.
    `lowered` is late usage that makes an earlier month cheaper: not part of this invoice, to be given back otherwise.
    `adjustment_ids` were applied, `conflicts` are those that somebody has to decide; `due_date`, `purchase_order` and
    `note` are what staff want on the issued document, None where nothing was said.
    """

    lines: tuple[DirectLine, ...]
    tax: TaxTreatment
    tax_subtotals: tuple[TaxSubtotal, ...]
    statement: CreditStatement
    usage: tuple[UsageLine, ...]
    discount_cents: int
    fees_cents: int
    own_consumption_cents: int
    direct_cents: int
    subtotal_cents: int
    vat_cents: int
    lowered: tuple[UsageLine, ...]
    used: tuple[Movement, ...]
    expired: tuple[Movement, ...]
    add_ons_billed_until: tuple[tuple[int, date], ...]
    charge_ids: tuple[int, ...]
    adjustment_ids: tuple[int, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    due_date: date | None = None
    purchase_order: str | None = None
    note: str | None = None

    @property
    def regularization_cents(self) -> int:
        """Consumption that no credit covered."""
        return self.statement.regularization_cents(self.fees_cents)

    @property
    def total_cents(self) -> int:
        """What the customer pays, VAT included."""
        return self.subtotal_cents + self.vat_cents


class Nil(Struct, frozen=True):
    """Nothing to bill. `usage` cost nothing and is settled by this; `expired` is still booked on the grants."""

    reason: Reason
    usage: tuple[UsageLine, ...] = ()
    lowered: tuple[UsageLine, ...] = ()
    expired: tuple[Movement, ...] = ()


class Blocked(Struct, frozen=True):
    """Something that a person has to mend before this organization can be billed."""

    reason: Reason


type Assembled = Draft | Nil | Blocked


class _Consumption(Struct, frozen=True):
    """U and what it is made of; months run from the oldest late one to the month being closed."""

    lines: tuple[UsageLine, ...]
    lowered: tuple[UsageLine, ...]
    months: tuple[MonthUsage, ...]
    net_by_month: tuple[int, ...]
    gross_cents: int
    own_cents: int

    @property
    def fees_cents(self) -> int:
        return sum(self.net_by_month)


def assemble(facts: Facts, rate_cards: RateCards) -> Assembled:
    """Compute the invoice of one payer's consumption month, or say why there is none.

    `rate_cards` gives the compiled prices of a month of usage. Pure: the same facts give the same result.
    """
    if facts.blocked is not None:
        return Blocked(facts.blocked)
    try:
        consumption = _consumption(facts, rate_cards)
        add_ons, billed_until = add_on_lines(facts)
    except Unrateable as error:
        return Blocked(error.reason)
    charges = charge_lines(facts.charges)
    direct_cents = sum([line.net_cents for line in add_ons]) + sum([line.net_cents for line in charges])
    if max(direct_cents, consumption.gross_cents, *[line.quantity_micro for line in consumption.lines]) > LARGEST:
        return Blocked(Reason("amount_too_large"))
    use = _use_credits(facts, consumption.fees_cents)
    statement = _statement(facts, use, consumption.own_cents)
    lines = [
        single_line(PROVISION, facts.month.next, statement.refill_cents),
        *_regularization_lines(consumption, use),
        *add_ons,
        *charges,
    ]
    part = _Part(lines, statement, consumption, use, tuple(billed_until), tuple([each.id for each in facts.charges]))
    return _adjusted(facts, part) if facts.adjustments else _billed(facts, part)


class _Part(Struct, frozen=True):
    """What is computed so far: lines with those of 0.00, and what they bill."""

    lines: Sequence[DirectLine]
    statement: CreditStatement
    consumption: _Consumption
    use: CreditUse
    billed_until: tuple[tuple[int, date], ...]
    charge_ids: tuple[int, ...]


def _billed(facts: Facts, part: _Part) -> Assembled:
    """A draft of these lines, if there is anything to bill and somebody who can be billed."""
    lines = _printed(part.lines)
    if not (part.consumption.fees_cents or lines):
        expired = part.use.expired + part.use.lapsed
        return Nil(_nil_reason(part.consumption), part.consumption.lines, part.consumption.lowered, expired)
    if facts.unbillable is not None:
        return Blocked(facts.unbillable)
    return _draft(facts, lines, part)


def _adjusted(facts: Facts, part: _Part) -> Assembled:
    """As computed, but for what staff changed; what is skipped is not taken and waits for the next invoice."""
    adjusted = adjust(part.lines, facts.adjustments, facts.month, sells_credits=not facts.is_last_month)
    skipped = adjusted.skipped
    kinds = {charge.id: charge.kind for charge in facts.charges}
    assembled = _billed(
        facts,
        structs.replace(
            part,
            lines=adjusted.lines,
            statement=structs.replace(part.statement, refill_cents=net_by_key(adjusted.lines).get(PROVISION, 0)),
            billed_until=tuple([until for until in part.billed_until if f"add_on:{until[0]}" not in skipped]),
            charge_ids=tuple([id_ for id_ in part.charge_ids if f"{kinds[id_]}:{id_}" not in skipped]),
        ),
    )
    if isinstance(assembled, Nil) and skipped:
        return structs.replace(assembled, reason=Reason("skipped_by_hand"))
    if not isinstance(assembled, Draft):
        return assembled
    due_date, order, note = (last_of(kind, facts.adjustments) for kind in (DUE_DATE, PURCHASE_ORDER, NOTE))
    return structs.replace(
        assembled,
        adjustment_ids=tuple([adjustment.id for adjustment in facts.adjustments]),
        conflicts=adjusted.conflicts,
        due_date=due_date.day if due_date else None,
        purchase_order=order.text if order else None,
        note=note.text if note else None,
    )


def _consumption(facts: Facts, rate_cards: RateCards) -> _Consumption:
    months = (*sorted(facts.late_usage, key=lambda usage: usage.month.first_day), facts.usage)
    currency = facts.terms.currency
    rated = [
        rate_month(usage, rate_cards(usage), currency=currency, owners=usage.owners or facts.organizations)
        for usage in months
    ]
    gross_by_month = [month.gross_cents for month in rated]
    ppm = facts.terms.discount_ppm
    own_gross_cents = gross_by_month[-1]
    return _Consumption(
        lines=tuple([line for month in rated for line in month.lines]),
        lowered=tuple([line for month in rated for line in month.lowered]),
        months=months,
        net_by_month=tuple(share_discount(gross_by_month, ppm)),
        gross_cents=sum(gross_by_month),
        own_cents=own_gross_cents - percentage_cents(own_gross_cents, ppm),
    )


def _use_credits(facts: Facts, consumption_cents: int) -> CreditUse:
    return use_credits(
        facts.grants,
        consumption_cents=consumption_cents,
        first_day=facts.month.first_day,
        last_day=facts.month.last_day,
        lose_free=facts.is_last_month,
    )


def _statement(facts: Facts, use: CreditUse, own_cents: int) -> CreditStatement:
    """The account that closes this month has no month to come: f = h = 0."""
    if facts.is_last_month:
        return make_statement(use, estimate_cents=0, pending_cents=facts.pending_cents, negotiated_refill_cents=0)
    estimate_cents = estimate_consumption((own_cents, *facts.past_consumption_cents), facts.terms.forecast_months)
    return make_statement(
        use,
        estimate_cents=estimate_cents,
        pending_cents=facts.pending_cents,
        negotiated_refill_cents=facts.negotiated_refill_cents,
    )


def _regularization_lines(consumption: _Consumption, use: CreditUse) -> list[DirectLine]:
    uncovered = share_regularization(consumption.net_by_month, use.used_cents)
    return [
        single_line("regularization", usage.month, cents)
        for usage, cents in zip(consumption.months, uncovered, strict=True)
    ]


def _printed(lines: Sequence[DirectLine]) -> tuple[DirectLine, ...]:
    """Lines of 0.00 are not printed."""
    return tuple([line for line in lines if line.net_cents])


def _nil_reason(consumption: _Consumption) -> Reason:
    if not consumption.lines:
        return Reason("no_activity")
    return Reason("nothing_due" if consumption.gross_cents else "free_usage_only")


def _draft(facts: Facts, lines: tuple[DirectLine, ...], part: _Part) -> Draft | Blocked:
    statement, consumption = part.statement, part.consumption
    tax = facts.tax
    subtotals = tax_subtotals([(tax.category, tax.rate_bp, line.net_cents) for line in lines], tax)
    subtotal_cents = sum([line.net_cents for line in lines])
    vat_cents = sum([subtotal.vat_cents for subtotal in subtotals])
    # A line keeps its net amount as a unit price too, in millionths.
    if (subtotal_cents + vat_cents) * MICRO_PER_CENT > LARGEST:
        return Blocked(Reason("amount_too_large"))
    return Draft(
        lines=lines,
        tax=tax,
        tax_subtotals=tuple(subtotals),
        statement=statement,
        usage=consumption.lines,
        discount_cents=consumption.gross_cents - consumption.fees_cents,
        fees_cents=consumption.fees_cents,
        own_consumption_cents=consumption.own_cents,
        direct_cents=subtotal_cents - statement.refill_cents - statement.regularization_cents(consumption.fees_cents),
        subtotal_cents=subtotal_cents,
        vat_cents=vat_cents,
        lowered=consumption.lowered,
        used=part.use.used,
        expired=part.use.expired + part.use.lapsed,
        add_ons_billed_until=part.billed_until,
        charge_ids=part.charge_ids,
    )
