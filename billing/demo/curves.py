"""How much is used when: an even pace, bent by the month, the weekend, a surge and a little noise. Integers only."""

from dataclasses import dataclass

from billing.demo import chance
from billing.demo.months import IN_PROGRESS, Span
from billing.domain.quantities import MICRO

WHOLE = 1000
"""Factors are in thousandths."""

STEADY = (WHOLE,) * (IN_PROGRESS + 1)


@dataclass(frozen=True, slots=True)
class Surge:
    """Days of one month in which everything is multiplied: a launch, a sale."""

    month: int
    first_day: int
    last_day: int
    permille: int


@dataclass(frozen=True, slots=True)
class Curve:
    """The pace of one meter of one resource, in millionths of the meter's unit per hour.

    `by_month`: a factor for each month, also the one in progress. `weekend`: the factor of Saturdays and Sundays.
    `spread`: how far a record may lie from the curve. All in thousandths. Quantities are multiples of `grain_micro`.
    """

    per_hour_micro: int
    by_month: tuple[int, ...] = STEADY
    weekend: int = WHOLE
    spread: int = 0
    surge: Surge | None = None
    grain_micro: int = MICRO

    def quantity_micro(self, month: int, span: Span, seed: int) -> int:
        """Return what is used over a span of a month, in millionths; `seed` tells one curve's noise from another's."""
        days = span.days
        weekday_permille = WHOLE + (self.weekend - WHOLE) * span.weekend_days // days
        factor = self.by_month[month] * weekday_permille
        factor *= chance.permille(self.spread, seed, span.first_day.toordinal()) if self.spread else WHOLE
        surge = self.surge
        if surge and surge.month == month and surge.first_day <= span.first_day.day <= surge.last_day:
            factor = factor * surge.permille // WHOLE
        quantity_micro = self.per_hour_micro * span.seconds * factor // (3600 * WHOLE**3)
        return quantity_micro - quantity_micro % self.grain_micro


def growing(permille_a_month: int, *, jitter: int = 0, seed: int = 0) -> tuple[int, ...]:
    """Return monthly factors that start at one and grow (or shrink) by so many thousandths each month."""
    factors = [WHOLE]
    for month in range(1, IN_PROGRESS + 1):
        grown = factors[-1] * (WHOLE + permille_a_month) // WHOLE
        factors.append(grown * chance.permille(jitter, seed, month) // WHOLE)
    return tuple(factors)
