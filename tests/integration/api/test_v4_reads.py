"""What the customers' API answers: shapes, exact amounts, filters."""

import io
import json
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.core.cache.backends.locmem import LocMemCache
from django.core.management import call_command

from billing.models import Coupon, CreditGrant, Invoice, Price
from billing.usecases import coupon_tries
from organizations.models import Organization, User
from tests.builders.api import NOW, Program
from tests.builders.archive import store
from tests.builders.closing import close, consume, issue, make_charge, make_metered_price
from tests.builders.credits import make_grant
from tests.builders.customers import make_member
from tests.builders.invoices import make_credit_note, make_invoice, make_line
from tests.builders.organizations import make_organization
from tests.builders.tokens import program_of

pytestmark = pytest.mark.django_db

BASE = "/v4/billing/organisations/orga_atlas"
PRICES = Path(__file__).parents[4] / "shared" / "data" / "price-system-par-eur.json"


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with time_machine.travel(NOW + timedelta(minutes=1), tick=False):
        yield


@pytest.fixture
def atlas() -> Organization:
    return make_organization(external_id="orga_atlas", name="Atlas")


@pytest.fixture
def alice(atlas: Organization) -> User:
    return make_member("alice", atlas)


@pytest.fixture
def program(alice: User) -> Program:
    return program_of(alice)


def read(response: Any) -> Any:
    """The body with its numbers as they are written."""
    assert response.status_code == 200, response.content
    return json.loads(response.content, parse_float=Decimal)


def numbers(found: list[dict[str, Any]]) -> list[str]:
    return [each["invoice_number"] for each in found]


# --- Invoices ---------------------------------------------------------------------------------------------------------


def test_the_list_has_what_was_issued_newest_first(program: Program, atlas: Organization) -> None:
    september = make_invoice(organization=atlas, status="paid", month=date(2026, 9, 1), fees_cents=1_000)
    october = make_invoice(organization=atlas, status="pending", fees_cents=9_000)
    note = make_credit_note(refers_to=october, net_cents=1_000)
    make_invoice(organization=atlas, month=date(2026, 11, 1), fees_cents=500)  # a draft
    found = read(program.get(f"{BASE}/invoices"))
    assert set(numbers(found)) == {september.number, october.number, note.number}
    assert [each["emission_date"] for each in found] == sorted((each["emission_date"] for each in found), reverse=True)
    assert {each["invoice_number"]: (each["type"], each["status"]) for each in found}[september.number] == (
        "INVOICE",
        "PAID",
    )
    credit = next(each for each in found if each["type"] == "CREDITNOTE")
    assert credit["total_tax_excluded"] == {"amount": Decimal("10.00"), "currency": "EUR"}
    assert numbers(read(program.get(f"{BASE}/invoices/unpaid"))) == [october.number]


def test_days_are_inclusive_and_instants_are_days(program: Program, atlas: Organization) -> None:
    for month in (8, 9, 10):  # issued on the first of the month after
        make_invoice(organization=atlas, status="paid", month=date(2026, month, 1), fees_cents=1_000)

    def days(**query: str) -> list[str]:
        return [each["emission_date"] for each in read(program.get(f"{BASE}/invoices", **query))]

    assert days() == ["2026-11-01", "2026-10-01", "2026-09-01"]
    assert days(since="2026-10-01") == ["2026-11-01", "2026-10-01"]
    assert days(until="2026-10-01") == ["2026-10-01", "2026-09-01"]
    assert days(since="2026-09-30T22:00:00.000Z", until="2026-10-01T21:59:59Z[UTC]") == ["2026-10-01"]  # in Paris
    assert days(limit="1") == ["2026-11-01"]


