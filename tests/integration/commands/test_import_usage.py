"""Another provider's dataset as consumption: exact, once, and refused with a reason rather than guessed."""

import csv
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db.models import Sum

from billing.models import Meter, Price, Resource, UsageRecord, VendorCharge
from organizations.models import Organization
from tests.builders.closing import broken_promises, close_and_issue, invoice_of, make_metered_price
from tests.builders.focus import billed_by_document, export_focus, totals_of
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db

SAMPLE = Path(__file__).parents[4] / "shared" / "data" / "focus_sample.csv"

ROW = {
    "BilledCost": "0.40",
    "BillingAccountId": "1234567890123",
    "BillingCurrency": "EUR",
    "ChargeCategory": "Usage",
    "ChargeDescription": "$0.40 per million requests",
    "ChargePeriodEnd": "2026-10-05T11:00:00Z",
    "ChargePeriodStart": "2026-10-05T10:00:00Z",
    "CommitmentDiscountId": "NULL",
    "CommitmentDiscountStatus": "NULL",
    "ListCost": "0.40",
    "ListUnitPrice": "0.0000004",
    "ProviderName": "AWS",
    "ResourceId": "NULL",
    "ServiceName": "Simple Queue Service",
    "SkuId": "G95F",
    "SubAccountId": "NULL",
    "Tags": "NULL",
}


@pytest.fixture(autouse=True)
def november() -> Iterator[None]:
    with time_machine.travel("2026-11-02T08:00:00+00:00", tick=False):
        yield


@pytest.fixture
def atlas() -> Organization:
    return make_organization(external_id="1234567890123", forecast_months=0)


@pytest.fixture
def load(tmp_path: Path) -> Any:
    """Import rows that differ from `ROW` in some columns; returns what the command prints and its exit status."""

    def run(*changes: dict[str, str], options: Sequence[str] = ()) -> tuple[str, int]:
        file = tmp_path / "vendor.csv"
        with file.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, list(dict.fromkeys([*ROW, *(name for each in changes for name in each)])))
            writer.writeheader()
            writer.writerows({**ROW, **each} for each in changes)
        return run_import(file, *options)

    return run


def run_import(file: Path | str, *options: str) -> tuple[str, int]:
    out = StringIO()
    try:
        call_command("import_usage", "--format", "focus", str(file), *options, stdout=out)
    except SystemExit as stop:
        return out.getvalue(), int(stop.code or 0)
    return out.getvalue(), 0


def billed() -> Decimal:
    """The sum of all usage, in currency units."""
    micro = UsageRecord.objects.aggregate(micro=Sum("quantity_micro"))["micro"] or 0
    return Decimal(micro).scaleb(-12)


def test_a_row_becomes_usage_and_is_billed_at_its_list_price(atlas: Organization, load: Any) -> None:
    printed, status = load(
        {"ListCost": "12.3456789", "BilledCost": "9.99"}, {"ListCost": "1.00", "ServiceName": "Object Storage"}
    )

    assert (printed, status) == ("accepted: 2, unchanged: 0, rejected: 0\n", 0)
    close_and_issue("2026-10")
    details = invoice_of(atlas, "2026-10").usage_details.order_by("resource_name")
    assert [(row.resource_name, row.meter.name, row.amount_cents) for row in details if row.meter] == [
        ("Object Storage (AWS)", "AWS, at list price", 100),
        ("Simple Queue Service (AWS)", "AWS, at list price", 1235),
    ]
    assert broken_promises() == []
    assert billed_by_document(export_focus()) == totals_of("2026-10")


def test_costs_are_exact_and_rounded_once_per_line(atlas: Organization, load: Any) -> None:
    rows = [{"ListCost": "0.00000080000", "BilledCost": "0", "ResourceId": f"arn:{n}"} for n in range(50)]
    load(*rows, {"ListCost": "0.004960000001", "BilledCost": "0"})

    assert billed() == Decimal("0.005000000001")  # 50 x 0.0000008 + 0.004960000001, a cent
    close_and_issue("2026-10")
    assert [row.amount_cents for row in invoice_of(atlas, "2026-10").usage_details.all()] == [1]


def test_the_same_file_changes_nothing_nor_does_a_longer_one(atlas: Organization, load: Any) -> None:
    first, second = {"ResourceId": "i-1"}, {"ResourceId": "i-2"}
    load(first)
    assert load(first)[0] == "accepted: 0, unchanged: 1, rejected: 0\n"
    assert load(second, first, first)[0] == "accepted: 1, unchanged: 2, rejected: 0\n"

    assert billed() == Decimal("0.80")
    assert VendorCharge.objects.count() == UsageRecord.objects.count() == 2


def test_a_row_with_another_cost_is_never_billed_twice(atlas: Organization, load: Any) -> None:
    load({})

    printed, status = load({"ListCost": "0.50"}, {"Tags": '{"env": "prod"}'})

    assert "line 2: different_content: A row that differs from this one in nothing but figures" in printed
    assert (printed.splitlines()[-1], status) == ("accepted: 0, unchanged: 1, rejected: 1", 1)
    assert billed() == Decimal("0.40")


