"""Do what a request asks for once, however often it is sent, and answer it alike each time."""

from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from django.db import transaction

from billing.models import ApiAnswer
from billing.usecases._transactions import run_in_transaction

KEPT = timedelta(days=7)


class Answer(NamedTuple):
    """A status and a body."""

    status: int
    body: str


class OtherRequest(ValueError):
    """The idempotency key was used for another request; the message is a sentence."""


def answer_once(
    *, api_key_id: int, idempotency_key: str, request: bytes, work: Callable[[], Answer], at: datetime
) -> tuple[Answer, bool]:
    """Do the work, or repeat the answer of the time before; tell which. Raises OtherRequest, and what work raises.

    Answer and work are of one transaction: a crash leaves both or none. Of two that come at once, the second waits at
    the unique key for the first. What is refused (work raises) leaves nothing, so that it may be tried again.
    """
    digest = sha256(request).digest()
    _forget_old(at)

    def attempt() -> tuple[Answer, bool]:
        # The row first: whoever comes second waits here.
        made, is_new = ApiAnswer.objects.get_or_create(
            api_key_id=api_key_id,
            idempotency_key=idempotency_key,
            defaults={"request_digest": digest, "status": 0, "body": "", "created_at": at},
        )
        if not is_new:
            if bytes(made.request_digest) != digest:
                raise OtherRequest("This Idempotency-Key was used for another request: take a new one.")
            return Answer(made.status, made.body), True
        answer = work()
        ApiAnswer.objects.filter(pk=made.pk).update(status=answer.status, body=answer.body)
        return answer, False

    return run_in_transaction(attempt)


def _forget_old(at: datetime) -> None:
    """Answers that nobody will ask for again."""
    old = ApiAnswer.objects.filter(created_at__lt=at - KEPT)
    if old.exists():
        with transaction.atomic():
            old.delete()
