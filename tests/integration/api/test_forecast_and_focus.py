"""The next invoice, and what was invoiced as a dataset, read by programs and in the portal."""

import csv
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.urls import reverse

from billing.models import Event, Invoice
from billing.queries.focus import FocusMismatch
from billing.queries.forecast import load_forecast
from organizations.models import Organization
from tests.builders.api import Program, make_key
from tests.builders.closing import close_and_issue, consume, local, make_metered_price
from tests.builders.customers import make_member, signed_in
from tests.builders.focus import focus_file
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db

NOVEMBER_16 = local("2026-11-16 00:00")


@pytest.fixture(autouse=True)
def middle_of_november() -> Iterator[None]:
    cache.clear()
    with time_machine.travel(NOVEMBER_16, tick=False):
        yield


@pytest.fixture
def atlas() -> Organization:
    """100.00 in October, which is invoiced; 30.00 in the first half of November."""
    make_metered_price()
    atlas = make_organization(external_id="orga_atlas", name="Atlas")
    consume(atlas, quantity=10_000, on="2026-10-03")
    close_and_issue("2026-10")
    consume(atlas, quantity=3_000, on="2026-11-15")
    return atlas


@pytest.fixture
def program() -> Program:
    return Program(make_key("invoices:read"))


def test_the_forecast_is_that_of_the_portal(atlas: Organization, program: Program) -> None:
    found = program.get("/api/forecasts/orga_atlas").json()
    forecast = load_forecast(atlas, at=NOVEMBER_16)
    assert forecast is not None
    assert (found["month"], found["usage_so_far"]) == ("2026-11", "30.00")
    invoice: Any = forecast.invoice
    assert found["invoice"]["total"] == f"{invoice.total_cents / 100:.2f}"
    assert found["invoice"]["statement"]["g"] == "100.00"  # October is not paid
    assert [line["kind"] for line in found["invoice"]["lines"]] == [line.kind for line in invoice.lines]
    assert (found["reason_code"], found["reason"]) == (None, None)


def test_why_there_is_no_invoice_is_said(program: Program) -> None:
    make_metered_price()
    make_organization(external_id="orga_idle")
    found = program.get("/api/forecasts/orga_idle").json()
    assert found["invoice"] is None
    assert found["reason_code"]
    assert "there will be no invoice" in found["reason"]


def test_who_gets_no_invoice_has_no_forecast(atlas: Organization, program: Program) -> None:
    make_organization(external_id="orga_child", parent=atlas)
    assert program.get("/api/forecasts/orga_child").json()["code"] == "no_forecast"
    assert program.get("/api/forecasts/orga_unknown").json()["code"] == "not_found"
    assert program.get("/api/forecasts/%00").status_code == 404
    other = Program(make_key("invoices:read", organization=make_organization(external_id="orga_other")))
    assert other.get("/api/forecasts/orga_atlas").json()["code"] == "not_found"


def test_many_resources_take_no_more_queries(
    atlas: Organization, program: Program, django_assert_max_num_queries: Any
) -> None:
    for _ in range(20):
        consume(atlas, quantity=100, on="2026-11-10")
    with django_assert_max_num_queries(40):
        assert program.get("/api/forecasts/orga_atlas").status_code == 200


def test_the_dataset_is_that_of_the_command(atlas: Organization, program: Program) -> None:
    answer = program.get("/api/focus/2026-10")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.getvalue().decode() == focus_file("2026-10")
    assert program.get("/api/focus/2026-10", organization="orga_atlas").getvalue().decode() == focus_file("2026-10")
    assert len(program.get("/api/focus/2026-09").getvalue().splitlines()) == 1
    event = Event.objects.filter(kind="list.exported").earliest("id")
    assert event.values["format"] == "focus"
    assert event.values["rows"] == len(focus_file("2026-10").splitlines()) - 1
    assert event.values["filters"]["month"] == "2026-10"


def test_a_dataset_of_one_organization(atlas: Organization, program: Program) -> None:
    other = make_organization(external_id="orga_other")
    bound = Program(make_key("invoices:read", organization=other))
    assert len(bound.get("/api/focus/2026-10").getvalue().splitlines()) == 1
    assert bound.get("/api/focus/2026-10", organization="orga_atlas").status_code == 404
    assert program.get("/api/focus/2026-10", organization="orga_unknown").status_code == 404
    for month in ("2026-13", "october", "2026-1"):
        assert program.get(f"/api/focus/{month}").status_code == 404


def test_what_does_not_sum_is_refused(atlas: Organization, program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        yield from ()
        raise FocusMismatch("F1: the rows sum to 1.00, the total is 2.00.")

    monkeypatch.setattr("billing.api.focus.focus_of_month", fail)
    answer = program.get("/api/focus/2026-10")
    assert (answer.status_code, answer.json()["code"]) == (409, "focus_mismatch")

    monkeypatch.setattr("billing.portal.invoice.focus_of_organization", fail)
    client = signed_in(make_member("alice", atlas))
    number = Invoice.objects.get(document_state="issued").number
    page = client.get(reverse("portal:focus_csv", args=["orga_atlas", number]), follow=True).content.decode()
    assert "There is no dataset of this month" in page


def test_a_customer_takes_the_dataset_from_the_invoice(atlas: Organization) -> None:
    client = signed_in(make_member("alice", atlas))
    number = Invoice.objects.get(document_state="issued").number
    url = reverse("portal:focus_csv", args=["orga_atlas", number])
    assert url in client.get(reverse("portal:invoice", args=["orga_atlas", number])).content.decode()
    rows = list(csv.DictReader(StringIO(client.get(url).getvalue().decode())))
    assert {row["InvoiceId"] for row in rows} == {number}