def test_list_prices_are_kept_with_all_their_digits(atlas: Organization, load: Any) -> None:
    load({"ListUnitPrice": "0.00000040000000000001", "Tags": '{"env": "prod"}'})

    charge = VendorCharge.objects.get()
    assert (charge.list_unit_price, charge.list_cost) == ("0.00000040000000000001", "0.40")
    assert charge.row["Tags"] == '{"env": "prod"}'
    assert "ResourceId" not in charge.row  # NULL
    record = UsageRecord.objects.get()
    assert (record.source, record.event_id) == (charge.source, charge.event_id)


def test_sub_accounts_are_sub_organizations(atlas: Organization, load: Any) -> None:
    child = make_organization(external_id="51738928782", parent=atlas)
    make_organization(external_id="other")

    printed, _ = load({"SubAccountId": "51738928782"}, {"SubAccountId": "other"}, {"SubAccountId": "nobody"})

    assert UsageRecord.objects.get().organization == child
    assert "line 3: other_organization: 'other' is no sub-organization of '1234567890123'." in printed
    assert "line 4: unknown_organization: SubAccountId: there is no organization 'nobody'." in printed


def test_a_map_names_whose_an_account_is(atlas: Organization, load: Any, tmp_path: Path) -> None:
    accounts = tmp_path / "accounts.csv"
    accounts.write_text("/providers/8611537,1234567890123\n\n", encoding="utf-8")

    printed, _ = load({"BillingAccountId": "/providers/8611537"}, options=["--map", str(accounts)])

    assert printed == "accepted: 1, unchanged: 0, rejected: 0\n"
    assert UsageRecord.objects.get().organization == atlas


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"BillingAccountId": "nobody"}, "unknown_organization"),
        ({"BillingAccountId": ""}, "missing_value"),
        ({"ServiceName": "NULL"}, "missing_value"),
        ({"ListCost": "NULL"}, "missing_value"),
        ({"ListCost": "0,40"}, "invalid_number"),
        ({"ListCost": "NaN"}, "invalid_number"),
        ({"ListCost": "0.40 USD"}, "invalid_number"),
        ({"ListCost": "9" * 31}, "invalid_number"),
        ({"ListCost": "0.40000000000000000001"}, "too_precise"),
        ({"ListCost": "1000000.01"}, "too_large"),
        ({"ListCost": "1e99"}, "too_large"),
        ({"ListCost": "-2.61", "BilledCost": "-2.61"}, "negative_cost"),
        ({"ListCost": "0.00", "BilledCost": "0.192", "ChargeCategory": "Adjustment"}, "billed_above_list"),
        ({"ChargeCategory": "Credit"}, "credit"),
        ({"ChargeCategory": "Tax"}, "tax"),
        ({"ChargeClass": "Correction"}, "correction"),
        ({"ProviderName": " AWS"}, "invalid_text"),
        ({"ProviderName": "A\u202eWS"}, "invalid_text"),
        ({"ChargePeriodStart": "2026-W40-1"}, "invalid_time"),
        ({"ChargeCategory": "usage"}, "unknown_category"),
        ({"ChargeCategory": "Purchase", "CommitmentDiscountId": "arn:plan"}, "commitment"),
        ({"CommitmentDiscountId": "arn:plan", "CommitmentDiscountStatus": "Unused"}, "commitment"),
        ({"BillingCurrency": "USD"}, "other_currency"),
        ({"ChargePeriodStart": "yesterday"}, "invalid_time"),
        ({"ChargePeriodStart": "2026-10-06T00:00:00Z"}, "invalid_time"),
        ({"ChargePeriodStart": "0001-01-01T00:00:00+14:00"}, "invalid_time"),
        ({"ChargePeriodEnd": "2026-12-01T00:00:00Z"}, "in_the_future"),
        ({"ServiceName": "x" * 251}, "invalid_text"),
        ({"ServiceName": "half \0"}, "unreadable"),
    ],
)
def test_what_is_not_taken_has_a_reason(changes: dict[str, str], code: str, atlas: Organization, load: Any) -> None:
    printed, status = load(changes, {"ResourceId": "good"})

    assert re.match(rf"line 2: {code}: .*\.\naccepted: 1, unchanged: 0, rejected: 1\n", printed)
    assert status == 1
    assert VendorCharge.objects.get().row["ResourceId"] == "good"


