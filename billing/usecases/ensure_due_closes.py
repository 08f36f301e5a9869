"""See to it that the month that is due is closed; harmless however often, late or doubled it is asked for."""

from datetime import datetime

from django.db.models import Max, Min

from billing.domain.periods import Month
from billing.models import CloseOutcome, MonthClose
from billing.queries.months import last_ended_month, month_of
from billing.usecases._runs import payer_ids, start_or_join


def ensure_due_closes(*, at: datetime) -> list[int]:
    """Start the closes that are due at an instant and not finished; returns their ids, oldest month first.

    After an outage of months they all come, in order. Nothing is started before there is anybody to bill.
    """
    due = last_ended_month(at)
    closes = []
    month = _first_unfinished(due)
    while month <= due:
        if not MonthClose.objects.filter(month=month.first_day, finished_at__isnull=False).exists() and payer_ids(
            month
        ):
            closes.append(start_or_join(month, at=at).pk)
        month = month.next
    return closes


def _first_unfinished(due: Month) -> Month:
    """The month after the last finished close, or an unfinished run before it; the due month on a new installation."""
    finished = MonthClose.objects.filter(finished_at__isnull=False).aggregate(last=Max("month"))["last"]
    started = MonthClose.objects.filter(started_at__isnull=False, finished_at__isnull=True)
    unfinished = started.aggregate(first=Min("month"))["first"]
    months = [month_of(unfinished)] if unfinished else []
    if finished is not None and CloseOutcome.objects.exists():
        months.append(month_of(finished).next)
    return min(months, default=due)
