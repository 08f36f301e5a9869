"""The invoice page's section of adjustments and its dialogs, as browsers send them.

Atlas' October: 100.00 of usage (h = 100.00) and a migration of 800.00, with 20 % VAT 1,200.00.
"""

import re
from datetime import date
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.domain.quantities import MICRO
from billing.models import Adjustment, Event, Invoice
from billing.usecases.adjust_invoice import AddedLine, Discount, DueDate, Note, PurchaseOrder, Refill, Skip
from organizations.models import Organization
from tests.builders.adjusting import adjust, undo
from tests.builders.closing import close, consume, invoice_of, issue, make_charge, make_metered_price
from tests.builders.desk import desk
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db

KINDS = ["add-line", "discount", "refill", "skip", "due-date", "purchase-order", "note"]
REASON = {"reason": "As agreed"}


@pytest.fixture
def atlas() -> Organization:
    make_metered_price()
    atlas = make_organization(external_id="orga_atlas", opened_on=date(2025, 1, 1))
    consume(atlas, quantity=10_000, on="2026-10-03")
    make_charge(organization=atlas)
    close("2026-10")
    return atlas


@pytest.fixture
def draft(atlas: Organization) -> Invoice:
    return Invoice.objects.get()


@pytest.fixture
def fiona() -> Client:
    return desk("Accountant")


def page(client: Client, invoice: Invoice) -> str:
    return client.get(f"/admin/billing/invoice/{invoice.pk}/change/").content.decode()


def text(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", html)))


def url_of(client: Client, invoice: Invoice, name: str) -> str:
    """The address behind a button of the page, as a browser would follow it."""
    found = re.search(rf'href="([^"]*/do/{name}/[^"]*)"', page(client, invoice))
    assert found is not None, name
    return unescape(found[1])


def post(client: Client, url: str, data: dict[str, str], **more: str) -> Any:
    """Fill in the dialog at an address: what it hides goes along."""
    dialog = client.get(url).content.decode()
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', dialog))
    return client.post(url, {**hidden, **data, **more})


def section(html: str) -> str:
    return text(html.partition('id="adjustments"')[2].partition("</section>")[0])


def test_every_kind_has_a_button_for_those_who_may(draft: Invoice, fiona: Client) -> None:
    assert [name for name in [*KINDS, "hold"] if f"/do/{name}/" in page(fiona, draft)] == [*KINDS, "hold"]
    seen = page(desk("Viewer"), draft)
    assert "/do/" not in seen
    assert 'id="adjustments"' not in seen


@pytest.mark.parametrize(
    ("name", "values", "stored"),
    [
        (
            "add-line",
            {"name": "Setup", "quantity": "2", "unit_price": "12.5"},
            {"name": "Setup", "quantity_micro": 2 * MICRO},
        ),
        ("discount", {"line": "", "percent": "12.5"}, {"percent_ppm": 125_000, "target": ""}),
        (
            "discount",
            {"line": "regularization:2026-10", "amount": "9"},
            {"amount_cents": 9_00, "target_net_cents": 100_00},
        ),
        ("refill", {"amount": "250.00"}, {"amount_cents": 250_00, "target_net_cents": 100_00}),
        ("due-date", {"day": "2027-01-15"}, {"day": date(2027, 1, 15)}),
        ("purchase-order", {"text": "PO-7"}, {"text": "PO-7"}),
        ("note", {"text": "Thank you"}, {"text": "Thank you"}),
    ],
)
def test_a_dialog_adjusts(
    draft: Invoice, fiona: Client, name: str, values: dict[str, str], stored: dict[str, object]
) -> None:
    response = post(fiona, url_of(fiona, draft, name), {**values, **REASON})

    assert response.status_code == 302, text(response.content.decode())
    row = Adjustment.objects.get()
    assert {column: getattr(row, column) for column in stored} == stored
    assert (row.reason, row.author and row.author.email) == ("As agreed", "fiona@example.com")
    assert "As agreed Fiona" in section(page(fiona, draft))


def test_a_line_is_skipped_by_choosing_it(atlas: Organization, draft: Invoice, fiona: Client) -> None:
    target = f"one_shot:{atlas.charges.get().pk}"
    url = url_of(fiona, draft, "skip")
    assert "Database migration (800.00)" in text(fiona.get(url).content.decode())

    post(fiona, url, {"line": target, **REASON})

    assert "Database migration waits for the next invoice" in section(page(fiona, draft))
    assert "/do/skip/" not in page(fiona, draft)


def test_the_effect_is_shown_before_saving_and_writes_nothing(draft: Invoice, fiona: Client) -> None:
    response = post(fiona, url_of(fiona, draft, "discount"), {"line": "", "percent": "50"}, preview="1")

    # half of 100.00 + 800.00, and its VAT: 1,200.00 - 540.00
    assert "Total incl. VAT 1,200.00 EUR 660.00 EUR" in text(response.content.decode())
    assert not Adjustment.objects.exists()
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("name", "values", "sentence"),
    [
        ("discount", {"line": "", "percent": "101"}, "Write a percentage from 0 to 100"),
        ("discount", {"line": "", "amount": "900.01"}, "900.01 is too much: at most 900.00 can be taken off here"),
        ("discount", {"line": ""}, "either a percentage or an amount"),
        ("discount", {"line": "one_shot:99", "percent": "5"}, "Select a valid choice"),
        ("discount", {"line": "provision", "percent": "5"}, "Select a valid choice"),
        ("add-line", {"name": "Setup", "quantity": "1", "unit_price": "-5"}, "Write a number"),
        ("add-line", {"name": "Setup", "quantity": "0", "unit_price": "5"}, "comes to 0.00"),
        ("due-date", {"day": "2020-01-01"}, "The due date 1 Jan 2020 is in the past"),
        ("refill", {"amount": ""}, "This field is required"),
        ("skip", {"line": "add_on:5"}, "Select a valid choice"),
    ],
)
def test_what_is_refused_says_so_in_the_dialog(
    draft: Invoice, fiona: Client, name: str, values: dict[str, str], sentence: str
) -> None:
    response = post(fiona, url_of(fiona, draft, name), {**values, **REASON})

    assert sentence in text(response.content.decode())
    assert not Adjustment.objects.exists()