@pytest.mark.parametrize(
    "query",
    [
        {"since": "yesterday"},
        {"since": "2026-02-30"},
        {"since": "2026-10-01T10:00:00"},
        {"until": "0001-01-01T00:00:00+14:00"},
        {"limit": "0"},
        {"limit": "-1"},
        {"limit": "1e3"},
        {"limit": "99999999999999999999"},
        {"order": "asc"},
        {"since": ""},
    ],
)
def test_a_query_that_cannot_be_read_is_refused(query: dict[str, str], program: Program) -> None:
    response = program.get(f"{BASE}/invoices", **query)
    assert response.status_code == 400
    assert response.json()["code"] in {"invalid_parameter", "unknown_parameter"}


@pytest.mark.parametrize("number", ["NOPE", "x%00", "%2E%2E", "a/b", "é" * 200])
def test_a_number_that_is_not_there(number: str, program: Program) -> None:
    for suffix in ("", ".html", ".pdf"):
        assert program.get(f"{BASE}/invoices/{number}{suffix}").status_code == 404


def test_one_invoice_adds_up(program: Program, atlas: Organization, tmp_path: Path) -> None:
    make_metered_price()
    make_grant(organization=atlas, amount_cents=20_00, type="free", reason="Welcome")
    Organization.objects.update(consumption_discount_ppm=100_000)
    consume(atlas, quantity=10_000, on="2026-10-03")  # 100.00
    make_charge(organization=atlas, quantity=3, unit_cents=33_33)
    close("2026-10")
    assert len(issue("2026-10").numbers) == 1
    row = Invoice.objects.get(document_state="issued")
    found = read(program.get(f"{BASE}/invoices/{row.number}"))

    used = [*found["uptimes"], *found["countables"], *found["vendor_consumption"]]
    fees = sum((each["price"]["amount"] for each in used), Decimal()) - found["discount"]
    assert (fees, found["discount"]) == (Decimal("90.00"), Decimal("10.00"))
    lines = sum((each["quantity"] * each["unit_price"]["amount"] for each in found["classic"]), Decimal())
    assert lines + found["upfront_credit_amount"]["amount"] == found["total_tax_excluded"]["amount"]
    assert found["total_tax_excluded"]["amount"] == Decimal(row.subtotal_cents) / 100
    assert found["total_tax"]["amount"] == Decimal(row.vat_cents) / 100
    assert {each["category"] for each in found["classic"]} == {"regularization", "one_shot"}
    assert (found["consumption_begin_date"], found["consumption_end_date"]) == ("2026-10-01", "2026-10-31")
    assert found["free_credits_available_this_period"] == [
        {"name": "Welcome", "remaining": {"amount": Decimal("20.00"), "currency": "EUR"}}
    ]
    assert found["free_credits_available_next_period"] == []
    assert found["credit_balance_at_emission"]["amount"] == Decimal("20.00")
    assert (found["origin"], found["vat_percent"], found["unusable"]) == ("automatic", Decimal("20.00"), [])


def test_a_credit_note_by_itself(program: Program, atlas: Organization) -> None:
    october = make_invoice(organization=atlas, status="pending", fees_cents=9_000, direct=[make_line(net_cents=5_000)])
    note = make_credit_note(refers_to=october, net_cents=1_000)
    found = read(program.get(f"{BASE}/invoices/{note.number}"))
    assert (found["type"], found["origin"]) == ("CREDITNOTE", "manual")
    assert sum(each["quantity"] * each["unit_price"]["amount"] for each in found["classic"]) == Decimal("10.00")
    assert found["address"]["company"] == "Atlas SAS"


def test_amounts_are_numbers_with_all_their_digits(program: Program, atlas: Organization) -> None:
    row = make_invoice(organization=atlas, status="pending", fees_cents=682_43)
    body = program.get(f"{BASE}/invoices/{row.number}").content.decode()
    assert '"upfront_credit_amount":{"amount":682.43,"currency":"EUR"}' in body


def test_files_of_an_invoice(program: Program, atlas: Organization) -> None:
    row = make_invoice(organization=atlas, status="pending", fees_cents=1_000)
    url = f"{BASE}/invoices/{row.number}"
    assert program.get(f"{url}.pdf").json()["code"] == "not_ready"
    store(row)
    pdf = program.get(f"{url}.pdf")
    assert (pdf.headers["Content-Type"], pdf.getvalue()[:5]) == ("application/pdf", b"%PDF-")
    page = program.get(f"{url}.html")
    assert page.content.lower().startswith(b"<!doctype html>")
    assert page.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("path", ["invoices", "invoices/unpaid", "credits/summary", "price-system?zone_id=par"])
