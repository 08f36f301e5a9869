"""Legal texts and exchange rates on the desk: a controller adds them, what documents were issued under stays."""

from datetime import date

import pytest
from django.urls import reverse

from billing.models import ExchangeRate, LegalText
from tests.builders.desk import desk
from tests.builders.invoices import make_invoice
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db

TEXT = {"code": "AAB", "language": "fr", "text": "Escompte de 1 %.", "valid_from": "2027-01-01"}
RATE = {"currency": "usd", "day": "2026-10-30", "per_euro_micro": "1.0837"}


def test_a_controller_adds_a_text_from_a_day_on() -> None:
    desk("Controller").post(reverse("admin:billing_legaltext_add"), TEXT)
    assert LegalText.objects.get(valid_from=date(2027, 1, 1)).text == "Escompte de 1 %."


def test_others_only_see_them() -> None:
    fiona = desk("Accountant")
    assert fiona.post(reverse("admin:billing_legaltext_add"), TEXT).status_code == 403
    assert "Pas d&#x27;escompte" in fiona.get(reverse("admin:billing_legaltext_changelist")).content.decode()


def test_a_text_under_which_invoices_were_issued_stays() -> None:
    make_invoice(status="pending")  # issued on 1 November
    clara, text = desk("Controller"), LegalText.objects.get(code="AAB", language="fr")

    changed = clara.post(reverse("admin:billing_legaltext_change", args=[text.pk]), TEXT)
    added = clara.post(reverse("admin:billing_legaltext_add"), {**TEXT, "valid_from": "2026-10-15"})

    assert changed.status_code == 403
    assert "Invoices are issued since that day" in added.content.decode()


def test_a_controller_adds_a_rate() -> None:
    clara = desk("Controller")
    clara.post(reverse("admin:billing_exchangerate_add"), RATE)
    rate = ExchangeRate.objects.get()
    assert (rate.currency, rate.day, rate.per_euro_micro) == ("USD", date(2026, 10, 30), 1_083_700)
    assert "1.0837" in clara.get(reverse("admin:billing_exchangerate_changelist")).content.decode()


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"currency": "EUR"}, "Amounts in euros need no exchange rate."),
        ({"currency": "JPY"}, "Write the code of a currency with two decimals"),
        ({"per_euro_micro": "0"}, "A rate is more than zero."),
        ({"per_euro_micro": "-1"}, "Write a number of at most six decimals"),
    ],
)
def test_a_rate_that_cannot_be_is_refused(values: dict[str, str], refusal: str) -> None:
    page = desk("Controller").post(reverse("admin:billing_exchangerate_add"), {**RATE, **values})
    assert refusal in page.content.decode()
    assert not ExchangeRate.objects.exists()


def test_a_rate_under_which_documents_were_issued_stays() -> None:
    rate = ExchangeRate.objects.create(currency="USD", day=date(2026, 10, 30), per_euro_micro=1_083_700)
    other = ExchangeRate.objects.create(currency="GBP", day=date(2026, 10, 30), per_euro_micro=840_000)
    make_invoice(organization=make_organization(currency="USD"), status="pending", fees_cents=100_00)
    clara = desk("Controller")

    assert clara.post(reverse("admin:billing_exchangerate_change", args=[rate.pk]), RATE).status_code == 403
    form = {**RATE, "currency": "GBP", "per_euro_micro": "0.85"}
    assert clara.post(reverse("admin:billing_exchangerate_change", args=[other.pk]), form).status_code == 302
