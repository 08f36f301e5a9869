"""Hypothesis profiles. The database comes from DATABASE_URL (SQLite in memory by default), see tests/settings.py."""

import os

from hypothesis import HealthCheck, settings

# The same examples on every run and every machine: a red build means a change, not bad luck.
settings.register_profile("deterministic", derandomize=True, deadline=None, database=None)
# HYPOTHESIS_PROFILE=explore looks for new counter-examples.
settings.register_profile("explore", max_examples=2_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "deterministic"))
