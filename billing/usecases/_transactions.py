"""Running a piece of work in a transaction of its own, again when it collided with somebody else's."""

from collections.abc import Callable

from django.db import IntegrityError, OperationalError, connection, transaction

ATTEMPTS = 3


def run_in_transaction[Result](work: Callable[[], Result], *, before_retry: Callable[[], None] | None = None) -> Result:
    """Run work in a transaction; when a constraint or a deadlock ends it, run it again on what is stored by then.

    Work therefore has to look at the database afresh and may change nothing else. Within a transaction of the
    caller there is one attempt only, because that one is lost. Raises the last error.
    """
    attempts = 1 if connection.in_atomic_block else ATTEMPTS
    for attempt in range(1, attempts + 1):
        try:
            with transaction.atomic():
                return work()
        except (IntegrityError, OperationalError):
            if attempt == attempts:
                raise
            if before_retry:
                before_retry()
    raise AssertionError("unreachable")
