"""The made-up platform: believable, and the same on every run."""

from collections import Counter
from datetime import UTC, date, datetime
from itertools import chain
from zoneinfo import ZoneInfo

import msgspec
import pytest
from stdnum.eu import vat
from stdnum.fr import siren

from billing.demo import chance, crowd, names
from billing.demo.accounts import Json
from billing.demo.curves import Curve, Surge, growing
from billing.demo.months import LAST, MONTHS, FourMonths, within
from billing.demo.story import CAST, STORY, organization_id
from billing.demo.world import LATE_MONTH, World
from billing.domain.money import format_cents, parse_cents
from billing.domain.periods import Month
from billing.domain.quantities import MICRO, parse_micro

PARIS = ZoneInfo("Europe/Paris")
JULY_TO_OCTOBER = FourMonths(Month(2026, 7, PARIS))


@pytest.fixture
def varied_world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Few customers of every sort: reporting daily, weekly and monthly."""
    monkeypatch.setattr(crowd, "DAILY", 30)
    monkeypatch.setattr(crowd, "OWN", 40)
    return World(JULY_TO_OCTOBER, 60)


def everything(world: World) -> list[Json]:
    return list(
        chain(
            world.catalogue(),
            *(chain(world.news(month), world.usage(month)) for month in range(MONTHS)),
            world.late_usage(),
        )
    )


def of_kind(objects: list[Json], kind: str) -> list[Json]:
    return [each for each in objects if each["kind"] == kind]


@pytest.mark.parametrize(
    ("at", "first"),
    [
        (datetime(2026, 11, 22, tzinfo=UTC), "2026-07"),
        (datetime(2026, 10, 31, 22, 59, tzinfo=UTC), "2026-06"),  # October ends at 23:00 UTC
        (datetime(2026, 10, 31, 23, 0, tzinfo=UTC), "2026-07"),
        (datetime(2027, 3, 1, tzinfo=UTC), "2026-11"),
    ],
)
def test_the_last_month_is_the_last_that_has_ended(at: datetime, first: str) -> None:
    assert str(FourMonths.ending_before(at, PARIS).first) == first


def test_the_same_on_every_run() -> None:
    once, again = everything(World(JULY_TO_OCTOBER, 40)), everything(World(JULY_TO_OCTOBER, 40))
    assert msgspec.json.encode(once) == msgspec.json.encode(again)


def test_organizations_do_not_depend_on_how_many_there_are() -> None:
    few, many = everything(World(JULY_TO_OCTOBER, 25)), everything(World(JULY_TO_OCTOBER, 40))
    assert {msgspec.json.encode(each) for each in few} <= {msgspec.json.encode(each) for each in many}


@pytest.mark.parametrize("size", [1, 5, 20, 40, 250])
def test_as_many_organizations_as_asked_for(size: int) -> None:
    world = World(JULY_TO_OCTOBER, size)
    organizations = of_kind([each for month in range(MONTHS) for each in world.news(month)], "organization")
    ids = [each["id"] for each in organizations]
    assert len(set(ids)) == size
    parents = {each["parent"] for each in organizations if each["parent"]}
    assert parents <= set(ids)
    assert len({each["name"] for each in organizations}) == size


def test_everything_refers_to_what_was_told_before(varied_world: World) -> None:
    known: set[object] = set()
    for each in everything(varied_world):
        for reference in ("organization", "resource", "meter", "plan", "parent"):
            assert each.get(reference) is None or each[reference] in known, each
        known |= {each.get("id"), each.get("code")}


def test_events_and_references_are_single(varied_world: World) -> None:
    objects = everything(varied_world)
    events = Counter((each["source"], each["event_id"]) for each in of_kind(objects, "usage"))
    assert set(events.values()) == {1}
    references = Counter((each["kind"], each["reference"]) for each in objects if "reference" in each)
    assert set(references.values()) == {1}


def test_nothing_is_known_before_it_happened(varied_world: World) -> None:
    """Add-ons, charges and grants are heard of in the month in which they begin, never earlier."""
    for month in range(MONTHS):
        for each in varied_world.news(month):
            for day in ("opened_on", "started_on", "date", "closed_on"):
                if each.get(day):
                    assert str(each[day]) <= str(JULY_TO_OCTOBER.last_day(month)), each


def test_usage_lies_within_its_month_and_its_account(varied_world: World) -> None:
    opened = {account.id: account.opened_on for account in varied_world.accounts}
    closed = {account.id: account.closed_on for account in varied_world.accounts}
    for index, month in enumerate(JULY_TO_OCTOBER.months):
        for record in varied_world.usage(index):
            start, end = (datetime.fromisoformat(str(record[side])) for side in ("start", "end"))
            assert month.start <= start < end <= month.end
            assert start.astimezone(PARIS).date() >= opened[str(record["organization"])]
            until = closed[str(record["organization"])]
            assert until is None or start.astimezone(PARIS).date() < until
            parse_micro(record["quantity"])


def test_later_customers_report_less_often(varied_world: World) -> None:
    starts: dict[object, set[object]] = {}
    for record in varied_world.usage(LAST):
        if record["source"] == "scaler":
            starts.setdefault(record["organization"], set()).add(record["start"])

    def most(indexes: range) -> int:
        return max(len(starts.get(varied_world.accounts[index].id, ())) for index in indexes)

    assert (most(range(20, 30)), most(range(30, 40)), most(range(40, 60))) == (31, 5, 1)


def test_late_usage_is_left_out_of_its_month() -> None:
    world = World(JULY_TO_OCTOBER, 20)
    late = list(world.late_usage())
    assert late
    in_time = {each["event_id"] for each in world.usage(LATE_MONTH)}
    assert not in_time & {each["event_id"] for each in late}


def test_the_month_in_progress_has_usage_up_to_yesterday(varied_world: World) -> None:
    """Weekly and monthly reports are not there yet; each day only adds to what there was."""
    november, today = JULY_TO_OCTOBER.in_progress, date(2026, 11, 22)
    so_far = list(varied_world.usage_so_far(today))
    starts = {datetime.fromisoformat(str(each["start"])).astimezone(PARIS).date() for each in so_far}
    assert (min(starts), max(starts)) == (date(2026, 11, 1), date(2026, 11, 21))
    ends = {datetime.fromisoformat(str(each["end"])).astimezone(PARIS) for each in so_far}
    assert max(ends) == datetime(2026, 11, 22, tzinfo=PARIS)
    assert {each["event_id"] for each in varied_world.usage_so_far(date(2026, 11, 9))} < {
        each["event_id"] for each in so_far
    }
    assert not list(varied_world.usage_so_far(november.first_day))


def test_an_instance_that_always_runs_is_measured_to_the_second() -> None:
    """October 2026 in Paris has 745 hours: 2,682,000 s."""
    world = World(JULY_TO_OCTOBER, 1)
    hours = [each for each in world.usage(LAST) if each["meter"] == "cache.s"]
    assert len(hours) == 31
    assert sum(parse_micro(each["quantity"]) for each in hours) == 2_682_000 * MICRO


def test_companies_have_numbers_that_check() -> None:
    for index in range(60):
        for place in (*names.FRENCH_PLACES, *names.EU_PLACES):
            details = names.company("Somebody", index, place)
            assert vat.is_valid(str(details["vat_number"]))
            assert str(details["vat_number"]).startswith(place.country)
            assert place.country != "FR" or siren.is_valid(str(details["siren"]))


def test_names_are_not_repeated() -> None:
    all_names = {names.organization_name(index, country) for index in range(25_000) for country in ("FR", "DE")}
    assert len(all_names) == 2 * 25_000


def test_a_curve_bends_by_month_weekend_and_surge() -> None:
    launch = Surge(1, 3, 4, 3000)
    curve = Curve(MICRO, by_month=(1000, 2000, 1000, 1000, 1000), weekend=500, surge=launch)
    august = JULY_TO_OCTOBER.spans(1)[1]
    hours_a_day = 24
    quantities = [curve.quantity_micro(1, span, 7) // MICRO for span in august[:4]]
    # Saturday 1 and Sunday 2: 24 h x 2 x 1/2; Monday 3 and Tuesday 4: 24 h x 2 x 3.
    assert quantities == [hours_a_day, hours_a_day, 6 * hours_a_day, 6 * hours_a_day]


def test_a_growing_curve() -> None:
    assert growing(100) == (1000, 1100, 1210, 1331, 1464)


def test_spans_within_an_account() -> None:
    october = JULY_TO_OCTOBER.spans(1)[LAST]
    inside = within(october, date(2026, 10, 6), date(2026, 10, 24))
    assert (inside[0].first_day, inside[-1].last_day) == (date(2026, 10, 6), date(2026, 10, 23))


def test_the_day_that_lasts_25_hours() -> None:
    clocks_go_back = JULY_TO_OCTOBER.spans(1)[LAST][24]
    assert clocks_go_back.first_day == date(2026, 10, 25)
    assert clocks_go_back.seconds == 25 * 3600


def test_choices_spread_evenly() -> None:
    counts = Counter(chance.number(10, 5, index) for index in range(10_000))
    assert min(counts.values()) > 900
    assert max(counts.values()) < 1_100


def test_weights() -> None:
    counts = Counter(chance.weighted(((3, "often"), (1, "seldom")), 9, index) for index in range(4_000))
    assert 2_850 < counts["often"] < 3_150


def test_the_story_begins_with_the_cast() -> None:
    world = World(JULY_TO_OCTOBER, len(STORY))
    assert world.accounts[0].id == organization_id(CAST)
    assert [account.parent_id for account in world.accounts[:3]] == [None, organization_id(CAST), organization_id(CAST)]


def test_amounts_are_written_as_the_interface_wants(varied_world: World) -> None:
    for each in everything(varied_world):
        for field in ("amount", "monthly_price"):
            if field in each:
                assert format_cents(parse_cents(str(each[field]))) == each[field]
