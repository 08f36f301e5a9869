"""What a panel says about a figure: steps from what is known to the amount."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Step:
    """One step: what it is, the figure that it gives, a note, and where to read on."""

    label: str
    figure: str = ""
    note: str = ""
    url: str = ""


@dataclass(frozen=True)
class Explanation:
    """A figure in cents and how it came about."""

    title: str
    cents: int
    steps: list[Step] = field(default_factory=list)