def test_the_number_of_queries_depends_on_nothing(
    path: str, program: Program, atlas: Organization, django_assert_max_num_queries: Any
) -> None:
    for month in range(1, 10):
        make_invoice(organization=atlas, status="pending", month=date(2026, month, 1), fees_cents=1_000)
    with django_assert_max_num_queries(9):
        read(program.get(f"{BASE}/{path}"))


# --- Credits and coupons ----------------------------------------------------------------------------------------------


def test_the_summary_of_credits(program: Program, atlas: Organization) -> None:
    make_grant(organization=atlas, amount_cents=691_35, type="prepaid")
    child = make_organization(external_id="orga_child", parent=atlas)
    make_grant(organization=child, amount_cents=1_05, type="free")
    response = program.get(f"{BASE}/credits/summary")
    assert response.content == b'{"prepaidCredit":691.35,"freeCredit":1.05,"currency":"EUR"}'


def test_a_coupon_is_used_once(program: Program, atlas: Organization, alice: User) -> None:
    Coupon.objects.create(name="WELCOME", amount_cents=20_00, credits_last_days=60)
    url = f"{BASE}/applied-coupons"
    response = program.post(url, {"name": "WELCOME"})
    assert response.status_code == 201
    assert response.json() == {
        "coupon_name": "WELCOME",
        "usageDate": "2026-11-22T09:01:00Z",
        "freeCreditsStartDate": "2026-11-22",
        "freeCreditsEndDate": "2027-01-31",
        "appliedByUserId": str(alice.pk),
    }
    again = program.post(url, {"name": "WELCOME"})
    assert (again.status_code, again.json()["code"]) == (400, 10011)
    assert CreditGrant.objects.filter(organization=atlas).count() == 1


def test_why_a_coupon_is_refused_is_a_number(program: Program) -> None:
    day = date(2026, 11, 22)
    Coupon.objects.create(name="LATER", amount_cents=1, valid_from=day + timedelta(days=1))
    Coupon.objects.create(name="OVER", amount_cents=1, valid_until=day - timedelta(days=1))
    Coupon.objects.create(name="NONE LEFT", amount_cents=1, maximum_uses=0)
    Coupon.objects.create(name="DOLLARS", amount_cents=1, currency="USD")
    codes = {
        name: program.post(f"{BASE}/applied-coupons", {"name": name}).json()["code"]
        for name in ("UNKNOWN", "LATER", "OVER", "NONE LEFT", "DOLLARS")
    }
    assert codes == {"UNKNOWN": 10001, "LATER": 10002, "OVER": 10003, "NONE LEFT": 10004, "DOLLARS": 10005}
    assert CreditGrant.objects.count() == 0


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"name": 1}', b'{"name": "A", "more": 1}', b"[" * 5_000])
def test_a_body_that_is_no_coupon(body: bytes, program: Program) -> None:
    response = program.send("POST", f"{BASE}/applied-coupons", body)
    assert (response.status_code, response.json()["code"]) == (400, "invalid_body")


def test_codes_are_not_guessed(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coupon_tries, "cache", LocMemCache(str(uuid4()), {}))
    answers = [program.post(f"{BASE}/applied-coupons", {"name": f"GUESS{number}"}) for number in range(11)]
    assert [each.status_code for each in answers] == [400] * 10 + [429]


def test_no_means_of_payment_is_stored(program: Program) -> None:
    assert read(program.get(f"{BASE}/payments/methods")) == []


# --- Prices -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def published() -> dict[str, Any]:
    if not PRICES.exists():
        pytest.skip(f"{PRICES.name} is not there")
    call_command("import_prices", str(PRICES), stdout=io.StringIO())
    system: dict[str, Any] = json.loads(PRICES.read_text(), parse_float=Decimal)
    return system


