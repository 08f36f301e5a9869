"""Prices, charges and organizations from a file: a preview first, and the rules of every other import."""

import io
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from openpyxl import Workbook

from billing.models import Charge, Event, Price
from organizations.models import Organization
from tests.builders.desk import desk
from tests.builders.organizations import make_organization
from tests.builders.usage import make_meter

pytestmark = pytest.mark.django_db

CHARGES = ["reference", "organization", "type", "description", "quantity", "unit_price", "date"]
PRICES = ["meter", "zone", "currency", "valid_from", "per_quantity", "mode", "up_to", "unit_price"]


def xlsx(*rows: Sequence[Any], name: str = "rows.xlsx") -> SimpleUploadedFile:
    book, file = Workbook(), io.BytesIO()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    book.save(file)
    return SimpleUploadedFile(name, file.getvalue())


def url(name: str) -> str:
    return reverse(f"admin:{name}_import")


def preview(client: Client, name: str, file: SimpleUploadedFile) -> Any:
    return client.post(url(name), {"file": file})


def refusals(response: Any) -> dict[int, str]:
    return {refusal.number: refusal.reason for refusal in response.context["preview"].refusals}


def confirm(client: Client, name: str, response: Any) -> Any:
    return client.post(url(name), {"confirm": response.context["preview"].token}, follow=True)


def charge(reference: Any = "MIG-7", organization: str = "orga_atlas", price: Any = 800, **values: Any) -> list[Any]:
    row = {
        "reference": reference,
        "organization": organization,
        "type": "one_shot",
        "description": "Database migration",
        "quantity": 1,
        "unit_price": price,
        "date": date(2026, 10, 20),
        **values,
    }
    return list(row.values())


def test_a_preview_writes_nothing_and_a_second_click_does() -> None:
    make_organization(external_id="orga_atlas")
    fiona = desk("Accountant")
    bad = [charge("MIG-8", "orga_nobody"), charge("MIG-9", price="-1"), charge("MIG-10", type="gift")]

    seen = preview(fiona, "billing_charge", xlsx(CHARGES, charge(), *bad))

    assert not Charge.objects.exists()
    assert not Event.objects.exists()
    assert seen.context["preview"].report.accepted == 1
    assert refusals(seen) == {
        3: "Unknown organization: 'orga_nobody'.",
        4: "unit_price: '-1' is not a quantity: write digits and at most six decimals, such as 224674 or 0.25.",
        5: "type: 'gift' is not one of one_shot, custom_service (charges), free, prepaid (credit grants).",
    }
    assert "Unknown organization" in seen.content.decode()

    done = confirm(fiona, "billing_charge", seen)

    assert "rows.xlsx: 1 stored, 0 unchanged, 3 rejected." in done.content.decode()
    stored = Charge.objects.get()
    assert (stored.reference, stored.unit_price_micro, stored.date) == ("MIG-7", 800_000_000, date(2026, 10, 20))
    event = Event.objects.get()
    assert (event.kind, str(event.actor)) == ("list.imported", "Fiona")
    assert event.values == {
        "model": "billing.charge",
        "name": "rows.xlsx",
        "accepted": 1,
        "unchanged": 0,
        "rejected": 3,
    }


def test_a_second_confirmation_changes_nothing() -> None:
    make_organization(external_id="orga_atlas")
    fiona = desk("Accountant")
    seen = preview(fiona, "billing_charge", xlsx(CHARGES, charge()))
    for _ in range(2):
        confirm(fiona, "billing_charge", seen)
    assert Charge.objects.count() == 1


def test_a_forged_an_old_and_a_foreign_preview_are_refused() -> None:
    make_organization(external_id="orga_atlas")
    fiona, max_ = desk("Accountant"), desk("Billing manager")
    seen = preview(fiona, "billing_charge", xlsx(CHARGES, charge()))
    token = seen.context["preview"].token

    foreign = confirm(max_, "billing_charge", seen)
    forged = fiona.post(url("billing_charge"), {"confirm": f"x{token}"}, follow=True)
    other_list = fiona.post(url("organizations_organization"), {"confirm": token}, follow=True)
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=2)):
        late = desk("Accountant").post(url("billing_charge"), {"confirm": token}, follow=True)

    for response in (foreign, forged, other_list, late):
        assert "choose the file again" in response.content.decode()
    assert not Charge.objects.exists()


def test_tiers_of_a_price_stand_in_rows_below_each_other() -> None:
    make_meter(code="cellar.outbound", unit="GB")
    key = ["cellar.outbound", "PAR", "EUR", date(2027, 1, 1), 1, "graduated"]
    rows: list[Any] = [[*key, 10, 0], [*[None] * 6, 1000, "0.09"], [*key, None, 0.07], [*["gpu", *key[1:]], None, 1]]
    clara = desk("Controller")

    seen = preview(clara, "billing_price", xlsx(PRICES, *rows))
    assert refusals(seen) == {5: "Unknown meter: 'gpu'."}
    confirm(clara, "billing_price", seen)

    price = Price.objects.get()
    assert (price.zone, [str(tier) for tier in price.tiers.all()]) == ("par", ["0", "0.09", "0.07"])


