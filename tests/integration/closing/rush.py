"""Many who issue the same drafts at once, some of whom fail or are killed. Commands of `program`.

Everything is imported before the processes part, so that sixteen of them are as many that work, not that start up.
"""

import os
import signal
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, date, datetime
from random import Random

from django.core.management import call_command
from django.db import OperationalError, connections

from billing.models import Invoice, NumberSeries
from billing.usecases import issue_invoices as module
from billing.usecases.close_month import close_month
from billing.usecases.issue_invoices import UnableToIssue, issue_invoices
from organizations.models import Organization
from tests.benchmarks import data

DAYS = 5
AT = datetime(2026, 11, DAYS, 12, 0, tzinfo=UTC)
KILLED = 6


def drafts(count: str) -> None:
    """A database with that many drafts of October 2026."""
    call_command("migrate", verbosity=0)
    data.RESOURCES, data.ROUNDS = 1, 4
    data.load(int(count))
    assert close_month(month=data.MONTH, at=data.CLOSED_AT).invoices == int(count)


def issue_in_threads(threads: str, drafts: str) -> None:
    """Issue the first drafts in that many threads at once; prints how many were issued, and by how many threads."""
    connections.settings["default"]["OPTIONS"]["pool"] = False  # which would let a few at a time work
    wanted = _external_ids()[: int(drafts)]
    with ThreadPoolExecutor(int(threads)) as pool:
        taken = list(pool.map(lambda seed: _issue_and_hang_up(wanted, Random(seed)), range(int(threads))))
    numbers = [number for each in taken for number in each]
    assert len(numbers) == len(set(numbers))
    print(len(numbers), sum(map(bool, taken)))  # noqa: T201


def _issue_and_hang_up(external_ids: Sequence[str], chance: Random) -> list[str]:
    try:
        return _issue_in_any_order(external_ids, chance, at_once=250, days=1)
    finally:
        connections.close_all()


def issue_in_processes(processes: str, seed: str) -> None:
    """Issue all drafts in that many processes at once; some are killed meanwhile, and others take their place."""
    chance = Random(seed)
    external_ids = _external_ids()
    connections.close_all()
    running = {_fork(external_ids, chance.random()) for _ in range(int(processes))}
    for _ in range(KILLED):
        time.sleep(chance.uniform(0.1, 0.6))
        doomed = chance.choice(sorted(running))
        os.kill(doomed, signal.SIGKILL)
        os.waitpid(doomed, 0)
        running.remove(doomed)
        running.add(_fork(external_ids, chance.random()))
    exits = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in running]
    assert set(exits) == {0}
    issued = Invoice.objects.filter(document_state="issued").count()
    left = issue_invoices(month=data.MONTH, at=AT, issue_date=_day(DAYS))
    assert left.not_issued == []
    print(issued, len(left.numbers))  # noqa: T201


def _fork(external_ids: Sequence[str], seed: float) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        chance = Random(seed)
        _fail_now_and_then(chance)
        _issue_in_any_order(external_ids, chance, at_once=500, days=DAYS)
    except BaseException:
        os._exit(1)
    os._exit(0)


def _fail_now_and_then(chance: Random) -> None:
    """Every tenth transaction of this process is rolled back after everything is written."""
    seal = module.seal  # type: ignore[attr-defined]  # a name of its own there

    def seal_or_fail(invoice_ids: Sequence[int], series: NumberSeries) -> None:
        seal(invoice_ids, series)
        if invoice_ids and chance.random() < 0.1:
            raise OperationalError("as if the server had gone away")

    module.seal = seal_or_fail  # type: ignore[attr-defined]  # set or read at run time


def _issue_in_any_order(external_ids: Sequence[str], chance: Random, *, at_once: int, days: int) -> list[str]:
    """Issue the drafts, some at a time, on later and later days; returns the numbers."""
    module.BATCH_SIZE = 100
    numbers = []
    shuffled = chance.sample(external_ids, len(external_ids))
    for start in range(0, len(shuffled), at_once):
        day = _day(1 + days * start // len(shuffled))
        chosen = shuffled[start : start + at_once]
        # When somebody else has gone on to a later day, or all was rolled back, these are left to others.
        with suppress(UnableToIssue, OperationalError):
            numbers += issue_invoices(month=data.MONTH, at=AT, issue_date=day, organization_ids=chosen).numbers
    return numbers


def _day(number: int) -> date:
    return date(2026, 11, number)


def _external_ids() -> list[str]:
    return list(Organization.objects.order_by("id").values_list("external_id", flat=True))
