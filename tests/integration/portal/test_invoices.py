"""The list of invoices: three groups, what is late, a search, and as many queries for many as for few."""

from collections.abc import Iterable
from datetime import date

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.translation import override

from billing.models import Invoice
from billing.portal._words import status_of
from billing.queries import customer_invoices
from billing.queries.customer_invoices import InvoiceList, Listed, load_invoice_list
from organizations.models import Organization
from tests.builders.customers import make_member, signed_in
from tests.builders.invoices import make_credit_note, make_invoice, make_line
from tests.builders.organizations import make_organization
from tests.builders.payments import make_payment

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 25)


@pytest.fixture
def atlas() -> Organization:
    return make_organization(external_id="orga_atlas", name="Atlas")


def an_invoice(atlas: Organization, month: date, status: str = "paid", net_cents: int = 10_000) -> Invoice:
    return make_invoice(organization=atlas, month=month, status=status, direct=[make_line(net_cents=net_cents)])  # type: ignore[arg-type]


def load(atlas: Organization, term: str = "", page: int = 1) -> InvoiceList:
    return load_invoice_list(atlas.pk, today=TODAY, term=term, page=page)


def numbers(listed: Iterable[Listed]) -> list[str | None]:
    return [each.invoice.number for each in listed]


def everything(found: InvoiceList) -> list[str | None]:
    return numbers([*found.pending, *found.processing, *(each for year in found.years for each in year.invoices)])


def page_of(client: Client, query: str = "") -> str:
    return client.get(reverse("portal:invoices", args=["orga_atlas"]) + query).content.decode()


def test_each_is_in_one_group_by_where_its_money_is(atlas: Organization) -> None:
    states = ("pending", "payment_held", "processing", "paid", "canceled", "refunded", "wont_pay")
    rows = [an_invoice(atlas, date(2025, 6 + at, 1), state) for at, state in enumerate(states)]
    found = load(atlas)
    assert numbers(found.pending) == [rows[1].number, rows[0].number]
    assert numbers(found.processing) == [rows[2].number]
    # Issued on the first of the month after the one they bill: October's and November's in 2025, December's in 2026.
    assert [(year.year, len(year.invoices)) for year in found.years] == [(2026, 1), (2025, 3)]


def test_drafts_credit_notes_and_others_are_not_in_it(atlas: Organization) -> None:
    make_credit_note(refers_to=an_invoice(atlas, date(2026, 9, 1)), net_cents=1_000)
    make_invoice(organization=atlas, fees_cents=500)
    an_invoice(make_organization(), date(2026, 9, 1))
    assert len(everything(load(atlas))) == 1


def test_what_is_due_and_late_is_added_up(atlas: Organization) -> None:
    an_invoice(atlas, date(2026, 8, 1), "pending")  # due on 1 October: 100.00 + 20 % VAT
    late = an_invoice(atlas, date(2026, 9, 1), "pending")  # due on 31 October, 20.00 paid
    make_payment(organization=atlas, amount_cents=5_000, settles={late: 2_000})
    an_invoice(atlas, date(2026, 10, 1), "pending")  # due on 1 December
    an_invoice(atlas, date(2026, 7, 1), "processing")
    an_invoice(atlas, date(2026, 6, 1), "payment_held")  # nobody is to pay it now

    found = load(atlas)

    assert found.overdue_cents == 12_000 + 10_000
    assert found.due_cents == found.overdue_cents + 12_000
    assert found.held_cents == 12_000
    assert found.processing_cents == 12_000
    assert found.unallocated_cents == 3_000


def test_what_is_on_hold_is_not_asked_for(atlas: Organization) -> None:
    an_invoice(atlas, date(2026, 9, 1), "payment_held")
    page = page_of(signed_in(make_member("alice", atlas)))
    assert "You need not pay it until you hear of us." in page
    assert "Everything is settled." not in page


def test_credit_notes_stand_with_the_invoice_they_correct(atlas: Organization) -> None:
    an_invoice(atlas, date(2026, 8, 1))
    corrected = an_invoice(atlas, date(2026, 9, 1))
    note = make_credit_note(refers_to=corrected, net_cents=1_000)
    make_credit_note(refers_to=corrected, net_cents=500, status="draft")
    (year,) = load(atlas).years
    assert [each.credit_notes for each in year.invoices] == [[note], []]
    page = page_of(signed_in(make_member("alice", atlas)))
    assert "−€12.00" in page
    assert reverse("portal:invoice", args=["orga_atlas", note.number]) in page


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("000002", [2]),
        ("f20260901", [1]),
        ("2026-09", [1, 2]),  # issued in September, and of it
        ("9/2026", [1, 2]),
        ("August", [1]),
        ("sept 2026", [1, 2]),
        ("2025", []),
        ("2026", [1, 2]),
        ("360", [2]),
        ("360.00", [2]),
        ("1,200.00", []),
        ("120,00", [1]),
        ("€120.00", [1]),
        ("13/2026", []),
        ("september", [1, 2]),
        ("2026 august", [1]),
        ("August,  2026", [1]),
        ("1 Sep 2026", [1]),
        ("1st October, 2026", [2]),
        ("2026-10-01", [2]),
        ("01/09/2026", [1]),
        ("31 September 2026", []),
        ("1 Sep", []),
        ("nothing of the kind", []),
        ("%", []),
        ("\0", [1, 2]),
        ("9" * 90, []),
    ],
)
def test_it_is_searched_by_number_month_or_amount(atlas: Organization, term: str, found: list[int]) -> None:
    rows = {1: an_invoice(atlas, date(2026, 8, 1)), 2: an_invoice(atlas, date(2026, 9, 1), "pending", 30_000)}
    assert set(everything(load(atlas, term))) == {rows[at].number for at in found}


