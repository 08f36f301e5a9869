"""VAT by the place of the customer, case by case, and tax subtotals."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.eu.vat import MEMBER_STATES

from billing.domain.money import vat_cents
from billing.domain.taxation import (
    INVALID_VAT_NUMBER,
    MISSING_VAT_NUMBER,
    OTHER_EU_COUNTRIES,
    OVERSEAS_POSTCODES,
    UNEXPECTED_VAT_NUMBER,
    Category,
    Customer,
    TaxSubtotal,
    TaxTreatment,
    UnknownRate,
    tax_subtotals,
    tax_treatment,
)

# Rates that tell the countries apart; only those of France and its departments are asserted as real ones.
EU_RATES = {country: 1500 + 50 * rank for rank, country in enumerate(sorted(OTHER_EU_COUNTRIES))}
RATES = {"FR": 2000, "GP": 850, "MQ": 850, "RE": 850, **EU_RATES}

VALID_VAT_NUMBERS = {
    "AT": "ATU57194903",
    "BE": "BE0697449992",
    "DE": "DE136695976",
    "GR": "EL094259216",
    "IE": "IE6433435F",
    "NL": "NL004495445B01",
}


def treat(
    country: str,
    *,
    postcode: str = "",
    is_company: bool = False,
    vat_number: str = "",
    over_oss_threshold: bool = False,
) -> TaxTreatment:
    customer = Customer(country, postcode, is_company, vat_number)
    return tax_treatment(customer, rates=RATES, over_oss_threshold=over_oss_threshold)


every_status = pytest.mark.parametrize(
    ("is_company", "vat_number", "over_oss_threshold"),
    list(product([False, True], ["", "FR61954506077", "DE136695976", "nonsense"], [False, True])),
)


class TestFrance:
    @every_status
    @pytest.mark.parametrize("country", ["FR", "fr", " FR ", "MC"])
    def test_france_and_monaco_pay_the_french_rate_whoever_they_are(
        self, country: str, is_company: bool, vat_number: str, over_oss_threshold: bool
    ) -> None:
        treatment = treat(
            country,
            postcode="54000",
            is_company=is_company,
            vat_number=vat_number,
            over_oss_threshold=over_oss_threshold,
        )
        assert treatment == TaxTreatment("S", 2000)

    @pytest.mark.parametrize("postcode", ["", "75001", "20000", "97000", "97900", "98000", "09710", "abc"])
    def test_postcodes_that_name_no_overseas_territory(self, postcode: str) -> None:
        # 98000 is Monaco's own postcode
        assert treat("FR", postcode=postcode) == TaxTreatment("S", 2000)

    @every_status
    @pytest.mark.parametrize(
        ("country", "postcode"),
        [
            ("GP", ""),
            ("MQ", "97200"),
            ("RE", "97400"),
            ("FR", "97110"),
            ("FR", "97200"),
            ("FR", "97490"),
            ("FR", " 97 110"),
            ("FR", "F-97110"),
        ],
    )
    def test_guadeloupe_martinique_and_reunion_have_their_own_rate(
        self, country: str, postcode: str, is_company: bool, vat_number: str, over_oss_threshold: bool
    ) -> None:
        treatment = treat(
            country,
            postcode=postcode,
            is_company=is_company,
            vat_number=vat_number,
            over_oss_threshold=over_oss_threshold,
        )
        assert treatment == TaxTreatment("S", 850)

    def test_each_department_has_a_rate_of_its_own(self) -> None:
        rates = {"FR": 2000, "GP": 851, "MQ": 852, "RE": 854}
        for postcode, rate_bp in (("97100", 851), ("97200", 852), ("97400", 854)):
            customer = Customer("FR", postcode)
            assert tax_treatment(customer, rates=rates, over_oss_threshold=False) == TaxTreatment("S", rate_bp)

    @every_status
    @pytest.mark.parametrize(
        ("country", "postcode"),
        [
            *[(country, "") for country in ("GF", "YT", "PM", "BL", "MF", "WF", "PF", "NC", "TF")],
            *[("FR", f"{start}00") for start in (973, 975, 976, 977, 978, 984, 986, 987, 988)],
        ],
    )
    def test_the_other_overseas_territories_are_out_of_scope(
        self, country: str, postcode: str, is_company: bool, vat_number: str, over_oss_threshold: bool
    ) -> None:
        treatment = treat(
            country,
            postcode=postcode,
            is_company=is_company,
            vat_number=vat_number,
            over_oss_threshold=over_oss_threshold,
        )
        assert treatment == TaxTreatment("O", 0)

    @pytest.mark.parametrize(("start", "territory"), OVERSEAS_POSTCODES.items())
    def test_a_postcode_says_the_same_as_its_country_code(self, start: str, territory: str) -> None:
        assert treat("FR", postcode=f"{start}10") == treat(territory)

    def test_only_french_postcodes_name_french_territories(self) -> None:
        assert treat("DE", postcode="97100") == TaxTreatment("S", 2000)
        assert treat("US", postcode="97100") == TaxTreatment("O", 0)


class TestEuropeanCompanies:
    @pytest.mark.parametrize("over_oss_threshold", [False, True])
    @pytest.mark.parametrize(("country", "vat_number"), VALID_VAT_NUMBERS.items())
    def test_a_valid_vat_number_means_reverse_charge(
        self, country: str, vat_number: str, over_oss_threshold: bool
    ) -> None:
        treatment = treat(country, is_company=True, vat_number=vat_number, over_oss_threshold=over_oss_threshold)
        assert treatment == TaxTreatment("AE", 0)

    @pytest.mark.parametrize("vat_number", ["DE 136 695 976", " de136695976 ", "DE-136.695.976"])
    def test_separators_and_case_do_not_matter(self, vat_number: str) -> None:
        assert treat("de", is_company=True, vat_number=vat_number) == TaxTreatment("AE", 0)

    @pytest.mark.parametrize(("country", "vat_number"), list(product(["GR", "EL"], ["EL094259216", "GR094259216"])))
    def test_greece_has_two_codes(self, country: str, vat_number: str) -> None:
        assert treat(country, is_company=True, vat_number=vat_number) == TaxTreatment("AE", 0)

    @pytest.mark.parametrize(
        ("vat_number", "finding"),
        [
            ("", MISSING_VAT_NUMBER),
            ("   ", MISSING_VAT_NUMBER),
            ("136695976", INVALID_VAT_NUMBER),  # without its prefix
            ("DE136695977", INVALID_VAT_NUMBER),  # wrong check digit
            ("DE13669597", INVALID_VAT_NUMBER),  # a digit short
            ("DE", INVALID_VAT_NUMBER),
            ("n/a", INVALID_VAT_NUMBER),
            ("ATU57194903", INVALID_VAT_NUMBER),  # valid, but Austrian
            ("FR61954506077", INVALID_VAT_NUMBER),  # valid, but French
            ("XI432525179", INVALID_VAT_NUMBER),  # valid, but Northern Irish
        ],
    )
    @pytest.mark.parametrize(("over_oss_threshold", "rate_bp"), [(False, 2000), (True, EU_RATES["DE"])])
    def test_otherwise_it_is_a_consumer_with_a_finding(
        self, vat_number: str, finding: str, over_oss_threshold: bool, rate_bp: int
    ) -> None:
        treatment = treat("DE", is_company=True, vat_number=vat_number, over_oss_threshold=over_oss_threshold)
        assert treatment == TaxTreatment("S", rate_bp, finding)

    @given(st.text(max_size=16))
    def test_no_text_breaks_the_check_of_a_number(self, vat_number: str) -> None:
        treatment = treat("DE", is_company=True, vat_number=vat_number)
        assert (treatment.category == "AE") == (treatment.finding is None)


class TestEuropeanConsumers:
    @pytest.mark.parametrize("country", sorted(OTHER_EU_COUNTRIES))
    def test_the_french_rate_below_the_oss_threshold(self, country: str) -> None:
        assert treat(country) == TaxTreatment("S", 2000)

    @pytest.mark.parametrize("country", sorted(OTHER_EU_COUNTRIES))
    def test_the_rate_of_their_country_above_it(self, country: str) -> None:
        assert treat(country, over_oss_threshold=True) == TaxTreatment("S", EU_RATES[country])

    def test_the_rate_of_greece_under_either_code(self) -> None:
        assert treat("EL", over_oss_threshold=True) == TaxTreatment("S", EU_RATES["GR"])
        treatment = tax_treatment(Customer("GR"), rates={"EL": 2400}, over_oss_threshold=True)
        assert treatment == TaxTreatment("S", 2400)

    def test_a_vat_number_on_somebody_who_is_no_company_is_worth_a_look(self) -> None:
        treatment = treat("DE", vat_number="DE136695976")
        assert treatment == TaxTreatment("S", 2000, UNEXPECTED_VAT_NUMBER)

    def test_the_countries_are_the_26_others(self) -> None:
        assert len(OTHER_EU_COUNTRIES) == 26
        assert {code.upper() for code in MEMBER_STATES} - {"FR", "XI"} == OTHER_EU_COUNTRIES


class TestEverybodyElse:
    @every_status
    @pytest.mark.parametrize("country", ["GB", "XI", "CH", "NO", "US", "AD", "SM", "VA", "IM", "JE", "AX", "GI", "TR"])
    def test_out_of_scope(self, country: str, is_company: bool, vat_number: str, over_oss_threshold: bool) -> None:
        treatment = treat(country, is_company=is_company, vat_number=vat_number, over_oss_threshold=over_oss_threshold)
        assert treatment == TaxTreatment("O", 0)

    def test_northern_irish_companies_too(self) -> None:
        treatment = treat("GB", postcode="BT1 5GS", is_company=True, vat_number="XI432525179")
        assert treatment == TaxTreatment("O", 0)


class TestWhatCannotBeTold:
    @pytest.mark.parametrize(
        ("customer", "over_oss_threshold", "territory"),
        [
            (Customer("FR"), False, "FR"),
            (Customer("MC"), False, "FR"),
            (Customer("FR", "97100"), False, "GP"),
            (Customer("DE"), False, "FR"),
            (Customer("DE"), True, "DE"),
            (Customer("GR"), True, "GR"),
        ],
    )
    def test_a_rate_that_is_missing(self, customer: Customer, over_oss_threshold: bool, territory: str) -> None:
        with pytest.raises(UnknownRate, match=f"There is no VAT rate for {territory} at this date"):
            tax_treatment(customer, rates={}, over_oss_threshold=over_oss_threshold)

    def test_no_rate_is_needed_where_none_applies(self) -> None:
        german = Customer("DE", is_company=True, vat_number="DE136695976")
        assert tax_treatment(german, rates={}, over_oss_threshold=True).category == "AE"
        assert tax_treatment(Customer("US"), rates={}, over_oss_threshold=True).category == "O"

    @pytest.mark.parametrize("country", ["", " ", "F", "France"])
    def test_a_country_that_is_missing(self, country: str) -> None:
        with pytest.raises(UnknownRate, match="complete the address"):
            treat(country)

    def test_a_rate_of_zero_is_a_rate(self) -> None:
        assert tax_treatment(Customer("FR"), rates={"FR": 0}, over_oss_threshold=False) == TaxTreatment("S", 0)


FRENCH = TaxTreatment("S", 2000)
REVERSE_CHARGED = TaxTreatment("AE", 0)

groups: st.SearchStrategy[tuple[Category, int]] = st.sampled_from([("S", 2000), ("S", 850), ("AE", 0), ("O", 0)])
tax_lines = st.lists(st.builds(lambda group, net: (*group, net), groups, st.integers(-(10**9), 10**11)), max_size=12)


class TestSubtotals:
    def test_vat_is_rounded_once_per_rate(self) -> None:
        subtotals = tax_subtotals([("S", 2000, 1), ("S", 2000, 1), ("S", 2000, 1)], FRENCH)
        assert subtotals == [TaxSubtotal("S", 2000, 3, 1)]  # 0.03 * 20 % = 0.006, not three times 0.002

    def test_half_a_cent_goes_up(self) -> None:
        assert tax_subtotals([("S", 850, 100)], FRENCH) == [TaxSubtotal("S", 850, 100, 9)]  # 1.00 * 8.5 % = 0.085

    def test_the_published_invoice(self) -> None:
        assert tax_subtotals([("S", 2000, 68243)], FRENCH) == [TaxSubtotal("S", 2000, 68243, 13649)]  # 136.486

    def test_groups_come_sorted(self) -> None:
        subtotals = tax_subtotals([("S", 2000, 100), ("O", 0, 50), ("S", 850, 200), ("AE", 0, 30)], FRENCH)
        assert subtotals == [
            TaxSubtotal("AE", 0, 30, 0),
            TaxSubtotal("O", 0, 50, 0),
            TaxSubtotal("S", 850, 200, 17),  # 2.00 * 8.5 %
            TaxSubtotal("S", 2000, 100, 20),  # 1.00 * 20 %
        ]

    def test_a_discount_lowers_the_base(self) -> None:
        # 800.00 + 49.00 - 50.00 = 799.00; * 20 % = 159.80
        subtotals = tax_subtotals([("S", 2000, 80000), ("S", 2000, 4900), ("S", 2000, -5000)], FRENCH)
        assert subtotals == [TaxSubtotal("S", 2000, 79900, 15980)]

    @pytest.mark.parametrize("fallback", [FRENCH, REVERSE_CHARGED])
    def test_a_document_without_lines_keeps_one_subtotal(self, fallback: TaxTreatment) -> None:
        assert tax_subtotals([], fallback) == [TaxSubtotal(fallback.category, fallback.rate_bp, 0, 0)]

    @given(tax_lines)
    def test_every_line_is_in_one_group(self, lines: list[tuple[Category, int, int]]) -> None:
        subtotals = tax_subtotals(iter(lines), FRENCH)
        assert sum(subtotal.base_cents for subtotal in subtotals) == sum(net for _, _, net in lines)
        kinds = [(subtotal.category, subtotal.rate_bp) for subtotal in subtotals]
        assert kinds == sorted(set(kinds))
        assert len(kinds) >= 1

    @given(tax_lines)
    def test_vat_follows_from_the_base_of_its_group(self, lines: list[tuple[Category, int, int]]) -> None:
        for subtotal in tax_subtotals(lines, FRENCH):
            assert subtotal.vat_cents == vat_cents(subtotal.base_cents, subtotal.rate_bp)
            if subtotal.category != "S":
                assert subtotal.vat_cents == 0
