"""Invoices as FOCUS datasets: each sums to its total, and every row says what the format asks for."""

from datetime import date
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override
from msgspec import structs

from billing.models import Invoice
from billing.queries.documents import load_document
from billing.queries.focus import FocusMismatch, FocusRow, focus_of_organization
from billing.queries.focus.dataset import check_sum
from billing.queries.focus.rows import document_rows
from billing.usecases._changes import AddedLine, Discount
from organizations.models import Organization
from tests.builders.adjusting import adjust
from tests.builders.closing import (
    close,
    close_and_issue,
    consume,
    invoice_of,
    issue,
    local,
    make_add_on,
    make_charge,
    make_metered_price,
    make_plan,
    month,
    pay,
)
from tests.builders.credits import make_grant
from tests.builders.focus import Row, billed_by_document, export_focus, totals_of
from tests.builders.money import credit
from tests.builders.organizations import make_billing_profile, make_organization

pytestmark = pytest.mark.django_db


def by_kind(rows: list[Row]) -> dict[str, Row]:
    return {row["x_ChargeKind"]: row for row in rows}


def costs(row: Row) -> tuple[str, str]:
    return row["BilledCost"], row["EffectiveCost"]


@pytest.fixture
def atlas() -> Organization:
    """10.00 of free and 50.00 of prepaid credits, 100.00 consumed, an add-on, a charge, 20 % VAT."""
    make_metered_price(unit_price="0.01")
    organization = make_organization(external_id="orga_atlas", name="Atlas")
    make_grant(organization=organization, type="free", amount_cents=10_00)
    make_grant(organization=organization, type="prepaid", amount_cents=50_00)
    make_add_on(organization=organization, plan=make_plan(code="support"))
    make_charge(organization=organization, description="Migration")
    consume(organization, quantity=10_000, on="2026-10-05")
    return organization


def test_the_second_way_of_reading_an_invoice(atlas: Organization) -> None:
    close_and_issue("2026-10")

    rows = by_kind(export_focus())

    # 100.00 consumed - 10.00 - 50.00 = 40.00 of regularization; h = 100.00 to refill
    assert costs(rows["usage"]) == ("100.00", "100.00")
    assert costs(rows["free_credits"]) == ("-10.00", "-10.00")
    assert costs(rows["prepaid_credits"]) == ("-50.00", "0.00")
    assert costs(rows["provision"]) == ("100.00", "0.00")
    assert "regularization" not in rows
    assert {kind: row["ChargeCategory"] for kind, row in rows.items()} == {
        "usage": "Usage",
        "free_credits": "Credit",
        "prepaid_credits": "Credit",
        "provision": "Purchase",
        "add_on": "Purchase",
        "one_shot": "Purchase",
        "vat": "Tax",
    }
    document = load_document(invoice_of(atlas, "2026-10").pk)
    assert billed_by_document(list(rows.values())) == {document.number: Decimal(document.total_cents).scaleb(-2)}


def test_vat_of_the_effective_cost_leaves_out_what_is_bought_for_later(atlas: Organization) -> None:
    close_and_issue("2026-10")

    rows = export_focus()

    tax = by_kind(rows)["vat"]
    before_tax = sum((Decimal(row["EffectiveCost"]) for row in rows if row is not tax), Decimal(0))
    assert Decimal(tax["EffectiveCost"]) == (before_tax / 5).quantize(Decimal("0.01"))
    assert Decimal(tax["BilledCost"]) == Decimal(invoice_of(atlas, "2026-10").vat_cents).scaleb(-2)


def test_periods_are_half_open_and_utc(atlas: Organization) -> None:
    close_and_issue("2026-10")

    rows = by_kind(export_focus())

    for row in rows.values():  # October in Paris
        assert (row["BillingPeriodStart"], row["BillingPeriodEnd"]) == ("2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z")
    provision = rows["provision"]
    assert provision["ChargePeriodStart"] == "2026-10-31T23:00:00Z"
    assert provision["ChargePeriodEnd"] == "2026-11-30T23:00:00Z"


def test_a_row_per_tier_with_price_times_quantity_as_cost() -> None:
    make_metered_price(per_quantity=3_600, tiers=[(7_200, "1.00"), (None, "0.00229166666666667")])
    organization = make_organization()
    consume(organization, quantity=10_000, on="2026-10-05")
    close_and_issue("2026-10")

    first, second = [row for row in export_focus() if row["ChargeCategory"] == "Usage"]

    assert (first["ConsumedQuantity"], first["ConsumedUnit"]) == ("7200", "Seconds")
    assert (first["PricingQuantity"], first["PricingUnit"], first["ListUnitPrice"]) == ("2", "Hours", "1")
    assert (first["ListCost"], first["BilledCost"]) == ("2", "2.00")
    # 2,800 s / 3,600 s x 0.00229166666666667 = 0.00178240...
    assert (second["ConsumedQuantity"], second["PricingQuantity"]) == ("2800", "0.777777777778")
    assert (second["ListCost"], second["BilledCost"]) == ("0.001782407407", "0.00")
    assert first["SkuId"] == second["SkuId"]
    assert first["SkuPriceId"] != second["SkuPriceId"]


