"""Organizations with their profiles, parents and currencies."""

from datetime import date

import pytest

from billing.models import Invoice
from organizations.models import BillingProfile, Organization
from tests.builders.imports import (
    Object,
    add_on_line,
    billing_object,
    counts,
    grant_line,
    import_lines,
    organization_line,
    payment_line,
    plan_line,
    reasons,
)
from tests.builders.invoices import make_invoice

pytestmark = pytest.mark.django_db


def stored(external_id: str = "orga_atlas") -> Organization:
    return Organization.objects.get(external_id=external_id)


def test_all_fields_arrive() -> None:
    import_lines(
        organization_line(
            name="Atlas",
            closed_on="2027-01-31",
            forecast_months=3,
            negotiated_refill="1500.00",
            negotiated_refill_until="2026-12-31",
            consumption_discount_percent="12.3456",
            payment_term_days=45,
            billing=billing_object(
                is_company=False,
                vat_number="FR40303265045",
                siren="303265045",
                language="en",
                purchase_order="PO-1",
                cost_center="R&D",
            ),
        )
    )

    organization = stored()
    assert organization.opened_on == date(2026, 1, 15)
    assert organization.closed_on == date(2027, 1, 31)
    assert organization.forecast_months == 3
    assert organization.negotiated_refill_cents == 150_000
    assert organization.negotiated_refill_until == date(2026, 12, 31)
    assert organization.consumption_discount_ppm == 123_456  # 12.3456 %
    assert organization.payment_term_days == 45
    profile = organization.billing_profile
    assert (profile.company, profile.name, profile.city) == ("Atlas SAS", "Jane Doe", "Nancy")
    assert (profile.country.code, profile.vat_number, profile.siren) == ("FR", "FR40303265045", "303265045")
    assert (profile.is_company, profile.language) == (False, "en")
    assert (profile.purchase_order, profile.cost_center) == ("PO-1", "R&D")


def test_what_is_left_out_is_nothing() -> None:
    import_lines(organization_line())

    organization = stored()
    assert (organization.parent, organization.closed_on, organization.negotiated_refill_cents) == (None, None, None)
    assert (organization.forecast_months, organization.payment_term_days) == (1, 30)
    assert organization.consumption_discount_ppm == 0
    assert not BillingProfile.objects.exists()


def test_an_update_without_a_field_takes_it_back_to_nothing_but_keeps_the_profile() -> None:
    refill = {"negotiated_refill": "10.00", "negotiated_refill_until": "2026-12-31"}
    import_lines(organization_line(**refill, forecast_months=6, billing=billing_object()))

    assert counts(import_lines(organization_line(name="Atlas Group"))) == (1, 0, 0)

    organization = stored()
    assert (organization.name, organization.negotiated_refill_cents) == ("Atlas Group", None)
    assert organization.negotiated_refill_until is None
    assert organization.forecast_months == 1
    assert organization.billing_profile.company == "Atlas SAS"


def test_the_end_of_a_negotiated_refill_stays_until_it_is_said_that_there_is_none() -> None:
    import_lines(organization_line(negotiated_refill="10.00", negotiated_refill_until="2026-12-31"))

    assert counts(import_lines(organization_line(negotiated_refill="20.00"))) == (1, 0, 0)
    assert (stored().negotiated_refill_cents, stored().negotiated_refill_until) == (20_00, date(2026, 12, 31))

    assert counts(import_lines(organization_line(negotiated_refill="20.00", negotiated_refill_until=None))) == (1, 0, 0)
    assert stored().negotiated_refill_until is None


def test_a_changed_profile_is_a_change_and_an_equal_one_is_not() -> None:
    import_lines(organization_line(billing=billing_object()))

    assert counts(import_lines(organization_line(billing=billing_object()))) == (0, 1, 0)
    assert counts(import_lines(organization_line(billing=billing_object(city="Metz")))) == (1, 0, 0)
    assert stored().billing_profile.city == "Metz"
    # A profile lists all that is known: what it leaves out is empty.
    assert counts(import_lines(organization_line(billing={"company": "Atlas SA"}))) == (1, 0, 0)
    assert stored().billing_profile.address == ""


def test_a_profile_may_come_later_and_be_incomplete() -> None:
    import_lines(organization_line())

    assert counts(import_lines(organization_line(billing={"company": "Atlas SAS"}))) == (1, 0, 0)
    assert stored().billing_profile.country.code is None or stored().billing_profile.country.code == ""


