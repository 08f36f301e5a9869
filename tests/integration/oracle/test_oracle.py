"""The calculator itself, against the published examples and sums done by hand."""

import json
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from stdnum import get_cc_module
from stdnum.eu import vat as eu_vat

from tests.integration.oracle.basics import Json, Month, money
from tests.integration.oracle.customers import MALFORMED
from tests.integration.oracle.differences import differences
from tests.integration.oracle.driver import tell
from tests.integration.oracle.model import Oracle
from tests.integration.oracle.scenario import story
from tests.integration.oracle.vat import EU_RATES, VALID_VAT_NUMBERS, vat_of

SHARED = Path(__file__).parents[4] / "shared"
EXAMPLES = SHARED / "examples" / "credit_statements.json"
PRICES = SHARED / "data" / "price-system-par-eur.json"
JULY = Month(2026, 7)
COUNTRY_OF_RATE = {0: "CH", 850: "RE", 2000: "FR"}


def examples() -> list[Any]:
    if not EXAMPLES.exists():
        return []
    cases = json.loads(EXAMPLES.read_text(encoding="utf-8"))["cases"]
    return [pytest.param(case["inputs"], case["expected"], id=case["case"]) for case in cases]


def organization(**more: object) -> Json:
    billing = {"is_company": False, "name": "Jane", "address": "1 rue", "city": "Nancy", "country": "FR"}
    line = {"kind": "organization", "id": "o", "currency": "EUR", "opened_on": "2025-01-01", "forecast_months": 1}
    return {**line, "payment_term_days": 30, "billing": billing, **more}


def price(meter: str = "cent", **more: object) -> Json:
    line = {"kind": "price", "meter": meter, "currency": "EUR", "valid_from": "2025-01-01", "per_quantity": "1"}
    return {**line, "mode": "graduated", "tiers": [{"up_to": None, "unit_price": "0.01"}], **more}


def usage(event: str, start: str, quantity: str, *, end: str | None = None, meter: str = "cent") -> Json:
    line = {"kind": "usage", "source": "s", "event_id": event, "organization": "o", "resource": "r", "zone": "par"}
    return {**line, "meter": meter, "start": start, "end": end or start, "quantity": quantity}


def grant(reference: str, cents: int, **more: object) -> Json:
    line = {"kind": "credit_grant", "reference": reference, "organization": "o", "type": "free", "amount": money(cents)}
    return {**line, "starts_on": "2026-01-01", **more}


def world(*lines: Json, meter: str = "cent", unit: str = "second") -> Oracle:
    """One organization whose meter costs a cent a second."""
    oracle = Oracle()
    resource = {"kind": "resource", "id": "r", "organization": "o", "name": "api"}
    meters = {"kind": "meter", "code": meter, "name": meter, "unit": unit, "category": "runtime"}
    oracle.import_lines([meters, price(), organization(), resource, *lines])
    return oracle


def bill(oracle: Oracle, month: Month = JULY) -> Json:
    oracle.close(month)
    (document,) = oracle.export(month)
    return document


def settle(oracle: Oracle, month: Month, *, paid: bool = True) -> Json:
    document = bill(oracle, month)
    oracle.issue(month, month.next.first_day)
    if paid and document["total"] != "0.00":
        payment = {"kind": "payment", "reference": f"P{month}", "organization": "o", "amount": document["total"]}
        oracle.import_lines([payment])
    return document


@pytest.mark.skipif(not EXAMPLES.exists(), reason=f"the examples are not at {EXAMPLES}")
@pytest.mark.parametrize(("inputs", "expected"), examples())
def test_the_published_examples(inputs: Json, expected: Json) -> None:
    country = COUNTRY_OF_RATE[inputs["vat_rate_basis_points"]]
    negotiated = inputs["negotiated_refill"]
    line = organization(negotiated_refill=None if negotiated is None else money(negotiated))
    line["billing"] = {**line["billing"], "country": country}
    expiring = inputs["free_credits_expiring_this_month"]
    lines = [
        line,
        grant("expiring", expiring, expires_on="2026-07-31"),
        grant("staying", inputs["free_credits"] - expiring, priority=1),
        grant("prepaid", inputs["prepaid_credits"], type="prepaid"),
        usage("now", "2026-07-10T00:00:00Z", str(inputs["estimate"])),
        usage("older than the first close", "2026-05-10T00:00:00Z", str(inputs["consumption"] - inputs["estimate"])),
    ]
    oracle = world(*lines)
    if inputs["other_lines"]:
        charge = {"kind": "charge", "reference": "C", "organization": "o", "type": "one_shot", "date": "2026-07-02"}
        oracle.import_lines([{**charge, "quantity": "1", "unit_price": money(inputs["other_lines"])}])
    if inputs["pending_credits"]:
        oracle.import_lines([usage("june", "2026-06-10T00:00:00Z", str(inputs["pending_credits"]))])
        settle(oracle, Month(2026, 6), paid=False)
    document = bill(oracle)
    statement = {letter: money(expected[letter]) for letter in document["statement"]}
    assert document["statement"] == statement
    assert document["regularization"] == money(expected["regularization"])
    amounts = (document["subtotal"], document["vat"], document["total"])
    assert amounts == tuple(money(expected[name]) for name in ("subtotal", "vat", "total"))


