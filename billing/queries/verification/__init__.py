"""Every promise that stored data must keep, and what breaks it.

One small function per promise, in a fixed number of set-based queries whatever the number of rows. Whoever adds a rule
to the domain page or to a model adds its promise here.
"""

from billing.queries.verification import (
    amounts,
    archive,
    closes,
    corrections,
    documents,
    ledger,
    numbers,
    payments,
    prices,
    seals,
    statements,
    usage,
    vendors,
)
from billing.queries.verification._promises import Broken, Promise

__all__ = ["PROMISES", "Broken", "Promise"]

MODULES = (
    documents,
    corrections,
    statements,
    numbers,
    seals,
    archive,
    ledger,
    payments,
    closes,
    usage,
    amounts,
    prices,
    vendors,
)
PROMISES: tuple[Promise, ...] = tuple(promise for module in MODULES for promise in module.PROMISES)