def test_a_reason_is_asked_for(draft: Invoice, fiona: Client) -> None:
    response = post(fiona, url_of(fiona, draft, "note"), {"text": "Hello", "reason": "  "})

    assert "This field is required" in text(response.content.decode())
    assert not Adjustment.objects.exists()


def test_who_opened_the_page_before_somebody_else_changed_the_draft_is_told(
    atlas: Organization, draft: Invoice, fiona: Client
) -> None:
    url = url_of(fiona, draft, "note")
    adjust(atlas, Refill(1_00))

    response = post(fiona, url, {"text": "Hello", **REASON})

    assert "Somebody changed this draft meanwhile" in text(response.content.decode())
    assert [row.kind for row in Adjustment.objects.all()] == ["refill"]


def test_a_double_click_adjusts_once(draft: Invoice, fiona: Client) -> None:
    url = url_of(fiona, draft, "add-line")
    values = {"name": "Setup", "quantity": "1", "unit_price": "5", "seen": draft.fingerprint, **REASON}

    fiona.post(url, values)
    fiona.post(url, values)

    assert Adjustment.objects.count() == 1


@pytest.mark.parametrize("role", ["Viewer", "Controller", "Auditor"])
@pytest.mark.parametrize("name", [*KINDS, "hold", "release", "undo-adjustment", "keep-adjustment"])
def test_other_roles_are_refused(draft: Invoice, role: str, name: str) -> None:
    url = f"/admin/billing/invoice/{draft.pk}/do/{name}/"

    assert desk(role).post(url, {"text": "Hello", "seen": draft.fingerprint, **REASON}).status_code == 403
    assert not Event.objects.exists()


def test_the_section_says_what_was_done_by_whom_and_what_it_does(
    atlas: Organization, draft: Invoice, fiona: Client
) -> None:
    migration = f"one_shot:{atlas.charges.get().pk}"
    setup = adjust(atlas, AddedLine("Setup", 2 * MICRO, 12_500_000))
    adjust(atlas, Discount(migration, percent_ppm=100_000))
    adjust(atlas, Discount(amount_cents=5_00))
    adjust(atlas, Refill(30_00))
    adjust(atlas, DueDate(date(2026, 12, 24)))
    adjust(atlas, PurchaseOrder("PO-7"))
    adjust(atlas, Note("Thank you"))
    undo(atlas, setup)
    html = page(fiona, draft)
    shown = section(html)

    for words in (
        "Setup: 2 × 12.50 undone",
        "Discount of 10 % on Database migration",
        "-80.00",
        "Discount of 5.00 on everything but the provision",
        "-5.00",
        "Refill of 30.00 instead of 100.00",
        "-70.00",
        "Due on 24 December 2026",
        "Purchase order PO-7",
        "Note to the customer: Thank you",
    ):
        assert words in shown, words
    head = text(html.partition('id="summary"')[0])
    assert "Due on 24 December 2026 by hand" in head
    assert "Purchase order PO-7 by hand" in head


