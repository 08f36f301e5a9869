"""Every promise that stored data must keep, and what breaks it.

One small function per promise, in a fixed number of set-based queries whatever the number of rows. Whoever adds a rule
to the domain page or to a model adds its promise here.
"""

from billing.queries.verification import (
    amounts,
    closes,
    documents,
    ledger,
    numbers,
    payments,
    prices,
    statements,
    usage,
)
from billing.queries.verification._promises import Broken, Promise

__all__ = ["PROMISES", "Broken", "Promise"]

PROMISES: tuple[Promise, ...] = tuple(
    promise
    for module in (documents, statements, numbers, ledger, payments, closes, usage, amounts, prices)
    for promise in module.PROMISES
)
