"""Mentions and exchange rates as they were on the day of a document."""

from datetime import date

import pytest

from billing.models import ExchangeRate, LegalEntity, LegalText
from billing.queries.documents import load_document
from billing.queries.legal_texts import ExchangeRates, LegalTexts
from organizations.models import BillingProfile
from tests.builders.invoices import make_invoice
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db


def codes_of(**profile: str) -> list[str]:
    organization = make_organization()
    BillingProfile.objects.filter(pk=organization.pk).update(**profile)
    invoice = make_invoice(organization=organization, fees_cents=100_00)
    if profile.get("country", "FR") != "FR" or str(profile.get("postcode", "")).startswith("97"):
        invoice.tax_subtotals.update(category="O", rate_bp=0, vat_cents=0)
    return [mention.code for mention in load_document(invoice.pk).mentions]


def test_every_document_says_what_late_payment_costs() -> None:
    assert codes_of() == ["PMT", "PMD", "AAB"]


def test_a_seller_who_pays_vat_on_debits_says_so() -> None:
    LegalEntity.objects.update(vat_on_debits=True)
    assert codes_of() == ["PMT", "PMD", "AAB", "DEBITS"]


@pytest.mark.parametrize(
    ("profile", "code"),
    [
        ({"country": "US"}, "O_ABROAD"),
        ({"country": "FR", "postcode": "97300"}, "O_OVERSEAS"),
        ({"country": "NC"}, "O_OVERSEAS"),
    ],
)
def test_an_invoice_without_vat_says_why(profile: dict[str, str], code: str) -> None:
    assert codes_of(**profile)[-1] == code


def test_texts_are_in_the_language_of_the_buyer() -> None:
    organization = make_organization()
    BillingProfile.objects.filter(pk=organization.pk).update(language="en")
    document = load_document(make_invoice(organization=organization).pk)
    assert document.mentions[2].text == "No discount for early payment."


def test_a_text_counts_from_its_day_on() -> None:
    LegalText.objects.create(code="AAB", language="fr", text="Escompte de 1 %.", valid_from=date(2027, 1, 1))
    texts = LegalTexts()

    def on(day: date) -> list[str]:
        return [mention.text for mention in texts.mentions(["AAB"], language="fr", day=day)]

    assert on(date(2026, 12, 31)) == ["Pas d'escompte pour paiement anticipé."]
    assert on(date(2027, 1, 1)) == ["Escompte de 1 %."]
    assert on(date(2000, 1, 1)) == []


def test_the_last_published_rate_counts_for_a_week() -> None:
    ExchangeRate.objects.create(currency="USD", day=date(2026, 10, 30), per_euro_micro=1_083_700)
    days = [date(2026, 10, 29), date(2026, 10, 30), date(2026, 11, 6), date(2026, 11, 7)]
    rates = ExchangeRates([("USD", day) for day in days])

    assert [getattr(rates.on("USD", day), "per_euro_micro", None) for day in days] == [None, 1_083_700, 1_083_700, None]


def test_a_document_in_dollars_has_the_rate_of_its_day() -> None:
    ExchangeRate.objects.create(currency="USD", day=date(2026, 10, 30), per_euro_micro=1_083_700)
    invoice = make_invoice(organization=make_organization(currency="USD"), fees_cents=100_00)

    exchange = load_document(invoice.pk).exchange

    assert exchange is not None
    assert (exchange.day, exchange.per_euro_micro) == (date(2026, 10, 30), 1_083_700)
    assert load_document(invoice.pk, day=date(2026, 12, 1)).exchange is None