@pytest.mark.parametrize(
    "changes",
    [
        {"ListCost": "0.40000000000000000000"},
        {"ListCost": "4E-1"},
        {"ChargeCategory": "Adjustment"},
        {"ChargeCategory": "Purchase"},
        {"CommitmentDiscountId": "arn:plan", "CommitmentDiscountStatus": "Used", "BilledCost": "0"},
        {"ChargePeriodStart": "2026-10-05 10:00:00", "ChargePeriodEnd": "2026-10-05 11:00:00"},
        {"ListUnitPrice": "NULL"},
        {"ServiceName": "Œuvre, \"quoted\"\nand broken"},
    ],
)  # fmt: skip
def test_messy_rows_that_say_what_they_cost_are_taken(changes: dict[str, str], atlas: Organization, load: Any) -> None:
    assert load(changes)[0] == "accepted: 1, unchanged: 0, rejected: 0\n"
    assert billed() == Decimal("0.40")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "line 1: unreadable: This is no FOCUS dataset: the columns BillingAccountId, "),
        (b"a,b\n1,2\n", "line 1: unreadable: This is no FOCUS dataset"),
        ("x".encode("utf-16"), "line 1: unreadable: The file is in UTF-16"),
        (",".join([*ROW, "Tags"]).encode(), "line 1: unreadable: The column Tags is there twice."),
        (",".join(ROW).encode() + b"\n1,2\n", "line 2: unreadable: The row has 2 values, the header has 17 columns."),
        (",".join(ROW).encode() + b"\n" + b"\xff," * 16 + b"\n", "line 2: unreadable: The row is not UTF-8"),
        (",".join(ROW).encode() + b'\n"never closed\n1\n2\n', "line 4: unreadable: The line is no CSV"),
        (",".join(ROW).encode() + b"\n" + b"9" * 3_000_000, "unreadable: The line is no CSV: field larger than"),
    ],
    ids=["empty", "other columns", "UTF-16", "column twice", "short row", "not UTF-8", "open quote", "endless"],
)
def test_files_that_are_none(content: bytes, sentence: str, atlas: Organization, tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    file.write_bytes(content)

    printed, status = run_import(file)

    assert sentence in printed
    assert status == 1
    assert not VendorCharge.objects.exists()


def test_a_margin_is_a_price_of_the_meter(atlas: Organization, load: Any) -> None:
    make_metered_price(code="vendor:AWS", unit="millionth", per_quantity=1_000_000, unit_price="1.10")
    load({"ListCost": "10.00", "BilledCost": "10.00"})

    close_and_issue("2026-10")

    assert Price.objects.count() == Meter.objects.count() == 1
    assert invoice_of(atlas, "2026-10").usage_details.get().amount_cents == 1100


def test_late_rows_are_billed_next_month(atlas: Organization, load: Any) -> None:
    load({"ListCost": "10.00", "ResourceId": "i-1"})
    close_and_issue("2026-10")
    with time_machine.travel("2026-12-02T08:00:00+00:00", tick=False):
        load({"ListCost": "10.00", "ResourceId": "i-1"}, {"ListCost": "2.50", "ResourceId": "i-2"})
        close_and_issue("2026-11")

    details = invoice_of(atlas, "2026-11").usage_details.values_list("month", "amount_cents")
    assert [(f"{month:%Y-%m}", cents) for month, cents in details] == [("2026-10", 250)]


def test_commands_that_cannot_start(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="Cannot read"):
        run_import(tmp_path / "nowhere.csv")
    wrong = tmp_path / "map.csv"
    wrong.write_text("a,b\na,c\n", encoding="utf-8")
    with pytest.raises(CommandError, match="line 2: a belongs to another organization above"):
        run_import(tmp_path / "nowhere.csv", "--map", str(wrong))
    wrong.write_text("a\n", encoding="utf-8")
    with pytest.raises(CommandError, match="write ACCOUNT,ORGANIZATION"):
        run_import(tmp_path / "nowhere.csv", "--map", str(wrong))


def test_a_real_dataset() -> None:
    """Rows of three providers: all that costs something is billed exactly, all that gives back has a reason."""
    if not SAMPLE.exists():
        pytest.skip(f"the sample dataset of the FinOps Foundation is not at {SAMPLE}")
    with SAMPLE.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    accounts = {row["BillingAccountId"] for row in rows}
    payers = {account: make_organization(external_id=account, currency="USD") for account in accounts}
    for account, sub_account in sorted({(row["BillingAccountId"], row["SubAccountId"]) for row in rows}):
        if sub_account not in payers:
            make_organization(external_id=sub_account, parent=payers[account])
    Organization.objects.update(currency="USD")

    printed, status = run_import(SAMPLE)

    *refusals, summary = printed.splitlines()
    assert (summary, status) == ("accepted: 985, unchanged: 0, rejected: 15", 1)
    codes = [refusal.split(": ")[1] for refusal in refusals]
    assert {code: codes.count(code) for code in codes} == {"credit": 1, "billed_above_list": 2, "negative_cost": 12}
    refused = {int(refusal.split(":")[0].removeprefix("line ")) for refusal in refusals}
    taken = [row for number, row in enumerate(rows, start=2) if number not in refused]
    assert billed() == sum(Decimal(row["ListCost"]) for row in taken)
    assert VendorCharge.objects.count() == len(taken)
    assert {charge.list_cost for charge in VendorCharge.objects.all()} == {row["ListCost"] for row in taken}
    assert Resource.objects.filter(name__endswith="(Microsoft)").exists()
    assert run_import(SAMPLE)[0].splitlines()[-1] == "accepted: 0, unchanged: 985, rejected: 15"
