"""The export that finance's scripts read: names, order and formats are fixed."""

import json
from datetime import UTC, date, datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils.translation import override

from billing.domain.taxation import REVERSE_CHARGE
from billing.models import Invoice, InvoiceLine, Price
from billing.queries.exports import DOCUMENTS_PER_BATCH
from tests.builders.credits import make_grant
from tests.builders.invoices import make_credit_note, make_invoice, make_line, make_outcome
from tests.builders.organizations import make_organization
from tests.builders.payments import make_payment
from tests.builders.usage import make_meter, make_price

pytestmark = pytest.mark.django_db

SEPTEMBER = date(2026, 9, 1)


def export(month: str = "2026-10") -> list[dict[str, Any]]:
    out = StringIO()
    call_command("export_invoices", month, stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_published_example_word_for_word() -> None:
    # a 0.00, b 691.35, U 686.89: h = -(691.35 - 686.89 - 686.89) = 682.43; VAT 136.486
    atlas = make_organization(external_id="orga_5d0")
    make_grant(organization=atlas, amount_cents=69_135)
    make_invoice(organization=atlas, fees_cents=68_689)
    out = StringIO()

    call_command("export_invoices", "2026-10", stdout=out)

    resource = Invoice.objects.get().usage_details.get().resource
    assert resource is not None
    assert out.getvalue() == (
        '{"type":"invoice","organization":"orga_5d0","number":null,"refers_to":null,"status":"draft",'
        '"consumption_month":"2026-10","currency":"EUR","issue_date":null,"due_date":null,'
        '"lines":[{"kind":"provision","description":"Credits provision, November 2026","period_start":"2026-11-01",'
        '"period_end":"2026-12-01","quantity":"1","unit_price":"682.43","net_amount":"682.43","vat_category":"S",'
        '"vat_rate":"20.00"}],'
        '"statement":{"a":"0.00","b":"691.35","A":"691.35","c":"0.00","d":"0.00","e":"-686.89","f":"-686.89",'
        '"g":"0.00","h":"682.43","B":"686.89","i":"-4.46","net_use":"-4.46"},'
        '"fees":"686.89","regularization":"0.00",'
        f'"usage":[{{"organization":"orga_5d0","resource":"{resource.external_id}","meter":"apps.S","zone":"par",'
        '"month":"2026-10","quantity":"68689","unit":"second","amount":"686.89","price_valid_from":null}],'
        '"tax":[{"category":"S","rate":"20.00","base":"682.43","vat":"136.49"}],'
        '"subtotal":"682.43","vat":"136.49","total":"818.92","amount_due":"818.92"}\n'
    )


def test_issued_invoice_has_number_dates_and_what_is_left_to_pay() -> None:
    invoice = make_invoice(status="pending", fees_cents=10_000)  # (100.00 + 100.00) x 1.2 = 240.00
    make_payment(organization=invoice.organization, amount_cents=5_000, settles={invoice: 5_000})

    [document] = export()

    assert document["number"] == "F20261101-000001"
    assert (document["issue_date"], document["due_date"]) == ("2026-11-01", "2026-12-01")
    assert (document["status"], document["total"], document["amount_due"]) == ("pending", "240.00", "190.00")


@pytest.mark.parametrize(
    ("status", "amount_due"),
    [
        ("draft", "120.00"),
        ("processing", "120.00"),
        ("payment_held", "120.00"),
        ("paid", "0.00"),
        ("canceled", "0.00"),
        ("refunded", "0.00"),
        ("wont_pay", "0.00"),
    ],
)
def test_status(status: Any, amount_due: str) -> None:
    make_invoice(status=status, fees_cents=10_000, refill_cents=0)

    [document] = export()

    assert (document["status"], document["amount_due"]) == (status, amount_due)


def test_lines_in_printed_order_with_all_decimals_of_a_price() -> None:
    invoice = make_invoice(
        fees_cents=10_000,
        direct=[
            make_line(kind="add_on", name="Support", period_start=date(2026, 11, 12), period_end=date(2026, 12, 1)),
            make_line(kind="one_shot", name="Migration"),
        ],
    )
    InvoiceLine.objects.filter(invoice=invoice, kind="one_shot").update(
        quantity_micro=2_500_000, unit_price_micro=1_234
    )

    [document] = export()

    assert [line["description"] for line in document["lines"]] == [
        "Credits provision, November 2026",
        "Regularization, October 2026",
        "Support, 12 November 2026 to 30 November 2026",
        "Migration",
    ]
    assert (document["lines"][3]["quantity"], document["lines"][3]["unit_price"]) == ("2.5", "0.001234")
    assert document["lines"][0]["unit_price"] == "100.00"


def test_always_in_english_and_leaves_the_readers_language_alone() -> None:
    make_invoice(fees_cents=10_000)

    with override("fr"):
        [document] = export()

    assert document["lines"][0]["description"] == "Credits provision, November 2026"


def test_discount_on_consumption_is_the_last_usage_entry() -> None:
    invoice = make_invoice(fees_cents=9_000, discount_cents=1_000)

    [document] = export()

    assert document["fees"] == "90.00"  # 100.00 - 10.00
    assert document["usage"][1] == {
        "organization": invoice.organization.external_id,
        "resource": None,
        "meter": "discount",
        "zone": None,
        "month": "2026-10",
        "quantity": None,
        "unit": None,
        "amount": "-10.00",
        "price_valid_from": None,
    }


def test_price_versions_are_named_by_their_day_in_the_billing_time_zone() -> None:
    make_price(meter=make_meter(), valid_from=datetime(2026, 9, 30, 22, 0, tzinfo=UTC))  # midnight in Paris
    make_invoice(fees_cents=10_000)

    assert Price.objects.count() == 1
    assert export()[0]["usage"][0]["price_valid_from"] == "2026-10-01"


def test_credit_note_follows_its_invoice_and_names_it() -> None:
    invoice = make_invoice(status="paid", fees_cents=10_000)
    make_credit_note(refers_to=invoice, net_cents=1_000)

    first, note = export()

    assert first["type"] == "invoice"
    assert (note["type"], note["number"], note["refers_to"]) == ("credit_note", "A20261110-000001", invoice.number)
    assert (note["subtotal"], note["vat"], note["total"]) == ("10.00", "2.00", "12.00")
    assert (note["statement"], note["usage"], note["fees"]) == (None, [], "0.00")


def test_reverse_charge() -> None:
    make_invoice(fees_cents=10_000, tax=REVERSE_CHARGE)

    [document] = export()

    assert document["tax"] == [{"category": "AE", "rate": "0.00", "base": "200.00", "vat": "0.00"}]


def test_organizations_sort_by_code_point() -> None:
    for external_id in ("orga_b", "Orga_c", "orga_B", "orga_é", "orga_a", "orga-z", "orga_🎉", "orga_ﬀ"):
        make_invoice(organization=make_organization(external_id=external_id), fees_cents=100)

    ids = [document["organization"] for document in export()]

    assert ids == sorted(ids)
    assert len(ids) == 8


def test_leaves_out_other_months_discarded_and_stale_drafts() -> None:
    make_invoice(month=SEPTEMBER, fees_cents=100)
    make_invoice(status="discarded", fees_cents=100)
    stale = make_invoice(fees_cents=100)
    stale.outcomes.update(kind="blocked", reason_code="no_price", invoice=None)
    child = make_organization(parent=make_organization())
    on_parent = make_invoice(fees_cents=100)  # whose payer is blocked, while the member still points to the draft
    on_parent.outcomes.update(kind="blocked", reason_code="no_price", invoice=None)
    make_outcome(organization=child, kind="on_parent", payer=on_parent.organization, invoice=on_parent)

    assert export() == []


def test_number_of_queries_does_not_depend_on_the_number_of_invoices(
    django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        make_invoice(fees_cents=10_000)
    assert DOCUMENTS_PER_BATCH == 1_000

    with django_assert_num_queries(5):  # ids; then documents, lines, usage, taxes per batch
        assert len(export()) == 3

    monkeypatch.setattr("billing.queries.exports.DOCUMENTS_PER_BATCH", 2)
    with django_assert_num_queries(9):
        assert len(export()) == 3


def test_month_that_is_none() -> None:
    with pytest.raises(CommandError, match="not a month"):
        export("2026-13")
