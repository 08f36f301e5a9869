"""Who did what: on the invoice's page, and in a list that nobody can edit."""

from datetime import UTC, datetime

import pytest
from django.urls import reverse

from billing.admin._event_words import details_of
from billing.models import Event, Invoice
from billing.usecases._events import NewEvent, record_event
from tests.builders.desk import desk, make_staff
from tests.builders.invoices import make_invoice

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 3, 10, 0, tzinfo=UTC)


@pytest.fixture
def held() -> Invoice:
    """An invoice that Fiona put on hold."""
    invoice = make_invoice()
    event = NewEvent("invoice.held", invoice.organization_id, invoice.pk, reason="The customer asked <b>twice</b>.")
    record_event(event, actor=make_staff("Accountant"), at=AT)
    return invoice


def test_the_page_of_an_invoice_tells_who_did_what_and_why(held: Invoice) -> None:
    page = desk("Viewer").get(reverse("admin:billing_invoice_change", args=[held.pk])).content.decode()
    assert "Put on hold" in page
    assert "Fiona" in page
    assert "The customer asked &lt;b&gt;twice&lt;/b&gt;." in page


def test_the_list_is_for_reading_only(held: Invoice) -> None:
    client = desk("Auditor")
    assert "Put on hold" in client.get(reverse("admin:billing_event_changelist")).content.decode()
    event = Event.objects.get()
    assert client.post(reverse("admin:billing_event_change", args=[event.pk]), {"reason": "none"}).status_code == 403
    assert client.post(reverse("admin:billing_event_delete", args=[event.pk])).status_code == 403
    assert client.get(reverse("admin:billing_event_add")).status_code == 403


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, ""),
        ({"number": "F20261101-000042", "total_cents": 81_892}, "F20261101-000042 · 818.92"),
        ({"before_cents": 24_000, "after_cents": 36_000, "currency": "EUR"}, "240.00 EUR → 360.00 EUR"),
        ({"before_cents": None, "after_cents": 100, "currency": "EUR"}, "– → 1.00 EUR"),
        (
            {
                "payment": "BANK-1",
                "cents": 500,
                "currency": "EUR",
                "before": {"payment_state": "pending"},
                "after": {"payment_state": "paid", "left_cents": 0},
            },
            "BANK-1 · 5.00 EUR · pending → paid",
        ),
        ({"kind": "issue", "month": "2026-10", "organizations": 3}, "2026-10 · 3 organizations"),
    ],
)
def test_details_say_what_it_was_about_and_what_changed(values: dict[str, object], words: str) -> None:
    assert details_of(Event(kind="anything", values=values, at=AT)) == words


def test_nobody_is_the_system(held: Invoice) -> None:
    record_event(NewEvent("invoice.issued", held.organization_id, held.pk, {"number": "F1"}), actor=None, at=AT)
    page = desk("Viewer").get(reverse("admin:billing_invoice_change", args=[held.pk])).content.decode()
    assert "the system" in page
