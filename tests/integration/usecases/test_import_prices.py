"""The published price system becomes meters and price versions, digit by digit."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from billing.models import Meter, Price, PriceTier
from billing.usecases.import_prices import InvalidPriceSystem, PriceImport, import_prices
from tests.builders.usage import make_meter, make_price

pytestmark = pytest.mark.django_db

REAL = Path(__file__).resolve().parents[4] / "shared" / "data" / "price-system-par-eur.json"

JULY = datetime(2026, 6, 30, 22, tzinfo=UTC)  # midnight in Paris


def runtime(slug_id: str = "apps.S", price: str = "0.02", **fields: Any) -> dict[str, Any]:
    return {"slug_id": slug_id, "time_unit": "PT1H", "price": Number(price), "source": "apps", **fields}


def countable(
    service: str,
    *plans: tuple[int | None, str],
    unit: str = "B",
    interval: str | None = "PT1H",
    quantity: int = 10**9,
    secability: str = "secable",
) -> dict[str, Any]:
    return {
        "service": service,
        "data_unit": unit,
        "data_quantity_for_price": {"secability": secability, "quantity": quantity},
        "time_interval_for_price": None if interval is None else {"secability": "secable", "interval": interval},
        "price_plans": [{"max_quantity": bound, "price": Number(price)} for bound, price in plans],
    }


class Number(str):
    """A number that is to stand in the file as it is written here."""

    __slots__ = ()


def text_of(value: object) -> str:
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, Mapping):
        fields = ",".join(f"{json.dumps(key)}:{text_of(item)}" for key, item in value.items())
        return f"{{{fields}}}"
    if isinstance(value, list):
        return f"[{','.join(map(text_of, value))}]"
    return json.dumps(value)


def load(*entries: dict[str, Any], since: date | None = None, zone: str = "PAR", **fields: Any) -> PriceImport:
    system = {
        "zone_id": zone,
        "currency": "EUR",
        "runtime": [entry for entry in entries if "slug_id" in entry],
        "countable": [entry for entry in entries if "service" in entry],
        **fields,
    }
    return import_prices(stream=BytesIO(text_of(system).encode()), valid_from=since)


def summary(report: PriceImport) -> tuple[int, int, int, int]:
    return report.new_meters, report.new_prices, report.changed_prices, report.unchanged_prices


def only_price(code: str) -> tuple[Price, list[tuple[int | None, Decimal]]]:
    price = Price.objects.get(meter__code=code)
    return price, list(price.tiers.values_list("up_to_micro", "unit_price"))


class TestEntries:
    def test_a_runtime_entry_is_priced_per_hour_and_counts_seconds(self) -> None:
        load(runtime("apps.2XL", "0.666666666666667"))

        meter = Meter.objects.get()
        assert (meter.code, meter.unit, meter.category) == ("apps.2XL", "second", "runtime")
        price, tiers = only_price("apps.2XL")
        assert (price.zone, price.currency, price.organization) == ("par", "EUR", None)
        assert (price.valid_from, price.valid_to) == (None, None)
        assert (price.per_quantity_micro, price.package_micro) == (3_600_000_000, None)
        assert tiers == [(None, Decimal("0.666666666666667"))]

    def test_bytes_per_hour_become_gb_hours_with_bounds_per_hour(self) -> None:
        load(countable("fs.storage", (100_000_000, "0"), (None, "0.00229166666666667")))

        assert Meter.objects.get().unit == "GB-hour"
        price, tiers = only_price("fs.storage")
        assert (price.per_quantity_micro, price.package_micro) == (1_000_000, None)
        assert price.bounds_per_hour
        assert tiers == [(100_000, Decimal(0)), (None, Decimal("0.00229166666666667"))]  # 10^8 bytes are 0.1 GB

    def test_bytes_alone_become_gb(self) -> None:
        load(countable("cellar.out", (10 * 10**12, "0.09"), (None, "0.07"), interval=None))

        assert Meter.objects.get().unit == "GB"
        price, tiers = only_price("cellar.out")
        assert not price.bounds_per_hour
        assert tiers == [(10_000_000_000, Decimal("0.09")), (None, Decimal("0.07"))]  # 10 TB are 10,000 GB

    def test_users_come_in_packages_and_bounds_are_exclusive(self) -> None:
        load(
            countable(
                "users", (101, "0"), (None, "8"), unit="User", interval="PT720H", quantity=100, secability="insecable"
            )
        )

        assert Meter.objects.get().unit == "User"
        price, tiers = only_price("users")
        assert (price.per_quantity_micro, price.package_micro) == (100_000_000, 100_000_000)
        assert tiers == [(100_000_000, Decimal(0)), (None, Decimal(8))]  # 101 means up to 100

    @pytest.mark.parametrize(
        ("written", "kept"),
        [
            ("0.0000142222222222222", "0.0000142222222222222"),
            ('"0.0000142222222222222"', "0.0000142222222222222"),
            ("1.42222222222222e-05", "0.0000142222222222222"),
            ("8", "8"),
            ("8.50", "8.5"),
            ("0", "0"),
        ],
    )
    def test_no_digit_is_lost_however_it_is_written(self, written: str, kept: str) -> None:
        load(runtime("apps.S", written))

        assert str(PriceTier.objects.get().unit_price) == kept

    @pytest.mark.parametrize(
        ("entry", "sentence"),
        [
            (runtime("a", "-1"), "a: '-1' is not a unit price"),
            (runtime("a", "0.12345678901234567"), "a: Decimal('0.12345678901234567') has more than 15 significant"),
            (runtime("a", '"1e5"'), "a: '1e5' is not a unit price"),
            (runtime("a", "true"), "a: Expected `decimal`, got `bool`"),
            (runtime("a", "NaN"), "The file is not a price system"),
            (runtime("a", time_unit="PT1M"), "a: a price per PT1M is not known, only per PT1H."),
            (runtime(""), ": the code of a meter has 1 to 100 characters."),
            (runtime("x" * 101), "x" * 100),
            (countable("c", (None, "1"), unit="Request"), "c: the unit Request per PT1H is not known."),
            (countable("c", (None, "1"), interval="PT2H"), "c: the unit B per PT2H is not known."),
            (
                countable("c", (999, "1"), (None, "1")),
                "c: 999 cannot be kept as a number of GB-hour with six decimals.",
            ),
            (countable("c", (0, "1"), (None, "1")), "c: 0 cannot be kept as a number of GB-hour"),
            (countable("c", (None, "1"), quantity=0), "c: 0 cannot be kept"),
            (countable("c", (10**9, "1")), "c: The last tier must be open"),
            (countable("c"), "c: A price needs at least one tier."),
            (countable("c", (2 * 10**9, "1"), (10**9, "1"), (None, "1")), "c: The bounds of the tiers must be above"),
            (countable("c", (None, "1"), secability="maybe"), "The file is not a price system"),
        ],
    )
    def test_what_an_entry_cannot_be(self, entry: dict[str, Any], sentence: str) -> None:
        with pytest.raises(InvalidPriceSystem) as raised:
            load(runtime("good"), entry)

        assert str(raised.value).startswith(sentence)
        assert not Meter.objects.exists()


class TestFile:
    @pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"zone_id":"par"}', "\x00", "a" * 100])
    def test_what_is_no_price_system(self, text: str) -> None:
        with pytest.raises(InvalidPriceSystem, match=r"^The file is not a price system: .*\.$"):
            import_prices(stream=BytesIO(text.encode()), valid_from=None)

    def test_another_encoding(self) -> None:
        with pytest.raises(InvalidPriceSystem):
            import_prices(stream=BytesIO('{"zone_id":"é"}'.encode("latin-1")), valid_from=None)

    def test_unknown_keys_are_ignored(self) -> None:
        assert summary(load(runtime(colour="red"), start_date="2026-01-01", vendor={"a": [1]})) == (1, 1, 0, 0)

    def test_a_currency_without_two_decimals(self) -> None:
        with pytest.raises(InvalidPriceSystem, match="'JPY' is not the code of a currency"):
            load(runtime(), currency="JPY")

    def test_a_code_twice(self) -> None:
        assert summary(load(runtime("apps.S"), runtime("APPS.S"))) == (1, 1, 0, 0)
        with pytest.raises(InvalidPriceSystem, match="has two different prices"):
            load(runtime("apps.S", "1"), runtime("APPS.S", "2"))

    def test_zones_have_prices_of_their_own(self) -> None:
        load(runtime(price="1"), zone="par")

        assert summary(load(runtime(price="2"), zone="RBX")) == (0, 1, 0, 0)
        assert set(Price.objects.values_list("zone", "valid_to")) == {("par", None), ("rbx", None)}


class TestVersions:
    def test_again_changes_nothing(self) -> None:
        load(runtime("a", "1"), runtime("b", "2"))

        assert summary(load(runtime("a", "1"), runtime("b", "2.0"))) == (0, 0, 0, 2)
        assert summary(load(runtime("a", "1"), since=date(2026, 7, 1))) == (0, 0, 0, 1)
        assert Price.objects.count() == 2

    def test_a_meter_is_found_whatever_its_case_and_keeps_its_name(self) -> None:
        meter = make_meter(code="APPS.s")
        Meter.objects.update(name="Small application")

        assert summary(load(runtime("apps.S"))) == (0, 1, 0, 0)
        meter.refresh_from_db()
        assert (meter.code, meter.name) == ("APPS.s", "Small application")

    def test_a_meter_that_counts_something_else(self) -> None:
        make_meter(code="apps.S", unit="hour")

        with pytest.raises(InvalidPriceSystem, match=r"^apps\.S is priced per second, but the meter counts hour\.$"):
            load(runtime("apps.S"))

    def test_a_first_price_may_begin_on_a_day(self) -> None:
        load(runtime(), since=date(2026, 7, 1))

        assert Price.objects.get().valid_from == JULY

    def test_a_changed_price_needs_a_day(self) -> None:
        load(runtime("a", "1"), runtime("b", "1"))

        with pytest.raises(InvalidPriceSystem) as raised:
            load(runtime("a", "2"), runtime("b", "3"), runtime("c", "1"))

        assert str(raised.value) == "Prices have changed (a, b): say with --from since when."
        # All or nothing: not even the new meter is there.
        assert not Meter.objects.filter(code="c").exists()

    def test_a_changed_price_gets_a_version_from_that_day(self) -> None:
        load(runtime("a", "1"), runtime("b", "1"))

        assert summary(load(runtime("a", "2"), runtime("b", "1"), since=date(2026, 7, 1))) == (0, 0, 1, 1)

        versions = Price.objects.filter(meter__code="a").order_by("id").values_list("valid_from", "valid_to")
        assert list(versions) == [(None, JULY), (JULY, None)]
        assert Price.objects.get(meter__code="b").valid_to is None

    def test_a_price_that_changes_back_is_a_new_version(self) -> None:
        load(runtime("a", "1"))
        load(runtime("a", "2"), since=date(2026, 7, 1))

        assert summary(load(runtime("a", "1"), since=date(2026, 9, 1))) == (0, 0, 1, 0)
        assert Price.objects.count() == 3

    def test_the_day_may_not_lie_before_a_version(self) -> None:
        load(runtime("a", "1"))
        load(runtime("a", "2"), since=date(2026, 7, 1))

        with pytest.raises(
            InvalidPriceSystem, match=r"^a: A version is valid from 2026-07-01 already: choose a later day\.$"
        ):
            load(runtime("a", "3"), since=date(2026, 6, 30))
        with pytest.raises(InvalidPriceSystem, match=r"^a: Another price of this meter, zone and currency is already"):
            load(runtime("a", "3"), since=date(2026, 7, 1))
        assert Price.objects.count() == 2

    def test_meters_that_the_file_lacks_keep_their_price(self) -> None:
        load(runtime("a", "1"), runtime("b", "1"))

        load(runtime("a", "2"), since=date(2026, 7, 1))

        assert Price.objects.get(meter__code="b").valid_to is None

    def test_negotiated_prices_and_other_zones_do_not_count_as_versions(self) -> None:
        make_price(meter=make_meter(), zone="", unit_price="9")

        assert summary(load(runtime("apps.S", "1"))) == (0, 1, 0, 0)


@pytest.mark.skipif(not REAL.exists(), reason="the published price system is not beside this checkout")
class TestRealPrices:
    def test_every_digit_of_every_price_is_kept(self) -> None:
        with REAL.open("rb") as stream:
            assert summary(import_prices(stream=stream, valid_from=None)) == (243, 243, 0, 0)

        # As text: neither float nor Decimal between the file and the comparison.
        published = json.loads(REAL.read_text(), parse_float=str, parse_int=str)
        expected = {entry["slug_id"]: [entry["price"]] for entry in published["runtime"]}
        expected |= {e["service"]: [plan["price"] for plan in e["price_plans"]] for e in published["countable"]}
        stored: dict[str, list[str]] = {}
        for code, unit_price in PriceTier.objects.order_by("price", "position").values_list(
            "price__meter__code", "unit_price"
        ):
            stored.setdefault(code, []).append(f"{unit_price:f}")
        assert stored == expected

    def test_loading_it_twice_changes_nothing(self) -> None:
        for count in (243, 0):
            with REAL.open("rb") as stream:
                report = import_prices(stream=stream, valid_from=None)
            assert (report.new_prices, report.unchanged_prices) == (count, 243 - count)

    def test_units(self) -> None:
        with REAL.open("rb") as stream:
            import_prices(stream=stream, valid_from=None)

        units = {unit: Meter.objects.filter(unit=unit).count() for unit in ("second", "GB-hour", "GB", "User")}
        assert units == {"second": 230, "GB-hour": 6, "GB": 5, "User": 2}
        assert Price.objects.filter(bounds_per_hour=True).count() == 6
