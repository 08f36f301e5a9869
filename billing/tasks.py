"""Celery tasks: each loads, calls one use case and logs. A message only wakes a worker; the database is the queue."""

import logging
from time import monotonic

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from billing.documents.e_invoice.validation import CheckerUnavailable, validate
from billing.documents.rendering import render
from billing.queries.archive import count_due
from billing.queries.mails import count_due_mails
from billing.queries.webhooks import count_due_messages
from billing.usecases.announce_overdue import announce_overdue
from billing.usecases.check_drafts import check_drafts as check
from billing.usecases.deliver_mail import deliver_mail
from billing.usecases.deliver_webhook import deliver_webhook
from billing.usecases.ensure_due_closes import ensure_due_closes as ensure
from billing.usecases.forget_webhook_messages import forget_webhook_messages
from billing.usecases.send_mail import Outcome, send_mail
from billing.usecases.send_webhook import Sent, send_webhook
from billing.usecases.work_on_bulk_jobs import work_on_bulk_jobs as work_on_jobs
from billing.usecases.work_on_close import work_on_close as work
from billing.usecases.work_on_documents import CHUNK, work_on_documents

SECONDS_BETWEEN_CALLS = 10
"""How often workers are woken for documents and e-mails: a call that nobody took by then is moot."""
SECONDS_OF_WORK = 10
"""After so long a worker lets other tasks have their turn; the next call finds what is left."""

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


@shared_task
def wake_for_documents() -> None:
    """Call as many workers as there is work for: documents without files, e-mails, messages to webhooks."""
    at, most = timezone.now(), settings.DOCUMENT_WORKERS
    for _ in range(-(-count_due(at, most=most * CHUNK) // CHUNK)):
        render_documents.apply_async(expires=SECONDS_BETWEEN_CALLS)
    for _ in range(count_due_mails(at, most=most)):
        send_mails.apply_async(expires=SECONDS_BETWEEN_CALLS)
    for _ in range(count_due_messages(at, most=most)):
        send_webhooks.apply_async(expires=SECONDS_BETWEEN_CALLS)


@shared_task
def send_webhooks() -> None:
    """Send what is due to webhooks, for a while."""
    until, sent = monotonic() + SECONDS_OF_WORK, 0
    while monotonic() < until and (became := send_webhook(post=deliver_webhook, at=timezone.now())):
        sent += became is Sent.DELIVERED
    if sent:
        log.info("Delivered %s messages to webhooks", sent)


@shared_task
def forget_old_messages() -> None:
    """Delete what webhooks were told long ago."""
    if forgotten := forget_webhook_messages(at=timezone.now()):
        log.info("Deleted %s old messages to webhooks", forgotten)


@shared_task
def announce_overdue_invoices() -> None:
    """Say what became overdue."""
    if said := announce_overdue(at=timezone.now()):
        log.info("Announced %s overdue invoices and suspensions", said)


@shared_task
def render_documents() -> None:
    """Render what is issued, for a while."""
    until, taken, stored = monotonic() + SECONDS_OF_WORK, 0, 0
    while monotonic() < until and (worked := work_on_documents(render=render, at=timezone.now())).taken:
        taken, stored = taken + worked.taken, stored + worked.stored
    if taken:
        log.info("Stored %s of %s documents", stored, taken)


@shared_task
def send_mails() -> None:
    """Send what is due, for a while, unless the server cannot be reached."""
    until, sent = monotonic() + SECONDS_OF_WORK, 0
    while monotonic() < until and (outcome := send_mail(send=deliver_mail, at=timezone.now())):
        sent += outcome is Outcome.SENT
        if outcome is Outcome.UNREACHABLE:
            log.warning("E-mails wait: the mail server cannot be reached")
            break
    if sent:
        log.info("Sent %s e-mails", sent)
