"""Usage: the one kind of which there may be millions of lines."""

from collections.abc import Sequence

from billing.usecases._imports.lines import UsageLine
from billing.usecases._imports.storing import Importing, Numbered, Rejected, Verdicts
from billing.usecases.record_usage import record_usage


def store_usage(lines: Sequence[Numbered[UsageLine]], importing: Importing) -> Verdicts:
    """Store a batch of usage records."""
    result = record_usage(records=[line for _, line in lines], at=importing.at, references=importing.references)
    verdicts = Verdicts()
    verdicts.accepted = result.accepted
    verdicts.unchanged = result.unchanged
    verdicts.rejected = [
        Rejected(lines[rejection.index].number, rejection.detail, rejection.code) for rejection in result.rejected
    ]
    return verdicts
