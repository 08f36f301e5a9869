"""The system against the independent calculator: every line, statement, detail, tax and total, to the cent.

pytest tests/integration/oracle                     a few small platforms
pytest tests/integration/oracle -m long             hundreds of organizations
ORACLE_SEEDS="7 8" ORACLE_ORGANIZATIONS=100 pytest tests/integration/oracle -m long     other stories
"""

import os
from pathlib import Path

import pytest

from billing.models import LegalEntity
from tests.integration.oracle.driver import play
from tests.integration.oracle.invented_prices import shortened
from tests.integration.oracle.model import Oracle
from tests.integration.oracle.scenario import story

PRICES = Path(__file__).parents[4] / "shared" / "data" / "price-system-par-eur.json"
SEEDS = [int(seed) for seed in os.environ.get("ORACLE_SEEDS", "101 102 103").split()]
ORGANIZATIONS = int(os.environ.get("ORACLE_ORGANIZATIONS", "300"))
# Five months each: over the year's end, over March's short month, up to October's long one.
BEGINNINGS = ("2025-10", "2026-02", "2026-06")


@pytest.fixture
def prices() -> str:
    if not PRICES.exists():
        pytest.skip(f"the real price system is not at {PRICES}")
    return PRICES.read_text(encoding="utf-8")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("seed", "first", "months"),
    [
        pytest.param(1, "2026-02", 2, id="march", marks=pytest.mark.long),
        pytest.param(2, "2026-09", 2, id="october"),
        pytest.param(3, "2026-06", 4, id="summer", marks=pytest.mark.long),
    ],
)
def test_a_small_platform_is_billed_as_predicted(
    seed: int, first: str, months: int, prices: str, tmp_path: Path
) -> None:
    oracle = Oracle()
    told = story(seed, oracle, shortened(prices), organizations=20, first=first, months=months)
    play(told, oracle, tmp_path, rehearse=months == 2)


@pytest.mark.django_db
def test_consumers_of_other_countries_pay_their_own_rate_over_the_threshold(prices: str, tmp_path: Path) -> None:
    LegalEntity.objects.update(over_oss_threshold=True)  # no command sets it
    oracle = Oracle(over_oss_threshold=True)
    play(story(11, oracle, shortened(prices), organizations=12, first="2026-09", months=1), oracle, tmp_path)


@pytest.mark.long
@pytest.mark.django_db
@pytest.mark.parametrize("seed", SEEDS)
def test_hundreds_of_organizations_are_billed_as_predicted(seed: int, prices: str, tmp_path: Path) -> None:
    oracle = Oracle()
    first = BEGINNINGS[seed % len(BEGINNINGS)]
    play(story(seed, oracle, prices, organizations=ORGANIZATIONS, first=first, months=5), oracle, tmp_path)