def test_two_lines_of_one_organization_the_last_one_counts() -> None:
    report = import_lines(
        organization_line(name="First", billing=billing_object()),
        organization_line(name="Second", billing=billing_object(city="Metz")),
        organization_line(name="Second"),
    )

    assert counts(report) == (2, 1, 0)
    assert (stored().name, stored().billing_profile.city) == ("Second", "Metz")


@pytest.mark.parametrize(("code", "kept"), [("de", "DE"), ("EL", "GR"), ("GP", "GP"), ("XI", "XI")])
def test_countries(code: str, kept: str) -> None:
    import_lines(organization_line(billing=billing_object(country=code)))

    assert stored().billing_profile.country.code == kept


@pytest.mark.parametrize("percent", ["0", "100", "100.0000", "0.0001", "99.9999", "07"])
def test_discounts_from_0_to_100(percent: str) -> None:
    assert counts(import_lines(organization_line(consumption_discount_percent=percent))) == (1, 0, 0)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"currency": "eur"}, "'eur' is not the code of a currency with two decimals, such as EUR."),
        ({"currency": "JPY"}, "'JPY' is not the code of a currency with two decimals, such as EUR."),
        ({"currency": "TND"}, "'TND' is not the code of a currency with two decimals, such as EUR."),
        ({"currency": "XXX"}, "'XXX' is not the code of a currency with two decimals, such as EUR."),
        ({"closed_on": "2026-01-14"}, "It cannot close on 14 Jan 2026, before it opens on 15 Jan 2026."),
        ({"parent": "orga_atlas"}, "An organization cannot be billed on its own invoice as its sub-organization."),
        ({"parent": "orga_nobody"}, "Unknown organization: 'orga_nobody', named as parent."),
        ({"billing": {"country": "ZZ"}}, "billing.country: 'ZZ' is not the code of a country, such as FR."),
        ({"billing": {"email": "nobody"}}, "billing.email: 'nobody' is not an e-mail address."),
    ],
)
def test_what_an_organization_cannot_be(fields: Object, sentence: str) -> None:
    assert reasons(import_lines(organization_line(**fields))) == {1: sentence}
    assert not Organization.objects.exists()


@pytest.mark.parametrize("percent", ["-1", "100.0001", "101", "1.23456", "ten", "", "１２", "1e1", "+5", "5%"])
def test_percentages_that_are_none(percent: str) -> None:
    report = import_lines(organization_line(consumption_discount_percent=percent))

    assert "is not a percentage from 0 to 100" in reasons(report)[1]


@pytest.mark.parametrize("amount", ["-1.00", "1.234", "1,00", "1e3", "NaN", "１２", "1_000"])
def test_refills_that_are_no_amount(amount: str) -> None:
    assert reasons(import_lines(organization_line(negotiated_refill=amount)))[1].startswith("negotiated_refill: ")


def test_a_refused_organization_leaves_what_is_stored() -> None:
    import_lines(organization_line(billing=billing_object()))

    import_lines(organization_line(name="Other", billing=billing_object(city="Metz", country="ZZ")))

    assert stored().name == "Atlas"
    assert stored().billing_profile.city == "Nancy"


