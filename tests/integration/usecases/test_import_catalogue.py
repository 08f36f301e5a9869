"""Meters, add-on plans and price versions from a file."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from billing.models import AddOnPlan, AddOnPlanPrice, Meter, Price
from tests.builders.imports import (
    Object,
    Value,
    add_on_line,
    counts,
    import_lines,
    meter_line,
    organization_line,
    plan_line,
    price_line,
    reasons,
)

pytestmark = pytest.mark.django_db

# Midnight in Paris.
JANUARY = datetime(2025, 12, 31, 23, tzinfo=UTC)
JULY = datetime(2026, 6, 30, 22, tzinfo=UTC)


def tiers(*slices: tuple[str | None, str]) -> list[Value]:
    return [{"up_to": up_to, "unit_price": unit_price} for up_to, unit_price in slices]


class TestMeters:
    def test_a_meter_is_created_then_updated(self) -> None:
        assert counts(import_lines(meter_line())) == (1, 0, 0)
        assert counts(import_lines(meter_line())) == (0, 1, 0)
        assert counts(import_lines(meter_line(name="App S", category="compute"))) == (1, 0, 0)

        meter = Meter.objects.get()
        assert (meter.code, meter.name, meter.unit, meter.category) == ("apps.S", "App S", "second", "compute")

    @pytest.mark.parametrize("code", ["APPS.s", "apps.s", "Apps.S"])
    def test_the_case_of_a_code_does_not_matter(self, code: str) -> None:
        import_lines(meter_line("apps.S"))

        assert counts(import_lines(meter_line(code), price_line(code))) == (1, 1, 0)
        assert Meter.objects.get().code == "apps.S"

    def test_nor_does_it_for_letters_with_accents(self) -> None:
        import_lines(meter_line("mémoire"))

        assert counts(import_lines(meter_line("MÉMOIRE"))) == (0, 1, 0)


class TestPlans:
    def test_a_plan_with_its_price_from_ever(self) -> None:
        import_lines(plan_line(monthly_price="49.00"))

        price = AddOnPlanPrice.objects.get()
        assert (price.plan.code, price.valid_from, price.monthly_price_cents) == ("support", None, 4_900)

    def test_a_changed_price_replaces_the_latest(self) -> None:
        import_lines(plan_line())
        plan = AddOnPlan.objects.get()
        AddOnPlanPrice.objects.create(plan=plan, valid_from=date(2026, 11, 1), monthly_price_cents=5_900)

        assert counts(import_lines(plan_line(monthly_price="59.00"))) == (0, 1, 0)
        assert counts(import_lines(plan_line(monthly_price="69.00"))) == (1, 0, 0)

        prices = AddOnPlanPrice.objects.values_list("valid_from", "monthly_price_cents")
        assert set(prices) == {(None, 4_900), (date(2026, 11, 1), 6_900)}

    @pytest.mark.parametrize("price", ["-1.00", "1.001", "", "１２", "1e2", "1_000", "NaN"])
    def test_a_price_that_is_none(self, price: str) -> None:
        assert reasons(import_lines(plan_line(monthly_price=price)))[1].startswith("monthly_price: ")
        assert not AddOnPlan.objects.exists()

    def test_a_currency_without_two_decimals(self) -> None:
        assert "two decimals" in reasons(import_lines(plan_line(currency="JPY")))[1]

    def test_the_currency_stays_once_somebody_subscribed(self) -> None:
        import_lines(plan_line())
        assert counts(import_lines(plan_line(currency="USD"))) == (1, 0, 0)
        assert counts(import_lines(plan_line(), organization_line(), add_on_line())) == (3, 0, 0)

        assert reasons(import_lines(plan_line(currency="USD"))) == {
            1: "The plan has add-ons that are billed in EUR, so its currency stays."
        }

    def test_a_free_plan(self) -> None:
        assert counts(import_lines(plan_line(monthly_price="0"))) == (1, 0, 0)


class TestPrices:
    @pytest.fixture(autouse=True)
    def _meter(self) -> None:
        import_lines(meter_line(), organization_line())

    def test_all_fields_arrive(self) -> None:
        import_lines(
            price_line(
                zone="PAR",
                organization="orga_atlas",
                per_quantity="1",
                package_quantity="100.5",
                mode="volume",
                bounds_per_hour=True,
                tiers=tiers(("0.1", "0"), ("1000", "0.00229166666666667"), (None, "0.0000142222222222222")),
            )
        )

        price = Price.objects.get()
        assert (price.zone, price.currency) == ("par", "EUR")
        assert price.organization is not None
        assert price.organization.external_id == "orga_atlas"
        assert (price.valid_from, price.valid_to) == (JANUARY, None)
        assert (price.per_quantity_micro, price.package_micro) == (1_000_000, 100_500_000)
        assert (price.mode, price.bounds_per_hour) == ("volume", True)
        assert list(price.tiers.values_list("up_to_micro", "unit_price")) == [
            (100_000, Decimal(0)),
            (1_000_000_000, Decimal("0.00229166666666667")),
            (None, Decimal("0.0000142222222222222")),
        ]

    def test_what_is_left_out_is_nothing(self) -> None:
        line = price_line()
        for field in ("zone", "organization", "package_quantity"):
            del line[field]
        line["tiers"] = [{"unit_price": "1"}]

        assert counts(import_lines(line)) == (1, 0, 0)
        price = Price.objects.get()
        assert (price.zone, price.organization, price.package_micro) == ("", None, None)
        assert not price.bounds_per_hour

    def test_a_price_from_ever(self) -> None:
        assert counts(import_lines(price_line(valid_from=None))) == (1, 0, 0)
        assert counts(import_lines(price_line(valid_from=None))) == (0, 1, 0)
        assert Price.objects.get().valid_from is None

    def test_another_day_is_another_version(self) -> None:
        import_lines(price_line(unit_price="0.02"))
        report = import_lines(price_line(unit_price="0.03", valid_from="2026-07-01"))

        assert counts(report) == (1, 0, 0)
        assert list(Price.objects.order_by("valid_from").values_list("valid_from", "valid_to")) == [
            (JANUARY, JULY),
            (JULY, None),
        ]

    def test_versions_of_one_file_in_any_order(self) -> None:
        report = import_lines(
            price_line(valid_from="2026-07-01", unit_price="3"),
            price_line(valid_from=None, unit_price="1"),
            price_line(valid_from="2026-01-01", unit_price="2"),
        )

        assert counts(report) == (3, 0, 0)
        versions = Price.objects.order_by("id").values_list("valid_from", "valid_to")
        assert list(versions) == [(JULY, None), (None, JANUARY), (JANUARY, JULY)]

    def test_the_same_price_again_is_unchanged_however_it_is_written(self) -> None:
        import_lines(price_line(zone="par", unit_price="0.5"))

        assert counts(import_lines(price_line("APPS.S", zone="PAR", unit_price="0.50"))) == (0, 1, 0)

    def test_the_same_day_with_other_content_would_overlap(self) -> None:
        import_lines(price_line(unit_price="0.02"))

        report = import_lines(price_line(unit_price="0.03"))

        assert reasons(report) == {
            1: "Another price of this meter, zone and currency is already valid from 2026-01-01: choose another day."
        }
        assert [tier.unit_price for tier in Price.objects.get().tiers.all()] == [Decimal("0.02")]

    def test_zones_currencies_and_organizations_have_prices_of_their_own(self) -> None:
        report = import_lines(
            price_line(),
            price_line(zone="par"),
            price_line(currency="USD"),
            price_line(organization="orga_atlas"),
            price_line(organization="orga_atlas", zone="par"),
        )

        assert counts(report) == (5, 0, 0)
        assert not Price.objects.exclude(valid_to=None).exists()

    @pytest.mark.parametrize(
        ("fields", "sentence"),
        [
            ({"meter": "apps.XXL"}, "Unknown meter: 'apps.XXL'."),
            ({"organization": "orga_x"}, "Unknown organization: 'orga_x'."),
            ({"currency": "USD", "organization": "orga_atlas"}, "The price is in USD, orga_atlas pays in EUR."),
            ({"currency": "JPY"}, "'JPY' is not the code of a currency with two decimals, such as EUR."),
            ({"per_quantity": "0"}, "The quantity that a unit price is for must be above zero."),
            ({"package_quantity": "0"}, "A package must be above zero."),
            ({"tiers": tiers(("10", "1"))}, "The last tier must be open: without a bound, so that every quantity has"),
            ({"tiers": tiers((None, "1"), (None, "2"))}, "Only the last tier may be open."),
            ({"tiers": tiers(("10", "1"), ("10", "2"), (None, "3"))}, "The bounds of the tiers must be above zero and"),
            ({"tiers": tiers(("9", "1"), ("8", "2"), (None, "3"))}, "The bounds of the tiers must be above zero and"),
            ({"tiers": tiers(("0", "1"), (None, "3"))}, "The bounds of the tiers must be above zero and"),
            ({"tiers": tiers((None, "-1"))}, "unit_price: '-1' is not a unit price"),
            ({"tiers": tiers((None, "1.2345678901234567"))}, "unit_price: '1.2345678901234567' has more than 15"),
            ({"tiers": tiers(("1.1234567", "1"), (None, "1"))}, "up_to: '1.1234567' is not a quantity: it has more"),
            ({"per_quantity": "1e3"}, "per_quantity: '1e3' is not a quantity"),
        ],
    )
    def test_what_a_price_cannot_be(self, fields: Object, sentence: str) -> None:
        report = import_lines({**price_line(), **fields})

        assert reasons(report)[1].startswith(sentence)
        assert not Price.objects.exists()
