"""Take part in a run of a month close that was started."""

from datetime import datetime

from billing.models import MonthClose
from billing.usecases._runs import work


def work_on_close(*, close_id: int, at: datetime) -> None:
    """Close batches of the run until none is free; a run that is complete already is left alone."""
    work(MonthClose.objects.get(pk=close_id), at=at, wait=False)
