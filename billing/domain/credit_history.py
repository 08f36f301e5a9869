"""How a credit balance came about, month by month: opening + movements = closing."""

from collections.abc import Sequence
from datetime import date
from itertools import groupby

from msgspec import Struct


class Movement[Cause](Struct, frozen=True):
    """What changed the balance on a day of the calendar, in cents; more comes in, less goes out.

    `month` is the consumption month that it settles, if any; `cause` what else its wording names.
    """

    day: date
    cents: int
    kind: str
    month: date | None
    cause: Cause


class MonthOfCredits[Cause](Struct, frozen=True):
    """The movements of a calendar month, oldest first, between two balances."""

    month: date
    opening_cents: int
    movements: tuple[Movement[Cause], ...]

    @property
    def change_cents(self) -> int:
        """What the movements sum to."""
        return sum([movement.cents for movement in self.movements])

    @property
    def closing_cents(self) -> int:
        """The balance after the last movement."""
        return self.opening_cents + self.change_cents


def by_month[Cause](opening_cents: int, movements: Sequence[Movement[Cause]]) -> list[MonthOfCredits[Cause]]:
    """Group movements into calendar months, oldest first, each opening where the one before closed.

    Months in which nothing moved are left out. Movements of one day keep their order.
    """
    months: list[MonthOfCredits[Cause]] = []
    ordered = sorted(movements, key=lambda movement: movement.day)
    for first_day, of_month in groupby(ordered, key=lambda movement: movement.day.replace(day=1)):
        opening_cents = months[-1].closing_cents if months else opening_cents
        months.append(MonthOfCredits(first_day, opening_cents, tuple(of_month)))
    return months