def test_a_price_is_refused_as_everywhere_else() -> None:
    make_meter(code="cellar.outbound", unit="GB")
    rows = [["cellar.outbound", None, "EUR", date(2027, 1, 1), 1, "graduated", 10, 1]]
    seen = preview(desk("Controller"), "billing_price", xlsx(PRICES, *rows))
    assert "last tier must be open" in refusals(seen)[2]
    assert "There is nothing to store." in seen.content.decode()


def test_an_empty_cell_ends_the_end_of_a_negotiated_refill_and_a_table_without_the_column_keeps_it() -> None:
    header = ["id", "name", "currency", "opened_on", "negotiated_refill", "negotiated_refill_until"]
    row = ["orga_1", "Atlas", "EUR", date(2026, 1, 15), 10, date(2026, 12, 31)]
    fiona = desk("Accountant")

    def store(columns: int, *rows: Sequence[Any]) -> date | None:
        file = xlsx(header[:columns], *[each[:columns] for each in rows])
        confirm(fiona, "organizations_organization", preview(fiona, "organizations_organization", file))
        return Organization.objects.get().negotiated_refill_until

    assert store(6, row) == date(2026, 12, 31)
    assert store(5, row) == date(2026, 12, 31)
    assert store(6, [*row[:5], None]) is None


def test_organizations_come_with_their_billing_profile() -> None:
    header: list[Any] = [
        "ID",
        "Name",
        "Currency",
        "Opened on",
        "payment_term_days",
        "billing.company",
        "billing.country",
    ]
    rows: list[Any] = [
        ["orga_1", "Atlas", "EUR", date(2026, 1, 15), 45, "Atlas SAS", "FR"],
        ["orga_2", "B", "EUR", "2026", "x"],
    ]
    fiona = desk("Accountant")
    seen = preview(fiona, "organizations_organization", xlsx(header, *rows))
    assert refusals(seen)[3].startswith(("payment_term_days", "opened_on"))
    confirm(fiona, "organizations_organization", seen)
    organization = Organization.objects.get()
    assert (organization.payment_term_days, organization.billing_profile.company) == (45, "Atlas SAS")


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (xlsx([*CHARGES, "colour"], charge()), "There is no column colour."),
        (xlsx(CHARGES[1:], charge()[1:]), "Columns are missing: reference."),
        (xlsx([*CHARGES, "date"], charge()), "The column date is there twice."),
        (xlsx(CHARGES), "a header and no row below it"),
        (SimpleUploadedFile("a.xlsx", b"PK\x03\x04"), "The file is broken"),
        (SimpleUploadedFile("a.csv", b""), "empty"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused_beside_the_field(file: SimpleUploadedFile, reason: str) -> None:
    file.seek(0)
    response = preview(desk("Accountant"), "billing_charge", file)
    assert response.status_code == 200
    assert response.context["preview"] is None
    assert reason in response.content.decode()


def test_cells_that_hold_no_value_are_refused_with_their_place() -> None:
    make_organization(external_id="orga_atlas")
    seen = preview(desk("Accountant"), "billing_charge", xlsx(CHARGES, charge(price="=400*2"), [*charge("B"), "more"]))
    assert refusals(seen) == {
        2: "Cell F2 is a formula without a result: save the file with its values.",
        3: "more stands in a column without a name.",
    }


@pytest.mark.parametrize(
    ("name", "may"),
    [
        ("billing_price", {"Controller"}),
        ("billing_charge", {"Accountant", "Billing manager"}),
        ("organizations_organization", {"Accountant", "Billing manager"}),
    ],
)
def test_who_may_add_rows_may_import_them(name: str, may: set[str]) -> None:
    for role in ("Viewer", "Accountant", "Billing manager", "Controller", "Auditor"):
        client = desk(role)
        expected = 200 if role in may else 403
        assert client.get(url(name)).status_code == expected
        assert client.get(f"{url(name)}template/").status_code == expected
        assert client.post(url(name), {"confirm": "x"}, follow=True).status_code == expected
        offered = "Import from a file" in client.get(reverse(f"admin:{name}_changelist")).content.decode()
        assert offered is (role in may)


@pytest.mark.parametrize("name", ["billing_price", "billing_charge", "organizations_organization"])
def test_the_empty_table_has_the_columns_that_an_import_takes(name: str) -> None:
    client = desk("Controller" if name == "billing_price" else "Accountant")
    response: Any = client.get(f"{url(name)}template/")
    template = b"".join(response.streaming_content)
    seen = preview(client, name, SimpleUploadedFile("t.xlsx", template))
    report = seen.context["preview"].report
    assert report.accepted + len(report.refusals) == 1