def test_months_last_as_long_as_they_last() -> None:
    assert [Month(2026, number).hours for number in (2, 3, 4, 10)] == [672, 743, 720, 745]
    assert Month.of("2026-12").next == Month(2027, 1)


def test_a_record_over_two_months_is_split_in_proportion_to_time() -> None:
    # July ends at 22:00Z: 2 of 3 hours of 1.000000 -> 0.666667, the rest by subtraction 0.333333
    start, end = "2026-07-31T20:00:00Z", "2026-07-31T23:00:00Z"
    oracle = world(
        price("m", tiers=[{"up_to": None, "unit_price": "100"}]), usage("e", start, "1", end=end, meter="m"), meter="m"
    )
    assert [(entry["quantity"], entry["amount"]) for entry in settle(oracle, JULY)["usage"]] == [("0.666667", "66.67")]
    assert [(entry["quantity"], entry["amount"]) for entry in bill(oracle, JULY.next)["usage"]] == [
        ("0.333333", "33.33")
    ]


def test_a_price_change_splits_a_record_and_each_version_has_its_own_line() -> None:
    # The change is on 10 July 00:00 in Paris, 22:00Z of the 9th: 22 of 24 hours at a cent, 2 at three.
    dearer = price(valid_from="2026-07-10", tiers=[{"up_to": None, "unit_price": "0.03"}])
    oracle = world(dearer, usage("e", "2026-07-09T00:00:00Z", "2400", end="2026-07-10T00:00:00Z"))
    lines = [(entry["price_valid_from"], entry["quantity"], entry["amount"]) for entry in bill(oracle)["usage"]]
    assert lines == [("2025-01-01", "2200", "22.00"), ("2026-07-10", "200", "6.00")]


def test_packages_are_whole_before_tiers_price_them() -> None:
    # 120.5 users are two packages of 100: 100 free, 100 at 8.00 the hundred
    tiers = [{"up_to": "100", "unit_price": "0"}, {"up_to": None, "unit_price": "8"}]
    packages = price("users", per_quantity="100", package_quantity="100", tiers=tiers)
    oracle = world(packages, usage("e", "2026-07-02T00:00:00Z", "120.5", meter="users"), meter="users", unit="User")
    assert bill(oracle)["fees"] == "8.00"


def test_volume_prices_everything_at_the_reached_tier() -> None:
    tiers = [{"up_to": "10", "unit_price": "1"}, {"up_to": None, "unit_price": "0.9"}]
    volume = price("m", mode="volume", tiers=tiers)
    for quantity, fees in (("10", "10.00"), ("10.000001", "9.00"), ("20", "18.00")):
        oracle = world(volume, usage("e", "2026-07-02T00:00:00Z", quantity, meter="m"), meter="m")
        assert bill(oracle)["fees"] == fees


@pytest.mark.skipif(not PRICES.exists(), reason=f"the real price system is not at {PRICES}")
@pytest.mark.parametrize(
    ("meter", "month", "quantity", "amount"),
    [
        # 0.1 GB x 743 h free; (743,000 - 74.3) x 0.0000284444... = 21.1321,
        # then (2,000,000 - 743,000) x 0.0000213333... = 26.8160
        ("cellar.storage", "2026-03", "2000000", "47.95"),
        # the same with 745 h: 21.1890 + 26.7733
        ("cellar.storage", "2026-10", "2000000", "47.96"),
        ("fsbucket.storage", "2026-02", "1000", "2.14"),  # (1,000 - 67.2) x 0.00229166666666667 = 2.1376...
        ("apps.S", "2026-10", "224674", "2.77"),  # the example of interfaces §3: 224,674 / 3,600 x 0.0444444444444444
        ("heptapod.public_active_users", "2026-10", "101", "8.00"),
        ("heptapod.private_active_users", "2026-10", "2.000001", "21.00"),
        ("cellar.outbound", "2026-10", "10001", "900.07"),  # 10,000 x 0.09 + 1 x 0.07
    ],
)
def test_real_prices(meter: str, month: str, quantity: str, amount: str) -> None:
    oracle = world(grant("all", 1, expires_on="2026-01-31"))
    oracle.import_prices(PRICES.read_text(encoding="utf-8"))
    oracle.import_lines([usage("e", f"{month}-05T00:00:00Z", quantity, meter=meter)])
    (entry,) = bill(oracle, Month.of(month))["usage"]
    assert entry["amount"] == amount


