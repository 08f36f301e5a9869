"""How a printed line is worded for its reader, in the language that is active."""

from datetime import date, timedelta
from typing import Protocol

from django.utils.formats import date_format
from django.utils.translation import gettext as _


class PrintedLine(Protocol):
    """What the wording of a line depends on; invoice lines have it."""

    @property
    def kind(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def period_start(self) -> date: ...
    @property
    def period_end(self) -> date: ...


def line_description(line: PrintedLine) -> str:
    """Say what a line bills, for example "Credits provision, November 2026".

    An add-on names its month, or its days when it runs for a part of it; charges and adjustments keep the words of
    whoever wrote them.
    """
    match line.kind:
        case "provision":
            return _("Credits provision, %(month)s") % {"month": _month(line.period_start)}
        case "regularization":
            return _("Regularization, %(month)s") % {"month": _month(line.period_start)}
        case "add_on":
            return _add_on_description(line)
        case "discount":
            return line.name or _("Discount")
        case "adjustment":
            return line.name or _("Adjustment")
        case _:
            return line.name


def _add_on_description(line: PrintedLine) -> str:
    last_day = line.period_end - timedelta(days=1)
    if line.period_start.day == 1 and line.period_end == _next_month(line.period_start):
        return _("%(name)s, %(month)s") % {"name": line.name, "month": _month(line.period_start)}
    if line.period_start == last_day:
        return _("%(name)s, on %(day)s") % {"name": line.name, "day": _day(last_day)}
    return _("%(name)s, %(first_day)s to %(last_day)s") % {
        "name": line.name,
        "first_day": _day(line.period_start),
        "last_day": _day(last_day),
    }


def _next_month(day: date) -> date:
    # Any day of the month plus 31 days from its first lies in the next one.
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1)


def _month(day: date) -> str:
    return date_format(day, "F Y")


def _day(day: date) -> str:
    return date_format(day, "j F Y")
