"""Every list as a file: what is filtered, as values, for those who see it, and written down."""

import csv
import io
from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from billing.models import Charge, Event
from organizations.admin._exports import MOST_ROWS
from organizations.models import User
from tests.builders.desk import desk
from tests.builders.invoices import make_invoice
from tests.builders.organizations import make_organization
from tests.integration.admin.test_lists import LISTS, NOT_FOR_VIEWERS, count_queries, fill

pytestmark = pytest.mark.django_db


@pytest.fixture
def root() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.com"))
    return client


def url(name: str, kind: str = "csv") -> str:
    return reverse(f"admin:{name}_export", args=[kind])


def content(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def table(response: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content(response).decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("name", LISTS)
def test_every_list_can_be_taken_in_the_same_number_of_queries(root: Client, name: str) -> None:
    fill(0)
    root.get(url(name))
    few = count_queries(lambda: content(root.get(url(name))))
    for serial in range(1, 4):
        fill(serial)
    assert count_queries(lambda: content(root.get(url(name)))) == few
    book = load_workbook(io.BytesIO(content(root.get(url(name, "xlsx")))))
    assert book.active is not None
    assert book.active.max_row == len(table(root.get(url(name)))) + 1


@pytest.mark.parametrize("name", sorted(NOT_FOR_VIEWERS))
def test_who_does_not_see_a_list_does_not_take_it(name: str) -> None:
    assert desk("Viewer").get(url(name)).status_code == 403
    assert Client().get(url(name)).status_code == 302
    assert not Event.objects.exists()


def test_amounts_are_decimals_with_a_currency_beside_them() -> None:
    organization = make_organization(name="Atlas", external_id="orga_1")
    make_invoice(organization=organization, fees_cents=123_456, refill_cents=0)  # and 20 % VAT: 1,481.47
    (row,) = table(desk("Viewer").get(url("billing_invoice")))
    assert (row["Total"], row["Currency"], row["Month"]) == ("1481.47", "EUR", "2026-10")
    assert (row["Organization"], row["Organization (identifier)"]) == ("Atlas", "orga_1")

    book = load_workbook(io.BytesIO(content(desk("Viewer").get(url("billing_invoice", "xlsx")))))
    assert book.active is not None
    header, values = (list(cells) for cells in book.active.iter_rows())
    total = values[[cell.value for cell in header].index("Total")]
    assert (total.value, total.data_type, total.number_format) == (1481.47, "n", "#,##0.00")


def test_what_is_filtered_and_searched_is_taken_and_written_down() -> None:
    for name in ("Atlas", "Borealis"):
        make_invoice(organization=make_organization(name=name), status="pending")
    make_invoice(organization=make_organization(name="Atlas Labs"))

    rows = table(desk("Viewer").get(url("billing_invoice"), {"status": "pending", "q": "atlas"}))

    assert [row["Organization"] for row in rows] == ["Atlas"]
    event = Event.objects.get()
    assert event.kind == "list.exported"
    assert str(event.actor) == "Vera"
    assert event.values == {
        "model": "billing.invoice",
        "filters": {"status": "pending", "q": "atlas"},
        "rows": 1,
        "format": "csv",
    }


def test_a_description_is_never_a_formula() -> None:
    organization = make_organization(name='=HYPERLINK("https://example.org")')
    Charge.objects.create(
        reference="-7",
        organization=organization,
        type="one_shot",
        description="@SUM(A1:A9)",
        quantity_micro=1_000_000,
        unit_price_micro=800_000_000,
        date=date(2026, 10, 20),
    )
    (row,) = table(desk("Viewer").get(url("billing_charge")))
    assert row["Reference"] == "'-7"
    assert row["Description"] == "'@SUM(A1:A9)"
    assert row["Organization"] == '\'=HYPERLINK("https://example.org")'
    assert row["Net amount"] == "800.00"
    book = load_workbook(io.BytesIO(content(desk("Viewer").get(url("billing_charge", "xlsx")))))
    assert book.active is not None
    assert not [cell for cells in book.active.iter_rows() for cell in cells if cell.data_type == "f"]


def test_too_long_a_list_is_refused_with_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MOST_ROWS, "csv", 1)
    for name in ("Atlas", "Borealis"):
        make_invoice(organization=make_organization(name=name))
    response = desk("Viewer").get(url("billing_invoice"), {"status": "draft"}, follow=True)
    assert response.redirect_chain == [(f"{reverse('admin:billing_invoice_changelist')}?status=draft", 302)]
    assert ".xlsx holds at most 20,000, .csv 1." in response.content.decode()
    assert not Event.objects.exists()


def test_a_forged_filter_or_kind_is_no_error() -> None:
    vera = desk("Viewer")
    assert vera.get(url("billing_invoice"), {"total_cents__nonsense": "1"}).status_code == 302
    assert vera.get(url("billing_invoice", "exe")).status_code == 404


def test_the_list_offers_its_files_with_its_filters() -> None:
    page = desk("Viewer").get(reverse("admin:billing_invoice_changelist"), {"status": "draft", "p": "2"})
    text = desk("Viewer").get(reverse("admin:billing_invoice_changelist"), {"status": "draft"}).content.decode()
    assert page.status_code in {200, 302}
    assert f"{url('billing_invoice', 'xlsx')}?status=draft" in text
    assert "Import from a file" not in text
