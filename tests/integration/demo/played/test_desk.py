"""`manage.py demo`: the finance desk as a team would leave it, each thing done by somebody, on a day, for a reason."""

from datetime import date

import pytest
from django.db.models import F

from billing.demo.story import CAST
from billing.models import (
    Acknowledgement,
    Adjustment,
    ApprovalPolicy,
    CreditGrant,
    CreditStatement,
    Event,
    Invoice,
    Payment,
)
from billing.queries.approvals import why_stored_draft_needs_approval
from billing.queries.payments import unallocated_cents
from tests.builders.demo import AUGUST, JULY, OCTOBER, SEPTEMBER, draft, invoice

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("demo")]


def who_did(kind: str) -> list[tuple[str, str]]:
    """Who did such a thing, and about whom; everything has a reason."""
    events = Event.objects.filter(kind=kind, actor__isnull=False).exclude(reason="").order_by("pk")
    return list(events.values_list("actor__name", "organization__name"))


def test_it_says_that_the_desk_was_at_work(output: str) -> None:
    assert "2026-10: the finance team has begun to review" in output


def test_an_adjusted_draft() -> None:
    """A training of 450.00; 15 % off the migration of 800.00: 120.00."""
    adjusted = draft(CAST)
    by_hand = adjusted.lines.filter(kind__in=("adjustment", "discount")).order_by("position")
    assert list(by_hand.values_list("kind", "net_cents")) == [("adjustment", 45_000), ("discount", -12_000)]
    assert who_did("adjustment.added") == [("Fiona", CAST)] * 4
    others = Adjustment.objects.filter(organization=adjusted.organization, month=OCTOBER)
    assert others.get(kind="due_date").day == date(2026, 12, 17)
    assert "catalogue" in others.get(kind="note").text
    assert adjusted.open_findings == 0


def test_one_draft_needs_a_second_person() -> None:
    """Its discount of 120.00 reaches the 100.00 that clara has set; neither max nor clara has touched it."""
    assert ApprovalPolicy.objects.get().discount_cents == 10_000
    (reason,) = why_stored_draft_needs_approval(draft(CAST))
    assert reason.values == {"rule": "discount", "cents": 12_000, "from_cents": 10_000}
    assert not draft(CAST).approvals.exists()


def test_a_draft_on_hold() -> None:
    assert "September" in draft("Transports Ligérix").hold_reason
    assert who_did("invoice.held") == [("Fiona", "Transports Ligérix")]


def test_an_anomaly_that_nobody_has_looked_at() -> None:
    """Three days of 2,000 x 30,000 messages at 0.35 per 1,000 are 63,000.00, give or take."""
    anomaly = draft("Aubépine Livraisons")
    (jump,) = anomaly.review_notes
    assert (jump["code"], jump["severity"]) == ("jump", "blocking")
    assert jump["values"]["percent"] > 900
    assert jump["values"]["own_cents"] - jump["values"]["mean_cents"] > 5_000_000
    assert anomaly.open_findings == 1


def test_a_jump_that_somebody_acknowledged() -> None:
    launch = draft("Kanopée Billetterie")
    assert [note["severity"] for note in launch.review_notes] == ["blocking"]
    assert launch.open_findings == 0
    assert Acknowledgement.objects.get().organization == launch.organization
    assert who_did("finding.acknowledged") == [("Fiona", "Kanopée Billetterie")]


def test_a_part_is_paid_and_some_money_settles_nothing() -> None:
    half = invoice("Transports Ligérix", SEPTEMBER)
    assert 0 < half.paid_cents < half.total_cents
    paid_too_much = Payment.objects.get(organization__name="Zéphyr Mobilité", allocated_cents__lt=F("amount_cents"))
    assert unallocated_cents(paid_too_much) > 0


def test_a_credit_note() -> None:
    """100.00 of a service and 20.00 of VAT; the invoice was paid, so the money is there for the next one."""
    credited = invoice("Odyssée Prévoyance", AUGUST)
    note = Invoice.objects.get(kind=Invoice.Kind.CREDIT_NOTE)
    assert (note.refers_to, note.total_cents, note.issue_date) == (credited, 12_000, date(2026, 9, 26))
    assert (credited.credited_cents, credited.payment_state) == (12_000, "paid")
    payment = Payment.objects.get(requested_invoice=credited)
    assert unallocated_cents(payment) == 12_000
    assert who_did("credit_note.prepared") == [("Max", "Odyssée Prévoyance")] * 2  # told on both documents


def test_a_payment_that_the_bank_took_back() -> None:
    """The invoice is unpaid again, and what it sold waits: it counts in g of the next month."""
    unpaid = invoice("Scriptorium Numérique", SEPTEMBER)
    assert (unpaid.payment_state, unpaid.paid_cents) == ("pending", 0)
    assert who_did("payment.charged_back") == [("Fiona", "Scriptorium Numérique")]
    assert who_did("allocation.undone") == [("Fiona", "Scriptorium Numérique")]
    waiting = CreditGrant.objects.get(sold_by=unpaid).pending_cents
    assert CreditStatement.objects.get(invoice=draft("Scriptorium Numérique")).pending_cents == waiting > 0


def test_an_invoice_that_is_written_off() -> None:
    assert invoice("Polder Optiek", JULY).payment_state == "wont_pay"
    assert who_did("invoice.written_off") == [("Max", "Polder Optiek")]
