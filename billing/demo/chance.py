"""Choices that look random and are the same on every run and machine: a key in, an integer out."""

from collections.abc import Sequence
from hashlib import blake2b

_MASK = 2**64 - 1


def number(limit: int, *key: int) -> int:
    """Return an integer of [0, limit) for a key (the finalizer of SplitMix64, after each part of the key)."""
    state = 0x9E3779B97F4A7C15
    for part in key:
        state = (state ^ part) * 0xBF58476D1CE4E5B9 & _MASK
        state = (state ^ state >> 27) * 0x94D049BB133111EB & _MASK
        state ^= state >> 31
    return state % limit


def pick[T](options: Sequence[T], *key: int) -> T:
    """Return one of the options."""
    return options[number(len(options), *key)]


def weighted[T](options: Sequence[tuple[int, T]], *key: int) -> T:
    """Return one of the options, each as often as its weight says."""
    ticket = number(sum(weight for weight, _ in options), *key)
    for weight, option in options:
        if ticket < weight:
            return option
        ticket -= weight
    raise AssertionError("The ticket lies below the sum of the weights.")


def permille(spread: int, *key: int) -> int:
    """Return a factor around 1000, at most `spread` away from it."""
    return 1000 + number(2 * spread + 1, *key) - spread


def identifier(prefix: str, name: str) -> str:
    """Return an id as platforms make them, such as `app_5d0f3a1c-…`, for a name that is unique in the demo."""
    digits = blake2b(f"{prefix} {name}".encode(), digest_size=16).hexdigest()
    return f"{prefix}_{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