def test_late_usage_costs_what_it_would_have_cost_in_time() -> None:
    tiers = [{"up_to": "10", "unit_price": "1"}, {"up_to": None, "unit_price": "0.105"}]
    early = usage("e1", "2026-06-02T00:00:00Z", "11", meter="m")
    oracle = world(price("m", tiers=tiers), early, meter="m")
    assert settle(oracle, Month(2026, 6))["fees"] == "10.11"  # 10 + 0.105 = 10.105
    oracle.import_lines([usage("e2", "2026-06-03T00:00:00Z", "1", meter="m")])
    document = bill(oracle)
    (entry,) = document["usage"]
    # 10 + 2 x 0.105 = 10.21, of which 10.11 are billed
    assert (entry["month"], entry["quantity"], entry["amount"]) == ("2026-06", "1", "0.10")
    assert document["statement"]["f"] == "0.00"  # not in the estimate


def test_credits_pay_late_months_first() -> None:
    late, now = usage("late", "2026-05-02T00:00:00Z", "500"), usage("now", "2026-07-02T00:00:00Z", "1000")
    oracle = world(late, now, grant("free", 700))
    lines = [(line["kind"], line["period_start"], line["net_amount"]) for line in bill(oracle)["lines"]]
    assert lines == [("provision", "2026-08-01", "10.00"), ("regularization", "2026-07-01", "8.00")]


def test_the_estimate_is_the_mean_of_the_months_there_are() -> None:
    lines = [
        usage(month, f"2026-{month}-02T00:00:00Z", quantity) for month, quantity in (("06", "1000"), ("07", "1001"))
    ]
    oracle = world(organization(forecast_months=3), *lines)
    settle(oracle, Month(2026, 6))
    assert bill(oracle)["statement"]["f"] == "-10.01"  # (10.00 + 10.01) / 2 = 10.005


def test_an_add_on_is_billed_to_the_end_of_the_provision_month() -> None:
    plan = {"kind": "add_on_plan", "code": "p", "name": "Support", "monthly_price": "49.00", "currency": "EUR"}
    add_on = {"kind": "add_on", "id": "a", "organization": "o", "plan": "p", "name": "Support", "quantity": 2}
    oracle = world(plan, {**add_on, "started_on": "2026-07-13", "ended_on": None})
    lines = [(line["period_start"], line["period_end"], line["net_amount"]) for line in settle(oracle, JULY)["lines"]]
    # 49.00 x 19/31 x 2 = 60.0645..., then a whole month
    assert lines == [("2026-07-13", "2026-08-01", "60.06"), ("2026-08-01", "2026-09-01", "98.00")]
    oracle.import_lines([{**add_on, "started_on": "2026-07-13", "ended_on": "2026-09-11"}])
    assert [line["net_amount"] for line in bill(oracle, JULY.next)["lines"]] == ["32.67"]  # 49.00 x 10/30 x 2


def test_an_add_on_that_ran_before_starts_with_the_provision_month() -> None:
    plan = {"kind": "add_on_plan", "code": "p", "name": "Support", "monthly_price": "49.00", "currency": "EUR"}
    add_on = {
        "kind": "add_on",
        "id": "a",
        "organization": "o",
        "plan": "p",
        "name": "Support",
        "started_on": "2026-03-13",
    }
    assert [line["period_start"] for line in bill(world(plan, add_on))["lines"]] == ["2026-08-01"]


def test_credits_are_usable_once_their_invoice_is_fully_paid() -> None:
    lines = [usage(month, f"2026-{month}-02T00:00:00Z", "1000") for month in ("06", "07")]
    oracle = world(*lines)
    settle(oracle, Month(2026, 6), paid=False)
    oracle.import_lines([{"kind": "payment", "reference": "P", "organization": "o", "amount": "23.99"}])  # of 24.00
    assert (oracle.export(Month(2026, 6))[0]["status"], oracle.export(Month(2026, 6))[0]["amount_due"]) == (
        "pending",
        "0.01",
    )
    statement = bill(oracle)["statement"]
    assert (statement["b"], statement["g"], statement["h"]) == ("0.00", "10.00", "0.00")
    oracle.import_lines([{"kind": "payment", "reference": "Q", "organization": "o", "amount": "0.01"}])
    statement = bill(oracle)["statement"]
    assert (statement["b"], statement["g"], statement["h"]) == ("10.00", "0.00", "10.00")


