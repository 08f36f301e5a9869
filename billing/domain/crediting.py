"""What a credit note may take back of an invoice: per line, and per VAT rate (domain page, sections 5 and 7).

    left of a line  = its net amount - what issued credit notes took of it       (never beyond, never below zero)
    left of a rate  = its base - what they took of its lines                     (a discount line lowers it)
    VAT             = base x rate, rounded once; what takes the rest of a base takes the rest of its VAT

So that the credit notes of an invoice, however it is taken apart, never give back a cent more or less than was billed.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from billing.domain.money import format_cents, vat_cents
from billing.domain.taxation import Category, TaxSubtotal

type Rate = tuple[Category, int]
"""VAT category and rate in basis points."""


class TooMuchCredited(ValueError):
    """More than is left of a line (`line_id`) or of a VAT rate (`rate`); the message names the limit."""

    def __init__(
        self, message: str, *, cents: int, left_cents: int, line_id: int | None = None, rate: Rate | None = None
    ) -> None:
        super().__init__(message)
        self.cents, self.left_cents, self.line_id, self.rate = cents, left_cents, line_id, rate


class CreditableLine(Struct, frozen=True):
    """A line of an issued invoice; cents. A discount has a negative net amount, and is credited with one."""

    id: int
    net_cents: int
    rate: Rate
    credited_cents: int = 0

    @property
    def left_cents(self) -> int:
        """What no credit note has taken back yet."""
        return self.net_cents - self.credited_cents


class CreditableRate(Struct, frozen=True):
    """A tax subtotal of an issued invoice, and what credit notes took of it; cents."""

    rate: Rate
    base_cents: int
    vat_cents: int
    credited_base_cents: int = 0
    credited_vat_cents: int = 0


class Credited(Struct, frozen=True):
    """A credit note: net amounts by line of the invoice, tax subtotals and totals; cents, positive as it is printed."""

    lines: tuple[tuple[int, int], ...]
    tax_subtotals: tuple[TaxSubtotal, ...]

    @property
    def subtotal_cents(self) -> int:
        """Excluding VAT."""
        return sum(cents for _, cents in self.lines)

    @property
    def vat_cents(self) -> int:
        """Of all rates."""
        return sum(subtotal.vat_cents for subtotal in self.tax_subtotals)


def everything_left(lines: Iterable[CreditableLine]) -> dict[int, int]:
    """What a full credit note takes back: all that is left of each line, by line."""
    return {line.id: line.left_cents for line in lines if line.left_cents}


def credit(lines: Sequence[CreditableLine], rates: Sequence[CreditableRate], wanted: Mapping[int, int]) -> Credited:
    """Take back `wanted` cents of each line, in the order of the invoice.

    A document without anything to take back keeps one subtotal of base 0, as an invoice does. Raises TooMuchCredited.
    """
    for line in lines:
        _check_line(line, wanted.get(line.id, 0))
    credited = tuple((line.id, cents) for line in lines if (cents := wanted.get(line.id, 0)))
    bases: dict[Rate, int] = {}
    for line in lines:
        if wanted.get(line.id):
            bases[line.rate] = bases.get(line.rate, 0) + wanted[line.id]
    subtotals = [_subtotal(rate, bases[rate.rate]) for rate in rates if rate.rate in bases]
    if not subtotals:
        category, rate_bp = rates[0].rate
        subtotals = [TaxSubtotal(category, rate_bp, 0, 0)]
    return Credited(credited, tuple(subtotals))


def _check_line(line: CreditableLine, cents: int) -> None:
    lowest, highest = sorted((0, line.left_cents))
    if not lowest <= cents <= highest:
        raise TooMuchCredited(
            f"{format_cents(cents)} cannot be credited of a line of which {format_cents(line.left_cents)} are left.",
            cents=cents,
            left_cents=line.left_cents,
            line_id=line.id,
        )


def _subtotal(rate: CreditableRate, base_cents: int) -> TaxSubtotal:
    left_base_cents = rate.base_cents - rate.credited_base_cents
    left_vat_cents = rate.vat_cents - rate.credited_vat_cents
    category, rate_bp = rate.rate
    if not 0 <= base_cents <= left_base_cents:
        raise TooMuchCredited(
            f"{format_cents(base_cents)} cannot be credited at {format_cents(rate_bp)} % VAT: "
            f"{format_cents(left_base_cents)} are left of what was billed at that rate.",
            cents=base_cents,
            left_cents=left_base_cents,
            rate=rate.rate,
        )
    if base_cents == left_base_cents:
        return TaxSubtotal(category, rate_bp, base_cents, left_vat_cents)
    return TaxSubtotal(category, rate_bp, base_cents, min(vat_cents(base_cents, rate_bp), left_vat_cents))
