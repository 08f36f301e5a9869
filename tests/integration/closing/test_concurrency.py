"""Several processes at once, and processes that are killed: always the invoices of one undisturbed run."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.conf import settings

from tests.integration.closing.processes import Platform, PostgresqlPlatforms, SqlitePlatforms, finish

pytestmark = pytest.mark.long

ORGANIZATIONS = 100
type Platforms = SqlitePlatforms | PostgresqlPlatforms

CLOSE = ("close_month", "2025-10")
ISSUE = ("issue_invoices", "2025-10", "--date", "2025-11-05")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def platforms(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platforms]:
    if request.param == "sqlite":
        yield SqlitePlatforms(tmp_path_factory.mktemp("platforms"), ORGANIZATIONS)
        return
    database = settings.DATABASES["default"]
    if not database["ENGINE"].endswith("postgresql"):
        pytest.skip("needs PostgreSQL: set DATABASE_URL")
    postgresql = PostgresqlPlatforms(database, ORGANIZATIONS)
    yield postgresql
    postgresql.drop()


class Undisturbed:
    """What one process makes of the month: its report, what is stored, and how long it took."""

    def __init__(self, platforms: Platforms) -> None:
        with platforms.copy() as platform:
            started = time.monotonic()
            process = platform.start(*CLOSE)
            ready = time.monotonic()
            self.report = finish(process)
            self.seconds = time.monotonic() - ready
            self.startup_seconds = ready - started
            self.content = content(platform)


@pytest.fixture(scope="module")
def undisturbed(platforms: Platforms) -> Undisturbed:
    return Undisturbed(platforms)


def content(platform: Platform, *before: str) -> dict[str, Any]:
    printed = platform.run(*before, "--", "content", "2025-09", "2025-10", "2025-11")
    stored: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return stored


def test_the_undisturbed_run_has_something_of_everything(undisturbed: Undisturbed) -> None:
    kinds = [outcome[3] for outcome in undisturbed.content["outcomes"] if outcome[0] == "2025-10-01"]

    assert {kind: kinds.count(kind) for kind in sorted(set(kinds))} == {
        "blocked": 6,
        "invoice": 79,
        "nil": 5,
        "on_parent": 10,
    }
    late = [line for document in undisturbed.content["documents"] for line in document["usage"]]
    assert any(line["month"] == "2025-09" for line in late)
    assert undisturbed.content["unfinished"] == []


def test_two_processes_at_once(platforms: Platforms, undisturbed: Undisturbed) -> None:
    with platforms.copy() as platform:
        processes = [platform.start(*CLOSE), platform.start(*CLOSE)]

        reports = [finish(process) for process in processes]

        assert content(platform) == undisturbed.content
        assert reports == [undisturbed.report] * 2


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_and_started_again(platforms: Platforms, undisturbed: Undisturbed, seed: int) -> None:
    chance = Random(seed)
    with platforms.copy() as platform:
        for _ in range(4):
            process = platform.start(*CLOSE)
            time.sleep(chance.uniform(0, 0.5) * undisturbed.seconds)
            os.kill(process.pid, signal.SIGKILL)
            process.communicate()

        report = platform.run(*CLOSE)

        assert report == undisturbed.report
        assert content(platform) == undisturbed.content


def test_one_of_two_is_killed(platforms: Platforms, undisturbed: Undisturbed) -> None:
    with platforms.copy() as platform:
        doomed, survivor = platform.start(*CLOSE), platform.start(*CLOSE)
        time.sleep(0.2 * undisturbed.seconds)
        doomed.kill()
        doomed.communicate()

        assert finish(survivor) == undisturbed.report

        assert content(platform) == undisturbed.content


def test_four_processes_issue_the_same_drafts(platforms: Platforms) -> None:
    with platforms.copy() as alone:
        alone.run(*CLOSE)
        expected = content(alone, *ISSUE)
    with platforms.copy() as platform:
        platform.run(*CLOSE)
        processes = [platform.start(*ISSUE) for _ in range(4)]

        reports = [finish(process).splitlines()[-1] for process in processes]

        # 79 drafts, each issued by one of the four; each names the 6 that are blocked
        issued = [int(report.removeprefix("issued: ").split(",")[0]) for report in reports]
        assert (sum(issued), {report.split()[-1] for report in reports}) == (79, {"6"})
        stored = content(platform)
        assert stored == expected
        counters = stored["counters"]
        assert counters == list(range(1, len(counters) + 1))
        platform.run("verify")


def test_issuing_that_is_killed_leaves_no_gap(platforms: Platforms) -> None:
    chance = Random(3)
    with platforms.copy() as platform:
        started = time.monotonic()
        finish(platform.start(*CLOSE))
        seconds = time.monotonic() - started
        for _ in range(3):
            process = platform.start(*ISSUE)
            time.sleep(chance.uniform(0, 0.4) * seconds)
            process.kill()
            process.communicate()

        counters = content(platform, *ISSUE)["counters"]

        assert counters == list(range(1, len(counters) + 1))
        platform.run("verify")


def test_usage_that_arrives_while_invoices_are_issued_is_billed_once(platforms: Platforms, tmp_path: Path) -> None:
    stop = tmp_path / "stop"
    with platforms.copy() as platform:
        platform.run(*CLOSE)
        feed = platform.start("feed", "2025-10", str(stop))
        platform.run(*ISSUE)
        stop.touch()
        assert int(finish(feed)) > 10

        platform.run("close_month", "2025-11", "--", "issue_invoices", "2025-11")

        platform.run("check", "2025-09", "2025-10", "--", "verify")


def test_closing_while_issuing_and_importing_ends_in_the_same_place(platforms: Platforms, tmp_path: Path) -> None:
    stop = tmp_path / "stop"
    with platforms.copy() as platform:
        platform.run(*CLOSE)
        feed = platform.start("feed", "2025-10", str(stop))
        both = [platform.start(*CLOSE), platform.start(*ISSUE), platform.start(*CLOSE)]
        for process in both:
            finish(process)
        stop.touch()
        finish(feed)

        platform.run(*CLOSE, "--", *ISSUE, "--", "close_month", "2025-11", "--", "issue_invoices", "2025-11")

        platform.run("check", "2025-09", "2025-10", "--", "verify")