def test_a_nil_month_has_no_invoice_and_is_refreshed_by_closing_it_again() -> None:
    oracle = world(grant("expiring", 500, expires_on="2026-07-31"))
    oracle.close(JULY)
    assert oracle.export(JULY) == []
    oracle.import_lines([usage("e", "2026-07-02T00:00:00Z", "100")])
    assert bill(oracle)["statement"]["d"] == "-4.00"


def test_the_last_month_provisions_nothing() -> None:
    oracle = world(organization(closed_on="2026-07-20"), usage("e", "2026-07-02T00:00:00Z", "100"))
    assert bill(oracle)["subtotal"] == "1.00"
    oracle.issue(JULY, date(2026, 8, 1))
    oracle.close(JULY.next)
    assert oracle.export(JULY.next) == []


@pytest.mark.parametrize(
    ("country", "postcode", "is_company", "number", "expected"),
    [
        ("FR", "54000", True, "", ("S", "20")),
        ("FR", "97110", True, "", ("S", "8.5")),
        ("FR", "97300", True, "", ("O", "0")),
        ("MC", "98000", False, "", ("S", "20")),
        ("RE", "97400", False, "", ("S", "8.5")),
        ("GF", "97300", False, "", ("O", "0")),
        ("DE", "10115", True, VALID_VAT_NUMBERS["DE"], ("AE", "0")),
        ("DE", "10115", True, "DE123", ("S", "20")),
        ("DE", "10115", False, "", ("S", "20")),
        ("GB", "BT1 5GS", True, "XI123456789", ("O", "0")),
    ],
)
def test_vat(country: str, postcode: str, is_company: bool, number: str, expected: tuple[str, str]) -> None:
    billing = {"country": country, "postcode": postcode, "is_company": is_company, "vat_number": number}
    category, rate = vat_of(billing)
    assert (category, rate) == (expected[0], Fraction(expected[1]))


def test_the_vat_numbers_of_the_scenarios_are_what_they_claim() -> None:
    assert all(eu_vat.is_valid(number) for number in VALID_VAT_NUMBERS.values())
    for index, country in enumerate(EU_RATES):
        number = MALFORMED[index % len(MALFORMED)]
        assert not eu_vat.is_valid(number) or not number.startswith(country)
        module = get_cc_module(country.lower(), "vat")
        assert module is not None
        assert not module.is_valid(number), (country, number)


def test_differences_name_the_organization_the_field_and_both_values() -> None:
    wanted = bill(world(usage("e", "2026-07-02T00:00:00Z", "1000")))
    got = json.loads(json.dumps(wanted))
    got["statement"]["f"] = "-9.99"
    got["lines"][1]["vat_rate"] = "8.50"
    got["usage"][0]["quantity"] = "1001"
    assert differences("2026-07", [wanted], [got]) == [
        "o 2026-07 lines[1] regularization.vat_rate: expected '20.00', got '8.50'",
        "o 2026-07 statement.f: expected '-10.00', got '-9.99'",
        "o 2026-07 usage o/r/cent/par/2026-07/2025-01-01.quantity: expected '1000', got '1001'",
    ]
    assert differences("2026-07", [wanted], []) == [
        "o 2026-07: no invoice, expected draft of 24.00 (provision 10.00, regularization 10.00), fees 10.00"
    ]
    assert "unexpected invoice" in differences("2026-07", [], [wanted])[0]


def test_differences_see_an_invoice_that_contradicts_itself() -> None:
    wanted = bill(world(usage("e", "2026-07-02T00:00:00Z", "1000")))
    got = {**wanted, "subtotal": "20.01"}
    words = " ".join(differences("2026-07", [got], [got]))
    assert "subtotal and the sum of lines differ" in words
    assert "total and subtotal + vat differ" in words


@pytest.mark.skipif(not PRICES.exists(), reason=f"the real price system is not at {PRICES}")
def test_what_must_always_hold() -> None:
    """The promises of §5, over the calculator's own predictions."""
    oracle = Oracle()
    for step in story(5, oracle, PRICES.read_text(encoding="utf-8"), organizations=25, months=5):
        tell(oracle, step)
    documents = [document for month in ("2026-06", "2026-07", "2026-10") for document in oracle.export(Month.of(month))]
    assert documents
    for document in documents:
        assert differences(document["consumption_month"], [document], [document]) == []
        s = {letter: Decimal(amount) for letter, amount in document["statement"].items()}
        assert (
            max(s[letter] for letter in "cdef")
            <= 0
            <= min(s["g"], s["h"], s["B"], s["a"] + s["c"] + s["d"], s["b"] + s["e"])
        )
        if Decimal(document["regularization"]) > 0:
            assert s["a"] + s["c"] == s["b"] + s["e"] == 0