@pytest.mark.parametrize(
    "term", ["€1,320.00", "1,320.00", "€1,320", "1320", "1.320,00", "1 320,00 €", "1\u202f320,00\xa0€", "1320.00 EUR"]
)
def test_amounts_are_found_as_they_are_printed(atlas: Organization, term: str) -> None:
    row = an_invoice(atlas, date(2026, 8, 1), net_cents=110_000)
    an_invoice(atlas, date(2026, 9, 1), net_cents=110)
    assert everything(load(atlas, term)) == [row.number]


def test_months_are_known_by_their_names_in_the_reader_s_language(atlas: Organization) -> None:
    an_invoice(atlas, date(2026, 8, 1))
    with override("fr"):
        for term in ("août 2026", "aout", "1er septembre 2026"):
            assert everything(load(atlas, term))
        assert not everything(load(atlas, "october"))


def test_a_credit_note_s_number_finds_the_invoice(atlas: Organization) -> None:
    an_invoice(atlas, date(2026, 8, 1))
    corrected = an_invoice(atlas, date(2026, 9, 1))
    note = make_credit_note(refers_to=corrected, net_cents=1_000)
    assert note.number is not None
    assert everything(load(atlas, note.number)) == [corrected.number]


def test_a_search_without_result_says_what_would_help(atlas: Organization) -> None:
    an_invoice(atlas, date(2026, 8, 1))
    client = signed_in(make_member("alice", atlas))
    assert "Nothing matches." in page_of(client, "?q=<b>nope")
    assert "<b>nope" not in page_of(client, "?q=<b>nope")


def test_a_sub_organization_without_invoices_of_its_own_learns_why(atlas: Organization) -> None:
    Organization.objects.filter(pk=atlas.pk).update(parent=make_organization(external_id="orga_holding", name="Secret"))
    page = page_of(signed_in(make_member("alice", atlas)))
    assert "is billed on the invoice of" in page
    assert "Secret" not in page


def test_a_group_of_settled_ones_says_what_its_year_is(atlas: Organization) -> None:
    """Issued in December 2025, it may have been paid long after."""
    an_invoice(atlas, date(2025, 11, 1))
    assert "Settled, issued in 2025" in page_of(signed_in(make_member("alice", atlas)))


def test_settled_ones_come_page_by_page(atlas: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(customer_invoices, "SETTLED_PER_PAGE", 3)
    rows = [an_invoice(atlas, date(2020, at, 1)) for at in range(1, 6)]
    an_invoice(atlas, date(2026, 9, 1), "pending")
    assert len(everything(load(atlas))) == 1 + 3
    second = load(atlas, page=2)
    assert everything(second)[1:] == [rows[1].number, rows[0].number]
    client = signed_in(make_member("alice", atlas))
    assert "Page 2 of 2" in page_of(client, "?page=2")
    assert "Page 2 of 2" in page_of(client, "?page=99999999999")
    assert "Page 1 of 2" in page_of(client, "?page=x")


def test_many_cost_as_many_queries_as_few(atlas: Organization) -> None:
    client = signed_in(make_member("alice", atlas))
    make_credit_note(refers_to=an_invoice(atlas, date(2026, 9, 1)), net_cents=1_000)
    an_invoice(atlas, date(2026, 8, 1), "pending")
    counts = []
    for months in (0, 4):
        for at in range(months):
            an_invoice(atlas, date(2025, at + 1, 1), "pending" if at % 2 else "paid")
            make_invoice(organization=atlas, status="paid", month=date(2024, at + 1, 1))
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page_of(client)
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[0] <= 10


@pytest.mark.parametrize(
    ("state", "label", "sentence"),
    [
        ("pending", "24 days late", "€120.00 was due on 1 Nov 2026."),
        ("processing", "Awaiting validation", "we wait for the bank"),
        ("payment_held", "Payment on hold", "while we look into it"),
        ("paid", "Paid", "Thank you"),
        ("canceled", "Cancelled", "there is nothing to pay"),
        ("refunded", "Refunded", "after it had been paid"),
        ("wont_pay", "Written off", "not asked for any more"),
    ],
)
def test_each_state_has_words(atlas: Organization, state: str, label: str, sentence: str) -> None:
    invoice = an_invoice(atlas, date(2026, 9, 1), state)
    invoice.due_date = date(2026, 11, 1)
    status = status_of(invoice, today=TODAY)
    assert status.label == label
    assert sentence in status.sentence


def test_an_invoice_that_is_not_late_yet_says_until_when(atlas: Organization) -> None:
    invoice = an_invoice(atlas, date(2026, 9, 1), "pending")
    invoice.due_date = TODAY
    assert status_of(invoice, today=TODAY).sentence == "€120.00 is to be paid by 25 Nov 2026."
    invoice.paid_cents = 2_000
    assert status_of(invoice, today=TODAY).label == "Partly paid"


def test_markup_in_names_prints_as_text(atlas: Organization) -> None:
    Organization.objects.update(name='<img src=x onerror="alert(1)">')
    with time_machine.travel("2026-11-25T09:00:00Z"):
        page = page_of(signed_in(make_member("alice", atlas)))
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


def test_only_credits_that_were_used_covered_everything(atlas: Organization) -> None:
    """50.00 and a discount of 50.00."""
    lines = [make_line(net_cents=5_000), make_line(net_cents=-5_000)]
    invoice = make_invoice(organization=atlas, status="paid", direct=lines)
    nothing = "There is nothing to pay: this invoice is settled."
    assert status_of(invoice, today=TODAY).sentence == nothing

    invoice.statement.used_free_cents = -5_000

    assert "Your credits covered everything" in status_of(invoice, today=TODAY).sentence
