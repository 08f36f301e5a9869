"""Quantities in integer millionths of a meter's unit, and unit prices, which are never rounded."""

import re
from decimal import Decimal

MICRO = 1_000_000
MAX_QUANTITY_MICRO = 10**12 * MICRO

UNIT_PRICE_SIGNIFICANT_DIGITS = 15
UNIT_PRICE_DECIMALS = 24

_DECIMALS = 6
_PLAIN_DIGITS = 12  # fewer than the largest quantity has
_SCALES: list[int] = [10 ** (_DECIMALS - decimals) for decimals in range(_DECIMALS + 1)]
_PLAIN_NUMBER = re.compile(r"([0-9]+)(?:\.([0-9]+))?")


def parse_micro(text: object) -> int:
    """Read a quantity such as "224674" or "0.25" into millionths.

    Raises ValueError, with a sentence, for anything but ASCII digits with at most six decimals (no sign, no exponent,
    no separator), for more than 10^12, and for what is not a string.
    """
    if isinstance(text, str) and text.isascii():
        # Nearly all are like this; there are millions.
        whole, _, rest = text.partition(".")
        if len(whole) <= _PLAIN_DIGITS and whole.isdigit():
            if rest.isdigit() and len(rest) <= _DECIMALS:
                return int(whole) * MICRO + int(rest) * _SCALES[len(rest)]
            if whole == text:
                return int(whole) * MICRO
    match = _PLAIN_NUMBER.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(
            f"{text!r:.40} is not a quantity: write digits and at most six decimals, such as 224674 or 0.25."
        )
    units, decimals = match.groups(default="")
    if len(decimals) > _DECIMALS:
        raise ValueError(f"{text!r:.40} is not a quantity: it has more than six decimals.")
    # The length is looked at before int(), which refuses thousands of digits with a message of its own.
    if len(units.lstrip("0")) > len(str(MAX_QUANTITY_MICRO // MICRO)):
        raise _too_large(text)
    quantity_micro = int(units) * MICRO + int(decimals.ljust(_DECIMALS, "0"))
    if quantity_micro > MAX_QUANTITY_MICRO:
        raise _too_large(text)
    return quantity_micro


def format_micro(quantity_micro: int) -> str:
    """Write millionths as a plain decimal without trailing zeros: "224674", "0.25", "-1.5"."""
    units, rest = divmod(abs(quantity_micro), MICRO)
    digits = f"{units}.{rest:06d}".rstrip("0").rstrip(".")
    return f"-{digits}" if quantity_micro < 0 else digits


def parse_unit_price(value: object) -> Decimal:
    """Read a unit price and keep every digit: a string such as "0.00229166666666667", or an exact number from JSON.

    Trailing zeros mean nothing, so "2.50" and "2.5" give the same decimal. Raises ValueError, with a sentence, for a
    negative price, an exponent in a string, a float, more than 15 significant digits or more than 24 decimals.
    """
    text = format(value, "f") if isinstance(value, Decimal) else value
    if isinstance(text, int) and not isinstance(text, bool):
        text = str(text)
    match = _PLAIN_NUMBER.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"{text!r:.40} is not a unit price: write digits and decimals, such as 0.00229166666666667.")
    units, decimals = match[1].lstrip("0"), (match[2] or "").rstrip("0")
    if len((units + decimals).lstrip("0")) > UNIT_PRICE_SIGNIFICANT_DIGITS:
        raise ValueError(f"{value!r:.40} has more than 15 significant digits, which a unit price cannot keep.")
    if len(decimals) > UNIT_PRICE_DECIMALS:
        raise ValueError(f"{value!r:.40} has more than 24 decimals, which a unit price cannot keep.")
    return Decimal(f"{units or '0'}.{decimals}" if decimals else units or "0")


def format_unit_price(price: Decimal) -> str:
    """Write a unit price in plain notation without trailing zeros: "0.0000142222222222222", "8"."""
    digits = format(price, "f")
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def round_up_to_packages(quantity_micro: int, package_micro: int | None) -> int:
    """Round a quantity up to whole packages (*insecable*), both in millionths; None means that any part may be sold."""
    if package_micro is None:
        return quantity_micro
    return -(-quantity_micro // package_micro) * package_micro


def format_duration(seconds: int) -> str:
    """Write a duration as the invoice prints it, "13d 20h 56m 34s", from its largest unit on ("1h 0m 0s", "0s").

    Raises ValueError for a negative duration.
    """
    if seconds < 0:
        raise ValueError(f"A duration is not negative: {seconds} s.")
    minutes, secs = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "m"), (secs, "s")]
    while len(parts) > 1 and not parts[0][0]:
        del parts[0]
    return " ".join(f"{number}{unit}" for number, unit in parts)


def _too_large(text: object) -> ValueError:
    return ValueError(f"{text!r:.40} is too large a quantity: at most 1000000000000 is accepted.")
