"""Celery tasks: each loads, calls one use case and logs. A message only wakes a worker; the database is the queue."""

import logging

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from billing.documents.e_invoice.validation import CheckerUnavailable, validate
from billing.usecases.check_drafts import check_drafts as check
from billing.usecases.ensure_due_closes import ensure_due_closes as ensure
from billing.usecases.work_on_bulk_jobs import work_on_bulk_jobs as work_on_jobs
from billing.usecases.work_on_close import work_on_close as work

log = logging.getLogger(__name__)


@shared_task
def ensure_due_month_is_closed() -> None:
    """Start what is due, and wake the workers."""
    for close_id in ensure(at=timezone.now()):
        log.info("Close %s is due", close_id)
        for _ in range(settings.CLOSE_WORKERS):
            work_on_close.delay(close_id)


@shared_task
def work_on_close(close_id: int) -> None:
    """Close batches of a run until none is free."""
    work(close_id=close_id, at=timezone.now())


@shared_task
def work_on_bulk_jobs() -> None:
    """Do what people asked for in bulk."""
    worked = work_on_jobs(at=timezone.now())
    if worked:
        log.info("Worked on %s items of bulk jobs", worked)


@shared_task
def check_drafts() -> None:
    """Check the e-invoices of drafts; without the process that validates, they wait for the next time."""
    try:
        checked = check(check=validate, at=timezone.now())
    except CheckerUnavailable as error:
        log.error("E-invoices of drafts cannot be checked: %s", error)  # nothing to trace
        return
    if checked:
        log.info("Checked the e-invoices of %s drafts", checked)