class TestParents:
    def test_a_sub_organization_may_come_before_its_parent(self) -> None:
        report = import_lines(organization_line("orga_lab", parent="orga_atlas"), organization_line())

        assert counts(report) == (2, 0, 0)
        assert stored("orga_lab").parent == stored()

    def test_one_level_only_from_below(self) -> None:
        report = import_lines(
            organization_line(),
            organization_line("orga_lab", parent="orga_atlas"),
            organization_line("orga_team", parent="orga_lab"),
        )

        assert counts(report) == (2, 0, 1)
        assert reasons(report) == {3: "orga_lab is a sub-organization itself: there is one level only."}

    def test_one_level_only_from_above(self) -> None:
        import_lines(
            organization_line(), organization_line("orga_lab", parent="orga_atlas"), organization_line("orga_top")
        )

        report = import_lines(organization_line(parent="orga_top"))

        assert reasons(report) == {1: "It has sub-organizations, so it cannot become one: there is one level only."}
        assert stored().parent is None

    def test_both_ends_in_one_file_whatever_the_order(self) -> None:
        lines = [
            organization_line("orga_a", parent="orga_b"),
            organization_line("orga_b", parent="orga_c"),
            organization_line("orga_c"),
        ]

        report = import_lines(*lines)

        # b under c is stored or a under b: never both.
        assert counts(report) == (2, 0, 1)

    def test_a_circle_is_refused(self) -> None:
        report = import_lines(
            organization_line("orga_a", parent="orga_b"), organization_line("orga_b", parent="orga_a")
        )

        assert counts(report) == (0, 0, 2)

    def test_a_tree_may_be_turned_round_in_one_file(self) -> None:
        import_lines(
            organization_line("orga_a"), organization_line("orga_b", parent="orga_a"), organization_line("orga_c")
        )

        # a goes under c, which its own sub-organization b makes possible by going there too, on a later line.
        report = import_lines(
            organization_line("orga_a", parent="orga_c"), organization_line("orga_b", parent="orga_c")
        )

        assert counts(report) == (2, 0, 0)
        assert stored("orga_a").parent == stored("orga_b").parent == stored("orga_c")

    def test_a_sub_organization_becomes_a_parent_when_it_is_freed(self) -> None:
        import_lines(organization_line("orga_a"), organization_line("orga_b", parent="orga_a"))

        report = import_lines(organization_line("orga_c", parent="orga_b"), organization_line("orga_b"))

        assert counts(report) == (2, 0, 0)
        assert stored("orga_c").parent == stored("orga_b")

    def test_the_last_line_counts_also_for_the_parent(self) -> None:
        report = import_lines(
            organization_line("orga_a"), organization_line("orga_b", parent="orga_a"), organization_line("orga_b")
        )

        assert counts(report) == (3, 0, 0)
        assert stored("orga_b").parent is None

    def test_the_parent_counts_in_its_own_currency(self) -> None:
        report = import_lines(organization_line(), organization_line("orga_lab", parent="orga_atlas", currency="USD"))

        assert reasons(report) == {2: "A sub-organization is billed in the currency of its parent, EUR, not USD."}


class TestCurrency:
    def test_it_may_change_while_nothing_is_in_it(self) -> None:
        import_lines(organization_line())

        assert counts(import_lines(organization_line(currency="USD"))) == (1, 0, 0)
        assert stored().currency == "USD"

    def test_not_once_credits_were_granted(self) -> None:
        import_lines(organization_line(), grant_line())

        report = import_lines(organization_line(currency="USD", name="Other"))

        assert reasons(report) == {1: "Its currency stays EUR: credits were granted in that currency."}
        assert (stored().currency, stored().name) == ("EUR", "Atlas")

    @pytest.mark.parametrize("status", ["draft", "pending", "paid"])
    def test_not_once_there_is_an_invoice(self, status: str) -> None:
        import_lines(organization_line())
        make_invoice(organization=stored(), status=status)  # type: ignore[arg-type]  # given by the test

        report = import_lines(organization_line(currency="USD"))

        assert reasons(report) == {1: "Its currency stays EUR: it has invoices in that currency."}
        assert Invoice.objects.get().currency == "EUR"

    def test_not_once_money_was_received(self) -> None:
        import_lines(organization_line(), payment_line())

        assert reasons(import_lines(organization_line(currency="USD"))) == {
            1: "Its currency stays EUR: it has paid in that currency."
        }

    def test_not_while_it_has_add_ons(self) -> None:
        import_lines(organization_line(), plan_line(), add_on_line())

        assert reasons(import_lines(organization_line(currency="USD"))) == {
            1: "Its currency stays EUR: it has add-ons in that currency."
        }

    def test_not_alone_while_it_has_sub_organizations(self) -> None:
        import_lines(organization_line(), organization_line("orga_lab", parent="orga_atlas"))

        assert reasons(import_lines(organization_line(currency="USD"))) == {
            1: "Its sub-organizations are billed in EUR, which must be its currency too."
        }

    def test_a_parent_and_a_sub_organization_that_leaves_it(self) -> None:
        import_lines(
            organization_line(), organization_line("orga_lab", parent="orga_atlas"), organization_line("orga_top")
        )

        report = import_lines(organization_line(currency="USD"), organization_line("orga_lab", parent="orga_top"))

        # The first is possible once the second is stored, so it is tried again behind it.
        assert counts(report) == (2, 0, 0)
        assert stored().currency == "USD"