def test_prices_that_the_published_format_has_no_word_for_say_so() -> None:
    make_metered_price(
        code="mails", unit="message", per_quantity=1_000, package=500, tiers=[(1_000, "0"), (None, "0.35")]
    )
    make_metered_price(code="disk", unit="GB", mode="volume", tiers=[(10, "0.20"), (None, "0.10")])
    make_metered_price(code="seats", unit="User", per_quantity=100, package=100, tiers=[(100, "0"), (None, "8")])
    make_metered_price(code="gpu", unit="second", per_quantity=7, unit_price="0.01")  # no whole price per hour
    system = read(Program().get("/v4/billing/price-system", zone_id="par", currency="EUR"))
    disk, gpu, mails, seats = system["countable"]

    assert mails["data_unit"] == "message"
    assert mails["data_quantity_for_price"] == {"secability": "insecable", "quantity": 1000, "package_quantity": 500}
    assert [plan["max_quantity"] for plan in mails["price_plans"]] == [1000, None]
    assert (disk["data_unit"], disk["mode"]) == ("B", "volume")
    assert [plan["max_quantity"] for plan in disk["price_plans"]] == [10 * 10**9, None]
    assert seats["time_interval_for_price"] == {"secability": "insecable", "interval": "PT720H"}
    assert [plan["max_quantity"] for plan in seats["price_plans"]] == [101, None]  # users are counted below it
    assert (gpu["data_unit"], gpu["data_quantity_for_price"]["quantity"]) == ("second", 7)
    assert "mode" not in gpu
    assert system["runtime"] == []


def test_the_published_price_system_comes_back_as_it_went_in(published: dict[str, Any], tmp_path: Path) -> None:
    raw = Program().get("/v4/billing/price-system", zone_id="PAR", currency="EUR").content
    found = json.loads(raw, parse_float=Decimal)
    assert (found["zone_id"], found["currency"]) == ("par", "EUR")

    def runtime(system: dict[str, Any]) -> dict[str, Any]:
        return {each["slug_id"]: (each["time_unit"], each["price"]) for each in system["runtime"]}

    def countable(system: dict[str, Any]) -> dict[str, Any]:
        return {
            each["service"]: (
                each["data_unit"],
                each["data_quantity_for_price"],
                each["time_interval_for_price"],
                [(plan["max_quantity"], plan["price"]) for plan in each["price_plans"]],
            )
            for each in system["countable"]
        }

    assert runtime(found) == runtime(published)
    assert countable(found) == countable(published)

    again = tmp_path / "again.json"
    again.write_bytes(raw)
    before = Price.objects.count()
    call_command("import_prices", str(again), stdout=io.StringIO())
    assert Price.objects.count() == before


def test_what_was_negotiated_comes_first(program: Program, atlas: Organization) -> None:
    catalogue = make_metered_price()
    negotiated = Price.objects.create(
        meter=catalogue.meter,
        zone=catalogue.zone,
        currency="EUR",
        organization=atlas,
        per_quantity_micro=catalogue.per_quantity_micro,
    )
    negotiated.tiers.create(position=0, unit_price=Decimal("0.001234567890123"))
    url, zone = f"{BASE}/price-system", catalogue.zone or "par"
    (own,) = read(program.get(url, zone_id=zone))["runtime"]
    (public,) = read(Program().get("/v4/billing/price-system", zone_id=zone))["runtime"]
    per_hour = 3_600 * 10**6 // catalogue.per_quantity_micro
    assert own["price"] == Decimal("0.001234567890123") * per_hour
    assert public["price"] != own["price"]


@pytest.mark.parametrize("query", [{}, {"zone_id": ""}, {"zone_id": "par", "currency": "EURO"}, {"zone": "par"}])
def test_a_zone_is_named(query: dict[str, str]) -> None:
    assert Program().get("/v4/billing/price-system", **query).status_code == 400
