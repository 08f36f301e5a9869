"""Amounts and quantities as exact decimals."""

from decimal import Decimal

from msgspec import Struct


class Money(Struct, frozen=True):
    """An amount in a currency."""

    amount: Decimal
    currency: str


def money(cents: int, currency: str) -> Money:
    """Cents as an amount: 68243 is 682.43."""
    return Money(from_cents(cents), currency)


def from_cents(cents: int) -> Decimal:
    """Hundredths as a decimal with two places."""
    return Decimal(cents).scaleb(-2)


def from_micro(micro: int) -> Decimal:
    """Millionths as a decimal without trailing zeros."""
    number = Decimal(micro).scaleb(-6).normalize()
    return number.quantize(Decimal(1)) if number == number.to_integral_value() else number
