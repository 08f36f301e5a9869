"""Reading invoices, credits and month closes."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import call_command
from msgspec import json

from billing.models import CloseOutcome, Invoice
from organizations.models import Organization
from tests.builders.api import NOW, Program, make_key
from tests.builders.platform import make_platform

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_quota_used() -> None:
    cache.clear()


@pytest.fixture
def atlas() -> Organization:
    return make_platform()


def items(program: Program, url: str, **query: str) -> list[Any]:
    answer = program.get(url, **query)
    assert answer.status_code == 200, answer.json()
    found: list[Any] = answer.json()["items"]
    return found


def test_invoices_are_those_of_export_invoices(atlas: Organization) -> None:
    out = StringIO()
    call_command("export_invoices", "2026-10", stdout=out)
    exported = [json.decode(line) for line in out.getvalue().splitlines()]
    program = Program(make_key("invoices:read"))
    by_key = sorted(exported, key=str)
    assert sorted(items(program, "/api/invoices", month="2026-10"), key=str) == by_key
    for document in exported:
        if document["number"]:
            assert program.get(f"/api/invoices/{document['number']}").json() == document
    assert program.get("/api/invoices/F1").status_code == program.get("/api/invoices/%00").status_code == 404


def test_invoices_are_filtered(atlas: Organization) -> None:
    program = Program(make_key("invoices:read"))
    everything = items(program, "/api/invoices")
    assert len(everything) == Invoice.objects.count()
    for name, field in (("month", "consumption_month"), ("organization", "organization"), ("state", "status")):
        for value in {document[field] for document in everything}:
            found = items(program, "/api/invoices", **{name: value})
            assert found == [document for document in everything if document[field] == value]
    latest = max(moment for row in Invoice.objects.all() for moment in (row.computed_at, row.issued_at) if moment)
    assert items(program, "/api/invoices", changed_since=latest.isoformat())
    assert items(program, "/api/invoices", changed_since="0954-04-24T06:03:22+20:05") == everything
    assert not items(program, "/api/invoices", changed_since=(latest + timedelta(days=1)).isoformat())
    for wrong in (
        {"month": "2026-13"},
        {"month": "202610"},
        {"state": "late"},
        {"changed_since": "2026-10-01"},
        {"changed_since": "2026-13-01T00:00:00Z"},
        {"changed_since": "0001-01-01T00:00:00+20:00"},
        {"limit": "101"},
    ):
        assert program.get("/api/invoices", **wrong).json()["code"] == "invalid_parameter"


def test_a_key_of_an_organization_reads_only_its_own(atlas: Organization) -> None:
    program = Program(make_key(organization=atlas))
    assert {each["organization"] for each in items(program, "/api/invoices")} == {"orga_atlas"}
    assert not items(program, "/api/invoices", organization="orga_berlin")
    other = Invoice.objects.exclude(organization=atlas).exclude(number=None).first()
    assert other is not None
    assert program.get(f"/api/invoices/{other.number}").status_code == 404
    assert {each["organization"] for each in items(program, "/api/credit-entries")} == {"orga_atlas"}
    assert not items(program, "/api/credit-entries", organization="orga_berlin")
    assert program.get("/api/credit-balances/orga_berlin").status_code == 404
    assert program.get("/api/month-closes").json()["code"] == "missing_scope"


def test_the_balance_is_the_sum_of_the_entries(atlas: Organization) -> None:
    program = Program(make_key("credits:read"))
    balance = program.get("/api/credit-balances/orga_atlas").json()
    assert balance.keys() == {"organization", "currency", "free", "prepaid", "total", "pending"}
    entries = items(program, "/api/credit-entries", organization="orga_atlas")
    cents = sum(round(float(entry["amount"]) * 100) for entry in entries)
    assert round(float(balance["total"]) * 100) == cents
    assert {entry["kind"] for entry in entries} >= {"grant", "use"}


def test_month_closes_and_their_outcomes(atlas: Organization) -> None:
    values = {"meter": "apps.S", "zone": "par", "currency": "EUR", "day": "2026-10-01"}
    CloseOutcome.objects.filter(kind="blocked").update(reason_values=values)
    program = Program(make_key("closes:read"))
    closes = items(program, "/api/month-closes")
    assert "2026-10" in [close["month"] for close in closes]
    report = program.get("/api/month-closes/2026-10").json()
    outcomes = items(program, "/api/month-closes/2026-10/outcomes")
    for kind, count in (("invoice", "invoices"), ("nil", "nil"), ("blocked", "blocked")):
        found = items(program, "/api/month-closes/2026-10/outcomes", outcome=kind)
        assert len(found) == report[count] == len([each for each in outcomes if each["outcome"] == kind])
    [blocked] = [each for each in outcomes if each["outcome"] == "blocked"]
    assert blocked["organization"] == "orga_blocked"
    assert blocked["reason_code"] == "no_price"
    assert blocked["reason"].endswith(".")
    [one] = items(program, "/api/month-closes/2026-10/outcomes", organization="orga_atlas_lab")
    assert (one["outcome"], one["payer"]) == ("on_parent", "orga_atlas")
    for month in ("2030-01", "2026-13", "october", "%00"):
        assert program.get(f"/api/month-closes/{month}").status_code == 404
        assert program.get(f"/api/month-closes/{month}/outcomes").status_code == 404
    assert program.get("/api/month-closes/2026-10/outcomes", outcome="late").status_code == 400


def test_nothing_is_kept_by_caches(atlas: Organization) -> None:
    answer = Program(make_key("invoices:read", at=NOW)).get("/api/invoices")
    assert answer["Cache-Control"] == "no-store"
    assert "Authorization" in answer["Vary"]
