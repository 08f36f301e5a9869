"""Month closes at the desk: how far they are, what became of whom, and why."""

from datetime import date

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from billing.models import CloseOutcome, MonthClose
from tests.builders.desk import desk
from tests.builders.invoices import make_close, make_invoice, make_outcome
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db


@pytest.fixture
def vera() -> Client:
    """A viewer."""
    return desk("Viewer")


def page_of(client: Client, close: MonthClose) -> str:
    response = client.get(reverse("admin:billing_monthclose_change", args=[close.pk]))
    assert response.status_code == 200
    return response.content.decode()


def test_a_close_shows_its_outcomes_totals_and_reasons(vera: Client) -> None:
    make_invoice(fees_cents=10_000, refill_cents=0)  # 120.00 with VAT
    for _ in range(3):
        outcome = make_outcome(
            organization=make_organization(), kind="blocked", reason_code="incomplete_billing_profile"
        )
        outcome.reason_values = {"missing": "city"}
        outcome.save()
    make_outcome(organization=make_organization(), kind="nil", reason_code="free_usage_only")

    page = page_of(vera, make_close())

    assert "October 2026" in page
    assert "120.00 <span" in page
    assert "The billing profile lacks: city." in page
    assert "Its usage lies within free tiers." in page
    link = reverse("admin:billing_closeoutcome_changelist")
    assert f"{link}?month__year=2026&amp;month__month=10&amp;kind__exact=blocked" in page


def test_the_numbers_lead_to_the_outcomes_of_one_reason(vera: Client) -> None:
    for code in ("amount_too_large", "amount_too_large", "payer_blocked"):
        make_outcome(organization=make_organization(), kind="blocked", reason_code=code)
    context = vera.get(reverse("admin:billing_monthclose_change", args=[make_close().pk])).context

    first = context["reasons"][0]

    assert first["number"] == 2
    assert vera.get(first["url"]).context["cl"].result_count == 2


def test_a_close_that_runs_says_so(vera: Client) -> None:
    close = make_close()
    MonthClose.objects.filter(pk=close.pk).update(started_at=timezone.now(), finished_at=None, run=2)
    assert "running" in page_of(vera, close)


def test_outcomes_say_what_to_do(vera: Client) -> None:
    make_outcome(organization=make_organization(name="Poisoned"), kind="blocked", reason_code="amount_too_large")
    page = vera.get(reverse("admin:billing_closeoutcome_changelist"), {"kind__exact": "blocked"}).content.decode()
    assert "Poisoned" in page
    assert "The quantities or amounts are too large to be true: check the usage." in page


def test_outcomes_name_their_kind_in_words_and_show_only_what_is_known(vera: Client) -> None:
    make_outcome(organization=make_organization(), kind="nil", reason_code="no_activity")
    make_outcome(organization=make_organization(), kind="blocked", reason_code="amount_too_large")
    page = vera.get(reverse("admin:billing_closeoutcome_changelist")).content.decode()
    assert "nothing to bill" in page
    assert page.count("0.00") == 1  # of a blocked organization nobody knows what it consumed


def test_neither_closes_nor_outcomes_can_be_edited() -> None:
    outcome = make_outcome(organization=make_organization())
    for role in ("Accountant", "Billing manager", "Controller"):
        client = desk(role)
        for name, row in (("monthclose", outcome.close), ("closeoutcome", outcome)):
            assert client.post(reverse(f"admin:billing_{name}_change", args=[row.pk]), {}).status_code == 403
            assert client.post(reverse(f"admin:billing_{name}_delete", args=[row.pk])).status_code == 403
            assert client.get(reverse(f"admin:billing_{name}_add")).status_code == 403
    assert CloseOutcome.objects.count() == 1
    assert MonthClose.objects.get().month == date(2026, 10, 1)
