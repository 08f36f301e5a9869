"""A crowd issues the same drafts: each gets one number, there is no gap, and dates are in order."""

from collections.abc import Iterator

import pytest
from django.conf import settings

from tests.integration.closing.processes import Platform, PostgresqlPlatforms

pytestmark = pytest.mark.long

DRAFTS = 2_000


@pytest.fixture(scope="module")
def platforms() -> Iterator[PostgresqlPlatforms]:
    database = settings.DATABASES["default"]
    if not database["ENGINE"].endswith("postgresql"):
        pytest.skip("needs PostgreSQL: set DATABASE_URL")
    platforms = PostgresqlPlatforms(database, DRAFTS, seed="drafts")
    yield platforms
    platforms.drop()


def verify(platform: Platform) -> list[str]:
    """Every promise, among them those on numbers, dates and hashes; fails if one is broken."""
    return platform.run("verify").splitlines()


def test_thirty_two_threads_issue_the_same_five_hundred_drafts(platforms: PostgresqlPlatforms) -> None:
    with platforms.copy() as platform:
        issued, issuers = map(int, platform.run("threads", "32", "500").split()[-2:])

        assert issued == 500
        assert issuers > 1
        assert "ok      Numbers of a series are gapless and in date order. (500 issued documents)" in verify(platform)


def test_sixteen_processes_issue_while_some_fail_and_some_are_killed(platforms: PostgresqlPlatforms) -> None:
    with platforms.copy() as platform:
        issued, left = map(int, platform.run("processes", "16", "autumn").split()[-2:])

        assert issued + left == DRAFTS
        assert issued > 0
        assert f"ok      Numbers of a series are gapless and in date order. ({DRAFTS} issued documents)" in verify(
            platform
        )
