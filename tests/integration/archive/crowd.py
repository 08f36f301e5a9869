"""Workers that render and send the same documents at once, and may be killed. Commands of `closing.program`.

Each writes down what it renders or sends, in a file that all of them append to: that is what really happened, whatever
the database says.
"""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from django.core.mail import EmailMessage

from billing.domain.documents import Document, Rendered
from billing.usecases.create_webhook import create_webhook
from billing.usecases.issue_invoices import issue_invoices
from billing.usecases.send_mail import send_mail
from billing.usecases.send_webhook import send_webhook
from billing.usecases.work_on_documents import work_on_documents
from organizations.models import BillingProfile
from tests.benchmarks import data
from tests.builders.archive import render_plainly
from tests.integration.closing import rush

SECONDS_EACH = 0.01


def issued(count: str) -> None:
    """A database with that many issued invoices, each with one recipient."""
    rush.drafts(count)
    create_webhook(name="books", url="https://example.org/", events=["invoice.issued"], actor=None, at=rush.AT)
    for profile in BillingProfile.objects.all():
        profile.email = f"billing-{profile.pk}@example.org"
        profile.save()
    assert len(issue_invoices(month=data.MONTH, at=rush.AT).numbers) == int(count)


@contextmanager
def _notes(path: str) -> Iterator[int]:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    yield file
    os.close(file)


def render_all(notes: str, minutes: str = "0") -> None:
    """Render what is due so many minutes after the documents were issued; prints how many were stored."""
    at, stored = rush.AT + timedelta(minutes=int(minutes)), 0
    with _notes(notes) as file:

        def render(document: Document) -> Rendered:
            os.write(file, f"{document.id}\n".encode())
            time.sleep(SECONDS_EACH)
            return render_plainly(document)

        while (worked := work_on_documents(render=render, at=at)).taken:
            stored += worked.stored
    print(stored)  # noqa: T201


def announce_all(notes: str, minutes: str = "0") -> None:
    """Send what is due to webhooks so many minutes after the documents were issued; prints how many were taken."""
    at, taken = rush.AT + timedelta(minutes=int(minutes)), 0
    with _notes(notes) as file:

        def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
            os.write(file, f"{headers['webhook-id']}\n".encode())
            time.sleep(SECONDS_EACH)
            return 200

        while send_webhook(post=post, at=at):
            taken += 1
    print(taken)  # noqa: T201


def send_all(notes: str, minutes: str = "0") -> None:
    """Send what is due so many minutes after the documents were issued; prints how many were handed over."""
    at, sent = rush.AT + timedelta(minutes=int(minutes)), 0
    with _notes(notes) as file:

        def send(message: EmailMessage) -> None:
            os.write(file, f"{message.to[0]}\n".encode())
            time.sleep(SECONDS_EACH)

        while send_mail(send=send, at=at):
            sent += 1
    print(sent)  # noqa: T201
