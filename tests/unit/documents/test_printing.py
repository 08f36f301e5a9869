"""A document in words: what its reader gets to see, in both languages."""

from datetime import date

import pytest
from msgspec import structs

from billing.documents.printed import Field, Printed
from billing.documents.printing import print_document
from billing.domain.documents import Exchange
from billing.domain.statement import CreditStatement
from tests.builders.documents import (
    BUYER,
    DECEMBER,
    NOVEMBER,
    OCTOBER,
    SELLER,
    make_credit_note,
    make_document,
    make_line,
    make_usage,
    make_usage_line,
)

NBSP = "\xa0"


def _values(fields: tuple[Field, ...]) -> list[str]:
    return [field.value.replace(NBSP, " ") for field in fields]


def test_an_issued_invoice_says_who_what_and_when() -> None:
    printed = print_document(make_document())

    assert (printed.title, printed.subtitle, printed.watermark) == ("Invoice F20261102-000042", "", "")
    assert _values(printed.facts) == [
        "F20261102-000042",
        "2 November 2026",
        "2 December 2026",
        "October 2026",
        "Atlas",
        "orga_atlas",
    ]
    assert printed.seller.address == ("3 rue de l'Allier", "44000 Nantes", "France")
    assert (printed.buyer.name, printed.buyer.address[0]) == ("Atlas SAS", "Alice Martin")
    assert printed.buyer.details == (Field("SIREN", "303265045"), Field("VAT number", "FR40303265045"))


def test_a_line_says_its_days_once_and_whom_it_is_for() -> None:
    add_on = make_line(kind="add_on", name="Support", organization_name="Atlas Labs", net_cents=49_00)
    service = make_line(kind="custom_service", name="On-call", organization_name="Atlas Labs")
    rows = print_document(make_document(lines=[make_line(), add_on, service])).lines.rows

    assert [(row.description, row.detail.replace(NBSP, " ")) for row in rows] == [
        ("Credits provision, November 2026", ""),
        ("Support, November 2026", "Atlas Labs"),
        ("On-call", "1–30 November 2026 · Atlas Labs"),
    ]
    assert (rows[1].quantity, rows[1].unit_price, rows[1].net) == ("1", "49.00", "49.00")


def test_vat_is_given_in_euros_too_with_the_rate_and_its_day() -> None:
    exchange = Exchange(date(2026, 10, 30), 935_000)
    printed = print_document(make_document(currency="CHF", exchange=exchange))

    assert printed.euro_vat is not None
    assert printed.euro_vat.label.replace(NBSP, " ") == "VAT in EUR (1 EUR = 0.935 CHF on 30 October 2026)"
    assert printed.euro_vat.amount == "145.98"  # 136.49 / 0.935
    assert print_document(make_document()).euro_vat is None


@pytest.mark.parametrize(
    ("category", "rate_bp", "label", "rate"),
    [
        ("S", 8_50, f"VAT 8.5{NBSP}%", f"8.5{NBSP}%"),
        ("AE", 0, "Reverse charge: VAT is due by the customer", f"0{NBSP}%"),
        ("O", 0, "Outside the scope of VAT", "–"),
    ],
)
def test_vat_is_worded_by_category(category: str, rate_bp: int, label: str, rate: str) -> None:
    printed = print_document(make_document(lines=[make_line(category=category, rate_bp=rate_bp)]))

    assert (printed.taxes[0].label, printed.lines.rows[0].vat) == (label, rate)


def test_how_to_pay_names_the_account_the_day_and_the_reference() -> None:
    printed = print_document(make_document())

    assert printed.payment is not None
    assert printed.payment.sentence.replace(NBSP, " ") == "Please pay €818.92 by 2 December 2026."
    assert _values(printed.payment.fields) == [
        "Nuage Clair SAS",
        "FR76 3000 6000 0112 3456 7890 189",
        "AGRIFRPP",
        "F20261102-000042",
    ]
    assert printed.payment.transfer_code


def test_without_a_bank_account_only_the_reference_is_asked_for() -> None:
    printed = print_document(make_document(seller=structs.replace(SELLER, iban="", bic="")))

    assert printed.payment is not None
    assert (_values(printed.payment.fields), printed.payment.transfer_code) == (["F20261102-000042"], "")


def test_an_invoice_of_nothing_asks_for_nothing() -> None:
    printed = print_document(make_document(lines=[]))

    assert printed.payment is not None
    assert printed.payment.sentence == "There is nothing to pay: this invoice is settled."
    assert printed.payment.fields == ()
    assert (printed.due.amount, printed.due_note) == ("€0.00", printed.payment.sentence)
    assert printed.lines.empty


def test_a_draft_says_so_and_asks_for_nothing() -> None:
    printed = print_document(make_document(number=None, issue_date=None, due_date=None))

    assert (printed.title, printed.watermark, printed.payment) == ("Draft invoice", "Draft", None)
    assert "not an invoice" in printed.subtitle