@pytest.mark.parametrize(
    ("quantity", "options", "parts"),
    [
        (101, {"package": 100, "tiers": [(100, "0.00"), (None, "0.08")]},
         [("100", "100", "0.00"), ("1", "100", "8.00")]),
        (150, {"mode": "volume", "tiers": [(100, "0.02"), (None, "0.01")]}, [("150", "150", "1.50")]),
        (3, {"tiers": [(1, "0.005"), (2, "0.005"), (None, "0.005")]},
         [("1", "1", "0.01"), ("1", "1", "0.00"), ("1", "1", "0.01")]),  # 0.015 is 0.02
    ],
    ids=["packages", "volume", "half cents"],
)  # fmt: skip
def test_the_parts_of_a_line_sum_to_it(quantity: int, options: Any, parts: list[tuple[str, ...]]) -> None:
    make_metered_price(**options)
    organization = make_organization()
    consume(organization, quantity=quantity, on="2026-10-05")
    close_and_issue("2026-10")

    rows = [row for row in export_focus() if row["ChargeCategory"] == "Usage"]

    assert [(row["ConsumedQuantity"], row["PricingQuantity"], row["BilledCost"]) for row in rows] == parts
    assert all(
        Decimal(row["ListUnitPrice"]) * Decimal(row["PricingQuantity"]) == Decimal(row["ListCost"]) for row in rows
    )


def test_sub_organizations_are_sub_accounts() -> None:
    make_metered_price(unit_price="0.01")
    parent = make_organization(external_id="orga_atlas", name="Atlas")
    child = make_organization(external_id="orga_labs", name="Atlas Labs", parent=parent)
    make_add_on(organization=child, plan=make_plan(code="support"))
    consume(parent, quantity=2_000, on="2026-10-05")
    consume(child, quantity=1_000, on="2026-10-06")
    close_and_issue("2026-10")

    rows = export_focus()

    assert {row["BillingAccountId"] for row in rows} == {"orga_atlas"}
    accounts = {(row["x_ChargeKind"], row["SubAccountId"], row["SubAccountName"]) for row in rows}
    assert {("usage", "", ""), ("usage", "orga_labs", "Atlas Labs"), ("add_on", "orga_labs", "Atlas Labs")} <= accounts
    assert by_kind(rows)["add_on"]["SkuId"] == "support"
    with pytest.raises(CommandError, match="billed on the invoice of orga_atlas"):
        export_focus("2026-10", "--organization", "orga_labs")


def test_late_usage_corrects_its_month() -> None:
    make_metered_price(unit_price="0.01")
    organization = make_organization()
    consume(organization, quantity=1_000, on="2026-09-05")
    close_and_issue("2026-09")
    consume(organization, quantity=500, on="2026-09-06", at=local("2026-10-10"))
    consume(organization, quantity=1_000, on="2026-10-05")
    close_and_issue("2026-10")

    late, own = [row for row in export_focus() if row["ChargeCategory"] == "Usage"]

    assert (late["ChargeClass"], late["ChargePeriodStart"]) == ("Correction", "2026-08-31T22:00:00Z")
    assert (late["BilledCost"], late["ConsumedQuantity"], late["ListUnitPrice"]) == ("5.00", "500", "")
    assert (own["ChargeClass"], own["BilledCost"]) == ("", "10.00")
    assert billed_by_document(export_focus()) == totals_of("2026-10")


def test_a_discount_on_consumption_and_adjustments() -> None:
    make_metered_price(unit_price="0.01")
    organization = make_organization(consumption_discount_ppm=50_000)
    consume(organization, quantity=10_000, on="2026-10-05")
    close("2026-10")
    adjust(organization, AddedLine(name="Training", quantity_micro=2_000_000, unit_price_micro=30_000_000))
    adjust(organization, Discount(name="Gesture", amount_cents=7_00))
    issue("2026-10")

    rows = by_kind(export_focus())

    assert costs(rows["usage_discount"]) == ("-5.00", "-5.00")
    assert costs(rows["adjustment"]) == ("60.00", "60.00")
    assert costs(rows["discount"]) == ("-7.00", "-7.00")
    assert {rows[kind]["ChargeCategory"] for kind in ("usage_discount", "adjustment", "discount")} == {"Adjustment"}
    assert billed_by_document(list(rows.values())) == totals_of("2026-10")


def test_a_credit_note_takes_back_and_names_its_invoice(atlas: Organization) -> None:
    close_and_issue("2026-10")
    invoice = invoice_of(atlas, "2026-10")
    credit(invoice, {"provision": 30_00, "regularization": 12_34}, at=local("2026-11-20 10:00"))

    rows = export_focus()

    note = by_kind([row for row in rows if row["x_CorrectedInvoiceId"]])
    assert {row["x_CorrectedInvoiceId"] for row in note.values()} == {invoice.number}
    assert {row["ChargeClass"] for row in note.values()} == {"Correction"}
    assert costs(note["provision"]) == ("-30.00", "0.00")
    assert costs(note["regularization"]) == ("-12.34", "-12.34")
    assert costs(note["vat"]) == ("-8.47", "-2.47")  # 42.34 and 12.34 at 20 %
    assert billed_by_document(rows) == totals_of("2026-10")
    assert len(totals_of("2026-10")) == 2