def test_the_timeline_tells_each_adjustment_in_words(atlas: Organization, draft: Invoice, fiona: Client) -> None:
    migration = f"one_shot:{atlas.charges.get().pk}"
    adjust(atlas, Discount(migration, percent_ppm=100_000))
    adjust(atlas, Discount("regularization:2026-10", amount_cents=5_00))
    adjust(atlas, DueDate(date(2026, 12, 24)))
    undo(atlas, adjust(atlas, Refill(30_00)))
    undo(atlas, adjust(atlas, Skip(migration)))
    shown = text(page(fiona, draft).partition('id="timeline"')[2].partition("</section>")[0])

    for words in (
        "Discount of 10 % on Database migration · 1,200.00 EUR → 1,104.00 EUR",
        "Discount of 5.00 on Regularization of 2026-10 · 1,104.00 EUR → 1,098.00 EUR",
        "Adjusted by hand Due on 24 December 2026 “",
        "Adjusted by hand Refill of 30.00 instead of 100.00",
        "An adjustment was undone Refill of 30.00 instead of 100.00",
        "Adjusted by hand Database migration waits for the next invoice",
        "An adjustment was undone Database migration waits for the next invoice",
    ):
        assert words in shown, words


def test_a_conflict_is_kept_or_undone(atlas: Organization, draft: Invoice, fiona: Client) -> None:
    adjust(atlas, Discount("regularization:2026-10", percent_ppm=100_000))
    adjust(atlas, Refill(10_00))
    consume(atlas, quantity=5_000, on="2026-10-04")
    close("2026-10")
    html = page(fiona, draft)
    assert "2 adjustments do not fit their lines any more" in text(html)
    assert "was 100.00 and is 150.00 now: keep the adjustment or undo it." in section(html)
    assert section(html).count("to be decided") == 2

    post(fiona, url_of(fiona, draft, "keep-adjustment"), {"reason": "Still right"})
    post(fiona, url_of(fiona, draft, "undo-adjustment"), {})

    draft.refresh_from_db()
    assert draft.open_findings == 1
    assert [row.undone_at is None for row in Adjustment.objects.order_by("id")] == [False, True]
    post(fiona, url_of(fiona, draft, "keep-adjustment"), {"reason": "Still right"})
    assert invoice_of(atlas, "2026-10").open_findings == 0


def test_an_adjustment_of_another_invoice_is_not_undone_from_this_page(
    atlas: Organization, draft: Invoice, fiona: Client
) -> None:
    borea = make_organization(external_id="orga_borea")
    make_charge(organization=borea)
    close("2026-10")
    foreign = adjust(borea, Note("Hello"))

    url = f"/admin/billing/invoice/{draft.pk}/do/undo-adjustment/"
    fiona.post(url, {"adjustment": str(foreign.pk), "seen": draft.fingerprint})

    foreign.refresh_from_db()
    assert foreign.undone_at is None


def test_hold_and_release(draft: Invoice, fiona: Client) -> None:
    post(fiona, url_of(fiona, draft, "hold"), {"reason": "A question"})
    html = page(fiona, draft)
    assert "On hold, not to be issued: A question" in text(html)
    assert "/do/hold/" not in html

    post(fiona, url_of(fiona, draft, "release"), {})

    assert "On hold" not in text(page(fiona, draft))


def test_an_issued_invoice_shows_them_and_offers_nothing(atlas: Organization, draft: Invoice, fiona: Client) -> None:
    adjust(atlas, Note("Thank you"))
    issue("2026-10")
    html = page(fiona, draft)

    assert "Note to the customer: Thank you" in section(html)
    assert "/do/" not in section(html)
    assert "Put on hold" not in html
    assert "Note to the customer Thank you" in text(html)


def test_a_discarded_draft_offers_to_undo_what_discarded_it(fiona: Client) -> None:
    borea = make_organization(external_id="orga_borea")
    make_charge(organization=borea)
    close("2026-10")
    adjust(borea, Skip(f"one_shot:{borea.charges.get().pk}"))
    discarded = Invoice.objects.get()
    assert discarded.document_state == "discarded"

    post(fiona, url_of(fiona, discarded, "undo-adjustment"), {})

    draft = Invoice.objects.get(document_state="draft")
    html = page(fiona, discarded)
    assert f'href="/admin/billing/invoice/{draft.pk}/change/"' in html
    assert "Its month is billed by draft 2026-10" in text(html)


def test_adjustments_cost_a_page_a_fixed_number_of_queries(
    atlas: Organization, draft: Invoice, fiona: Client, django_assert_max_num_queries: Any
) -> None:
    adjust(atlas, Discount(amount_cents=1_00))
    with CaptureQueriesContext(connection) as few:
        page(fiona, draft)
    for _ in range(4):
        adjust(atlas, Discount(amount_cents=1_00))

    with django_assert_max_num_queries(len(few)):
        page(fiona, draft)
