"""Celery: the application and the beat schedule.

The database is the queue of every long job; a message only wakes a worker. A lost, doubled or late message is
therefore harmless, which is what makes the in-memory broker good enough when there is no Redis.
"""

import os
from typing import TypedDict

from celery import Celery

MINUTES = 60


class ScheduleEntry(TypedDict):
    """One line of the schedule: a task, by name, the seconds between two runs, and after how many a message is moot."""

    task: str
    schedule: float
    options: dict[str, float]


BEAT_SCHEDULE: dict[str, ScheduleEntry] = {
    # Every 15 minutes: see to it that the month that is due is closed. It does nothing when that is done already.
    "ensure-due-month-is-closed": {
        "task": "billing.tasks.ensure_due_month_is_closed",
        "schedule": 15 * MINUTES,
        "options": {"expires": 15 * MINUTES},
    },
    # Every 5 seconds: take up what people asked for in bulk, so that a click shows progress soon.
    "work-on-bulk-jobs": {
        "task": "billing.tasks.work_on_bulk_jobs",
        "schedule": 5,
        "options": {"expires": 5},
    },
    # Every 10 seconds: check the e-invoices of drafts whose customers must get one, and those that somebody asked for.
    "check-drafts": {
        "task": "billing.tasks.check_drafts",
        "schedule": 10,
        "options": {"expires": 10},
    },
    # Every 15 minutes: say which invoices became overdue.
    "announce-overdue-invoices": {
        "task": "billing.tasks.announce_overdue_invoices",
        "schedule": 15 * MINUTES,
        "options": {"expires": 15 * MINUTES},
    },
    # Every hour: delete messages to webhooks that are older than 90 days.
    "forget-old-messages": {
        "task": "billing.tasks.forget_old_messages",
        "schedule": 60 * MINUTES,
        "options": {"expires": 60 * MINUTES},
    },
    # Every 10 seconds: wake workers for documents that are not rendered, and e-mails and messages that are not sent.
    "wake-for-documents": {
        "task": "billing.tasks.wake_for_documents",
        "schedule": 10,
        "options": {"expires": 10},
    },
}

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("unified_invoicing")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.beat_schedule = BEAT_SCHEDULE
app.autodiscover_tasks()
