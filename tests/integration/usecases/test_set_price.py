"""Versions of a price follow each other without gap or overlap, and never touch an issued month."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from billing.domain.pricing import InvalidPrice, Tier
from billing.models import Invoice, Meter, Price, UsageDetail
from billing.queries.months import midnight
from billing.queries.price_book import load_price_book
from billing.usecases.set_price import MonthAlreadyIssued, PriceConflict, PriceKey, PriceTerms, set_price
from organizations.models import Organization
from tests.builders.guards import guards_lifted
from tests.builders.invoices import make_invoice
from tests.builders.organizations import make_organization
from tests.builders.usage import make_meter, make_price, make_resource

pytestmark = pytest.mark.django_db


def terms(unit_price: str = "0.02") -> PriceTerms:
    return PriceTerms(per_quantity_micro=3_600_000_000, tiers=(Tier(None, Decimal(unit_price)),))


def put(unit_price: str, since: date | None, meter: Meter | None = None, **key: object) -> Price:
    fields: dict[str, object] = {"meter_id": (meter or make_meter()).pk, "zone": "", "currency": "EUR", **key}
    return set_price(
        key=PriceKey(**fields),  # type: ignore[arg-type]  # given by the test
        valid_from=None if since is None else midnight(since),
        terms=terms(unit_price),
    ).price


def spans() -> list[tuple[str, datetime | None, datetime | None]]:
    rows = Price.objects.prefetch_related("tiers")
    spans = [(str(row.tiers.all()[0].unit_price), row.valid_from, row.valid_to) for row in rows]
    return sorted(spans, key=lambda span: span[1] or datetime.min.replace(tzinfo=UTC))


def test_midnight_is_the_legal_entity_s() -> None:
    assert midnight(date(2026, 7, 1)) == datetime(2026, 6, 30, 22, tzinfo=UTC)
    assert midnight(date(2026, 1, 1)) == datetime(2025, 12, 31, 23, tzinfo=UTC)


def test_a_new_version_ends_the_one_before() -> None:
    put("1", None)
    put("2", date(2026, 7, 1))

    july = midnight(date(2026, 7, 1))
    assert spans() == [("1", None, july), ("2", july, None)]


def test_a_version_in_between_ends_where_the_next_one_begins() -> None:
    for unit_price, since in (("1", None), ("3", date(2026, 7, 1)), ("2", date(2026, 4, 1))):
        put(unit_price, since)

    april, july = midnight(date(2026, 4, 1)), midnight(date(2026, 7, 1))
    assert spans() == [("1", None, april), ("2", april, july), ("3", july, None)]


def test_a_version_before_all_others() -> None:
    put("2", date(2026, 7, 1))
    put("1", None)

    july = midnight(date(2026, 7, 1))
    assert spans() == [("1", None, july), ("2", july, None)]


def test_every_instant_has_one_price_whatever_the_order_in_which_versions_come() -> None:
    for month in (5, 2, 9, 7, 3):
        put(str(month), date(2026, month, 1))

    meter_id = make_meter().pk
    book = load_price_book([])
    in_force = [book.resolve(meter_id, "par", "EUR", (), midnight(date(2026, month, 1))) for month in range(1, 13)]
    assert [price and str(price.tiers[0].unit_price) for price in in_force] == [
        None, "2", "3", "3", "5", "5", "7", "7", "9", "9", "9", "9",
    ]  # fmt: skip


def test_the_same_version_again_changes_nothing() -> None:
    first = put("1.50", date(2026, 7, 1))
    again = set_price(
        key=PriceKey(meter_id=first.meter_id, zone="", currency="EUR"),
        valid_from=midnight(date(2026, 7, 1)),
        terms=terms("1.5"),
    )

    assert (again.price, again.is_new) == (first, False)
    assert Price.objects.count() == 1


def test_two_versions_cannot_begin_at_once() -> None:
    put("1", date(2026, 7, 1))

    with pytest.raises(PriceConflict, match=r"already valid from 2026-07-01: choose another day\.$"):
        put("2", date(2026, 7, 1))
    put("1", None)
    with pytest.raises(PriceConflict, match=r"already valid from ever"):
        put("2", None)
    assert Price.objects.count() == 2


def test_zones_are_kept_in_lower_case() -> None:
    put("1", None, zone="PAR")

    assert put("1", None, zone="par") == Price.objects.get()
    assert Price.objects.get().zone == "par"


def test_terms_that_can_rate_nothing_are_refused() -> None:
    with pytest.raises(InvalidPrice):
        set_price(
            key=PriceKey(meter_id=make_meter().pk, zone="", currency="EUR"),
            valid_from=None,
            terms=PriceTerms(per_quantity_micro=1, tiers=()),
        )
    assert not Price.objects.exists()


class TestIssuedMonths:
    """October is issued for Atlas, priced by the catalogue for zone par."""

    @pytest.fixture
    def atlas(self) -> Organization:
        return make_organization(external_id="orga_atlas")

    @pytest.fixture
    def catalogue(self) -> Price:
        return make_price(meter=make_meter(), unit_price="1", zone="par")

    @pytest.fixture(autouse=True)
    def october(self, atlas: Organization, catalogue: Price) -> Invoice:
        return self.bill(atlas, catalogue)

    def bill(
        self, organization: Organization, price: Price, status: str = "pending", *, month: date = date(2026, 10, 1)
    ) -> Invoice:
        resource = make_resource(organization=organization)
        detail = UsageDetail(
            resource=resource, meter=price.meter, zone="par", price=price, quantity_micro=1, amount_cents=0
        )
        return make_invoice(
            organization=organization,
            status=status,  # type: ignore[arg-type]  # given by the test
            month=month,
            details=[detail],
        )

    @pytest.mark.parametrize("since", [None, date(2026, 1, 1), date(2026, 10, 1), date(2026, 10, 31)])
    def test_nothing_begins_within_or_before_it(self, since: date | None) -> None:
        with pytest.raises((MonthAlreadyIssued, PriceConflict)):
            put("2", since, zone="par")
        assert spans() == [("1", None, None)]

    def test_the_sentence_says_what_to_do(self) -> None:
        with pytest.raises(MonthAlreadyIssued) as raised:
            put("2", date(2026, 10, 15), zone="par")

        assert str(raised.value) == (
            "2026-10 is already issued or settled, and this price would change it: "
            "it may be valid from 2026-11-01 at the earliest."
        )

    def test_the_next_month_is_free(self) -> None:
        put("2", date(2026, 11, 1), zone="par")

        assert len(spans()) == 2

    def test_a_draft_binds_nobody(self, atlas: Organization, catalogue: Price) -> None:
        self.bill(atlas, catalogue, "draft", month=date(2026, 11, 1))

        put("2", date(2026, 11, 1), zone="par")

    def test_late_usage_binds_the_month_it_is_of(self, atlas: Organization, catalogue: Price) -> None:
        november = make_invoice(organization=atlas, status="pending", month=date(2026, 11, 1))
        with guards_lifted():
            UsageDetail.objects.filter(invoice__consumption_month=date(2026, 10, 1)).update(invoice=november)

        with pytest.raises(MonthAlreadyIssued):
            put("2", date(2026, 10, 15), zone="par")
        put("2", date(2026, 11, 1), zone="par")

    def test_prices_for_other_things_are_free(self) -> None:
        put("2", date(2026, 10, 1), zone="par", meter=make_meter(code="apps.M"))
        put("2", date(2026, 10, 1), zone="rbx")
        put("2", date(2026, 10, 1), zone="par", currency="USD")
        put("2", date(2026, 10, 1), zone="par", organization_id=make_organization().pk)

    def test_a_price_for_any_zone_stands_behind_that_of_the_zone(self) -> None:
        put("2", date(2026, 10, 1), zone="")

    def test_a_price_of_the_zone_wins_over_one_for_any_zone(self, atlas: Organization) -> None:
        for_any_zone = make_price(meter=make_meter(code="apps.M"), zone="")
        other = make_organization()
        self.bill(other, for_any_zone)

        with pytest.raises(MonthAlreadyIssued):
            put("2", date(2026, 10, 1), zone="par", meter=for_any_zone.meter)

    def test_a_negotiated_price_of_the_organization(self, atlas: Organization) -> None:
        with pytest.raises(MonthAlreadyIssued):
            put("2", date(2026, 10, 1), organization_id=atlas.pk)

    def test_a_negotiated_price_of_its_parent(self, atlas: Organization) -> None:
        parent = make_organization()
        Organization.objects.filter(pk=atlas.pk).update(parent=parent)

        with pytest.raises(MonthAlreadyIssued):
            put("2", date(2026, 10, 1), organization_id=parent.pk)

    def test_the_catalogue_may_change_for_who_negotiated(self, atlas: Organization, catalogue: Price) -> None:
        negotiated = make_price(meter=catalogue.meter, organization=atlas)
        with guards_lifted():
            UsageDetail.objects.update(price=negotiated)

        put("2", date(2026, 10, 15), zone="par")

    def test_a_gap_before_the_issued_month_may_be_filled(self, catalogue: Price) -> None:
        Price.objects.update(valid_from=midnight(date(2026, 9, 1)))

        put("2", date(2026, 3, 1), zone="par")

        assert [span[0] for span in spans()] == ["2", "1"]