def test_reverse_charge_has_a_tax_row_of_nothing() -> None:
    make_metered_price(unit_price="0.01")
    organization = make_organization(with_profile=False)
    make_billing_profile(organization=organization, country="DE", vat_number="DE136695976")
    consume(organization, quantity=10_000, on="2026-10-05")
    close_and_issue("2026-10")

    tax = by_kind(export_focus())["vat"]

    assert (tax["BilledCost"], tax["ChargeDescription"]) == ("0.00", "VAT 0 %, category AE")


def test_only_issued_documents_of_the_month_and_organization(atlas: Organization) -> None:
    other = make_organization(external_id="orga_other")
    consume(other, quantity=100, on="2026-10-05")
    close("2026-10")
    assert export_focus() == []
    issue("2026-10")

    assert {row["BillingAccountId"] for row in export_focus()} == {"orga_atlas", "orga_other"}
    only = export_focus("2026-10", "--organization", "orga_other")
    assert {row["BillingAccountId"] for row in only} == {"orga_other"}
    assert export_focus("2026-09") == []


def test_always_in_english(atlas: Organization) -> None:
    close_and_issue("2026-10")
    with override("fr"):
        rows = by_kind(export_focus())

    assert rows["provision"]["ChargeDescription"] == "Credits provision, November 2026"


def test_names_are_written_as_they_are() -> None:
    make_metered_price(unit_price="0.01")
    organization = make_organization(name='=Œuvre, "Réunie"\nSARL')
    consume(organization, quantity=10_000, on="2026-10-05")
    close_and_issue("2026-10")

    assert {row["BillingAccountName"] for row in export_focus()} == {organization.name}


def test_refuses_what_does_not_sum_to_the_total_and_writes_nothing(atlas: Organization) -> None:
    close_and_issue("2026-10")
    document = load_document(invoice_of(atlas, "2026-10").pk)
    rows = list(document_rows(document, {}))
    wrong = structs.replace(rows[0], billed_cost_cents=rows[0].billed_cost_cents + 1)

    with pytest.raises(FocusMismatch) as refusal:
        check_sum(document, [wrong, *rows[1:]])

    total = Decimal(document.total_cents).scaleb(-2)
    assert f"{document.number} sum to {total + Decimal('0.01')} EUR, but its total is {total} EUR" in str(refusal.value)


def test_the_command_writes_all_or_nothing(atlas: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    consume(make_organization(external_id="orga_z"), quantity=100, on="2026-10-05")
    close_and_issue("2026-10")

    def without_tax(document: Any, sources: Any) -> list[FocusRow]:
        rows = list(document_rows(document, sources))
        return rows if document.buyer.organization == "orga_atlas" else rows[:-1]

    monkeypatch.setattr("billing.queries.focus.dataset.document_rows", without_tax)
    out = StringIO()
    with pytest.raises(CommandError, match="there is no dataset"):
        call_command("export_focus", "2026-10", stdout=out)

    assert out.getvalue() == ""


def test_a_dataset_costs_as_many_queries_however_many_documents() -> None:
    make_metered_price(unit_price="0.01")
    for index in range(6):
        consume(make_organization(name=f"Customer {index}"), quantity=1_000 + index, on="2026-10-05")
    close_and_issue("2026-10")
    organization_id = Invoice.objects.values_list("organization", flat=True)[0]

    with CaptureQueriesContext(connection) as one:
        assert focus_of_organization(organization_id, month("2026-10"))
    with CaptureQueriesContext(connection) as all_of_them:
        assert len(billed_by_document(export_focus())) == 6

    assert len(all_of_them) <= len(one) + 2  # the snapshot


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [(["2026-13"], "not a month"), (["2026-10", "--organization", "nobody"], "There is no organization nobody")],
)
def test_what_cannot_be_exported(arguments: list[str], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        export_focus(*arguments)


def test_paid_months_in_a_row_sum_to_the_same_effectively() -> None:
    """Prepaid credits move the cost from the month of the purchase to that of the usage, and lose none of it."""
    make_metered_price(unit_price="0.01")
    organization = make_organization(forecast_months=1)
    for text, quantity in (("2026-08", 10_000), ("2026-09", 7_000), ("2026-10", 9_000)):
        consume(organization, quantity=quantity, on=f"{text}-05")
        close_and_issue(text)
        pay(invoice_of(organization, text))

    rows = [row for text in ("2026-08", "2026-09", "2026-10") for row in export_focus(text)]

    consumed = sum(Decimal(row["EffectiveCost"]) for row in rows if row["ChargeCategory"] != "Tax")
    assert consumed == Decimal("260.00")
    assert date(2026, 10, 1) in Invoice.objects.values_list("consumption_month", flat=True)
