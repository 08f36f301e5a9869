"""Months of the billing time zone, from and to the first days that rows keep."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from django.conf import settings

from billing.domain.periods import Month


def billing_zone() -> ZoneInfo:
    """The time zone in which months, price versions and issue dates are counted."""
    return ZoneInfo(settings.BILLING_TIME_ZONE)


def month_of(day: date) -> Month:
    """The month of a stored day."""
    return Month.of_day(day, billing_zone())


def local_day(instant: datetime) -> date:
    """The calendar day of an instant where the legal entity is."""
    return instant.astimezone(billing_zone()).date()


def last_ended_month(at: datetime) -> Month:
    """The month that is due to be closed at an instant."""
    return Month.containing(at, billing_zone()).previous


def midnight(day: date) -> datetime:
    """The instant at which a day begins where the legal entity is, in UTC: when a price version begins."""
    return datetime.combine(day, time(), tzinfo=billing_zone()).astimezone(UTC)
