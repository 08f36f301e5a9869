"""The platform that `manage.py demo` makes up, as it is for tests: the story, on one day."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from io import StringIO
from unittest.mock import patch

import time_machine
from django.core.management import call_command
from django.db import transaction
from pytest_django import DjangoDbBlocker

from billing.demo import timeline
from billing.demo.story import STORY, organization_id
from billing.models import Invoice
from tests.builders.archive import render_plainly

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
JULY, AUGUST, SEPTEMBER, OCTOBER, NOVEMBER = (date(2026, number, 1) for number in (7, 8, 9, 10, 11))
PASSWORD = "a-password-of-the-demo"


def run_demo(**options: object) -> str:
    """Run the command with the customers that have a story, and return what it printed.

    Its documents are rendered plainly: other tests do it in earnest.
    """
    out = StringIO()
    with time_machine.travel(NOW, tick=False), patch.object(timeline, "render", render_plainly):
        call_command("demo", no_serve=True, stdout=out, **{"organizations": len(STORY), **options})
    return out.getvalue()


@contextmanager
def played(blocker: DjangoDbBlocker) -> Iterator[str]:
    """Have the demo in the database meanwhile; gives what the command printed."""
    with blocker.unblock(), transaction.atomic():
        yield run_demo(password=PASSWORD)
        transaction.set_rollback(True)


def invoice(name: str, month: date) -> Invoice:
    """Return the invoice of a customer with a story."""
    return Invoice.objects.get(
        organization__external_id=organization_id(name), consumption_month=month, kind=Invoice.Kind.INVOICE
    )


def draft(name: str) -> Invoice:
    """Return the draft of the last month."""
    return invoice(name, OCTOBER)
