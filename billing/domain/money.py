"""Amounts in integer cents, and every rounding of the product.

No other module rounds an amount: whoever needs one calls a named function of this page, and all of them
round half away from zero, so that a credit note mirrors its invoice to the cent.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate, pairwise

CENTS_PER_UNIT = 100
PPM_OF_WHOLE = 1_000_000
BASIS_POINTS_OF_WHOLE = 10_000
MICRO_PER_CENT = 10_000
"""A cent in millionths of the currency unit, the scale of a line's unit price."""
_MICRO_SQUARED_PER_CENT = 10**10

_AMOUNT = re.compile(r"([0-9]{1,15})(?:\.([0-9]{1,2}))?")


def divide_half_away(numerator: int, denominator: int) -> int:
    """Return numerator / denominator as the nearest integer, a half going away from zero.

    Raises ValueError unless the denominator is positive.
    """
    if denominator <= 0:
        raise ValueError(f"A division for rounding needs a positive denominator, not {denominator}.")
    if numerator < 0:
        return -((denominator - 2 * numerator) // (2 * denominator))
    return (2 * numerator + denominator) // (2 * denominator)


def net_amount_cents(amount: Fraction) -> int:
    """Round an exact amount in currency units to cents: the one rounding of a printed line."""
    return divide_half_away(amount.numerator * CENTS_PER_UNIT, amount.denominator)


def unbilled_decimal(figure: Fraction) -> Decimal:
    """Round a figure that nobody is billed (a list price x quantity, as datasets carry it) to twelve decimals."""
    return Decimal(f"{divide_half_away(figure.numerator * 10**12, figure.denominator)}e-12")


def charge_cents(quantity_micro: int, unit_price_micro: int) -> int:
    """Return quantity x unit price in cents, rounded once; both are given in millionths."""
    return divide_half_away(quantity_micro * unit_price_micro, _MICRO_SQUARED_PER_CENT)


def percentage_cents(base_cents: int, ppm: int) -> int:
    """Return `ppm` millionths of a base, in cents (10 % = 100_000 ppm): a discount is rounded once."""
    return divide_half_away(base_cents * ppm, PPM_OF_WHOLE)


def vat_cents(base_cents: int, rate_bp: int) -> int:
    """Return the VAT of a taxable base, in cents (20 % = 2000 basis points).

    Called once per category and rate on the sum of the net amounts (EN 16931 BR-CO-17).
    """
    return divide_half_away(base_cents * rate_bp, BASIS_POINTS_OF_WHOLE)


def prorate_cents(cents: int, part: int, whole: int, times: int = 1) -> int:
    """Return cents x part / whole x times, rounded once: for example a monthly price for 21 of 31 days, 3 pieces.

    Raises ValueError unless the whole is positive.
    """
    return divide_half_away(cents * part * times, whole)


def euro_cents(cents: int, per_euro_micro: int) -> int:
    """Return an amount of another currency in euro cents; the rate is in millionths of it for one euro.

    Raises ValueError unless the rate is positive.
    """
    return divide_half_away(cents * PPM_OF_WHOLE, per_euro_micro)


def mean_cents(amounts_cents: Sequence[int]) -> int:
    """Return the mean of amounts, in cents.

    Raises ValueError for no amounts: what then counts is the caller's rule.
    """
    if not amounts_cents:
        raise ValueError("The mean of no amounts is not defined.")
    return divide_half_away(sum(amounts_cents), len(amounts_cents))


def allocate_cents(total_cents: int, weights: Sequence[int]) -> list[int]:
    """Share a total in proportion to weights; the parts sum to it exactly.

    Each part is the difference of two rounded running totals, so none is off by a cent or more and none has the
    opposite sign of the total. Raises ValueError for a negative weight, or when there is a total and no weight.
    """
    if any(weight < 0 for weight in weights):
        raise ValueError("A total cannot be shared over negative weights.")
    whole = sum(weights)
    if not whole:
        if total_cents:
            raise ValueError("A total other than zero cannot be shared over weights that are all zero.")
        return [0] * len(weights)
    running = accumulate(weights, initial=0)
    return [after - before for before, after in pairwise(divide_half_away(total_cents * w, whole) for w in running)]


def parse_cents(text: object) -> int:
    """Read an amount as people and files write it, "682.43" or "682", into cents.

    Raises ValueError, with a sentence, for anything but ASCII digits with at most two decimals (no sign, no
    exponent, no separator), and for what is not a string.
    """
    match = _AMOUNT.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(
            f"{text!r:.40} is not an amount: write at most 15 digits and at most two decimals, such as 682.43."
        )
    units, decimals = match.groups(default="")
    return int(units) * CENTS_PER_UNIT + int(decimals.ljust(2, "0"))


def format_cents(cents: int) -> str:
    """Write cents with two decimals, a point and no separators: "682.43", "-4.46", "0.00"."""
    units, rest = divmod(abs(cents), CENTS_PER_UNIT)
    return f"{'-' if cents < 0 else ''}{units}.{rest:02d}"