def test_a_credit_note_names_the_invoice_that_it_corrects_and_no_payment() -> None:
    printed = print_document(make_credit_note())

    assert printed.title == "Credit note A20261110-000003"
    assert printed.subtitle.replace(NBSP, " ") == "Corrects invoice F20261102-000042 of 2 November 2026."
    assert printed.due.label == "Amount credited"
    assert (printed.payment, printed.statement, printed.usage) == (None, None, None)
    assert "Due date" not in [field.label for field in printed.facts]


def test_the_published_statement_and_both_readings_of_its_subtotal() -> None:
    statement = print_document(make_document()).statement

    assert statement is not None
    assert [(row.letter, row.amount) for row in statement.rows] == [
        ("a", "0.00"),
        ("b", "691.35"),
        ("A", "691.35"),
        ("c", "0.00"),
        ("d", "0.00"),
        ("e", "−686.89"),
        ("f", "−686.89"),
        ("g", "0.00"),
        ("h", "682.43"),
        ("B", "686.89"),
        ("i", "−4.46"),
        ("", "−4.46"),
    ]
    assert [[row.amount for row in reading.rows] for reading in statement.readings] == [
        ["682.43", "0.00", "0.00", "682.43"],
        ["686.89", "−4.46", "0.00", "682.43"],
    ]


def test_usage_is_worded_by_resource() -> None:
    usage = print_document(make_document()).usage

    assert usage is not None
    assert usage.summary == ()
    resource = usage.organizations[0].resources[0]
    assert (resource.name, resource.id, resource.amount) == ("api-prod", "app_1", "686.89")
    row = resource.rows[0]
    assert (row.meter, row.zone, row.quantity.replace(NBSP, " "), row.unit_price, row.amount) == (
        "Application S",
        "par",
        "28d 14h 53m 24s",
        "1 EUR per hour",
        "686.89",
    )


def test_sub_organizations_are_summed_up_first() -> None:
    labs = make_usage(make_usage_line(amount_cents=14_63), external_id="orga_labs", name="Atlas Labs")
    usage = print_document(make_document(usage=(make_usage(), labs))).usage

    assert usage is not None
    assert usage.summary == (Field("Atlas", "686.89"), Field("Atlas Labs", "14.63"))


def test_a_single_sub_organization_that_consumed_is_named() -> None:
    labs = make_usage(external_id="orga_labs", name="Atlas Labs")
    usage = print_document(make_document(usage=(labs,))).usage

    assert usage is not None
    assert usage.summary == (Field("Atlas Labs", "686.89"),)


def test_late_usage_names_its_month_and_a_discount_has_its_row() -> None:
    late = make_usage_line(month=date(2026, 9, 1))
    usage = print_document(make_document(usage=(make_usage(late),), usage_discount_cents=-10_00)).usage

    assert usage is not None
    assert usage.organizations[0].resources[0].rows[0].meter == "Application S, September 2026"
    assert [total.amount for total in usage.totals] == ["686.89", "−10.00", "686.89"]


def test_french_is_the_buyers_choice_and_changes_figures_and_words() -> None:
    document = make_document(buyer=structs.replace(BUYER, language="fr"), lines=[make_line(kind="one_shot")])
    printed = print_document(document)

    assert printed.language == "fr"
    assert printed.due.amount == f"818,92{NBSP}€"
    assert printed.lines.rows[0].detail == f"1–30{NBSP}novembre{NBSP}2026"
    assert print_document(document, "en").language == "en"


def test_other_currencies_are_named_by_their_code() -> None:
    assert print_document(make_document(currency="CHF")).due.amount == f"818.92{NBSP}CHF"


@pytest.mark.parametrize(
    ("start", "end", "detail"),
    [
        (date(2026, 10, 20), date(2026, 10, 21), "20 October 2026"),
        (OCTOBER, NOVEMBER, "1–31 October 2026"),
        (OCTOBER, DECEMBER, "1 October – 30 November 2026"),
        (date(2026, 12, 15), date(2027, 1, 16), "15 December 2026 – 15 January 2027"),
    ],
)
def test_periods_are_written_as_short_as_they_can(start: date, end: date, detail: str) -> None:
    line = make_line(kind="one_shot", name="Migration", period_start=start, period_end=end)

    assert print_document(make_document(lines=[line])).lines.rows[0].detail.replace(NBSP, " ") == detail


def test_no_figure_can_be_broken_apart() -> None:
    statement = CreditStatement(0, 0, 0, 0, 0, -1_234_567_89, 0, 0)
    document = make_document(lines=[make_line(net_cents=-1_234_567_89)], statement=statement)
    for language in ("en", "fr"):
        printed: Printed = print_document(structs.replace(document, buyer=structs.replace(BUYER, language=language)))
        assert printed.statement is not None
        for figure in (printed.lines.rows[0].net, printed.due.amount, printed.statement.rows[6].amount):
            assert figure.startswith("−")
            assert " " not in figure
            assert "-" not in figure
