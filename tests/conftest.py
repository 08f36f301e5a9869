"""Hypothesis profiles, and what empties the database after tests that commit.

The database comes from DATABASE_URL (SQLite in memory by default), see tests/settings.py.
"""

import os
from collections.abc import Iterator

import pytest
from django.test import TransactionTestCase
from hypothesis import HealthCheck, settings

# The same examples on every run and every machine: a red build means a change, not bad luck.
settings.register_profile("deterministic", derandomize=True, deadline=None, database=None, max_examples=50)
# What .ci/run takes the time for.
settings.register_profile("thorough", derandomize=True, deadline=None, database=None, max_examples=100)
# HYPOTHESIS_PROFILE=explore looks for new counter-examples.
settings.register_profile("explore", max_examples=2_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "deterministic"))


@pytest.fixture(scope="session", autouse=True)
def _flush_in_spite_of_the_guards() -> Iterator[None]:
    """Tests that commit empty the database when they are over, which its guards would refuse."""
    from tests.builders.guards import guards_lifted

    flush = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]  # Django's own, not in the stubs

    def teardown(self: TransactionTestCase) -> None:
        with guards_lifted():
            flush(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", teardown)
        yield
