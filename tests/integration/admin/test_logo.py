"""The logo of documents is chosen on the page of the legal entity."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from billing.models import Invoice, LegalEntity, SellerLogo
from billing.queries.documents import load_document
from billing.usecases._permissions import NotAllowed
from billing.usecases.set_logo import set_logo
from tests.builders.desk import desk, make_staff
from tests.builders.invoices import make_invoice

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 10"><path fill="#3a3fb0" d="M0 0h40v10H0z"/></svg>'

pytestmark = pytest.mark.django_db


@pytest.fixture
def clara() -> Client:
    """The controller."""
    return desk("Controller")


def _post(client: Client, **changes: object) -> bytes:
    entity = LegalEntity.objects.get()
    form = {"name": "Nuage SAS", "address": "3 rue de l'Allier", "city": "Nantes", "country": "FR"}
    page = reverse("admin:billing_legalentity_change", args=[entity.pk])
    return client.post(page, {**form, **changes}, follow=True).content


def test_a_logo_is_kept_printed_and_taken_away_again(clara: Client) -> None:
    invoice: Invoice = make_invoice()
    _post(clara, new_logo=SimpleUploadedFile("logo.svg", SVG.encode()))
    assert load_document(invoice.pk).seller.logo == SVG

    _post(clara)  # saving something else leaves it
    assert load_document(invoice.pk).seller.logo == SVG

    _post(clara, remove_logo="on")
    assert load_document(invoice.pk).seller.logo == ""


def test_an_image_that_cannot_be_printed_is_refused_with_the_reason(clara: Client) -> None:
    answer = _post(clara, new_logo=SimpleUploadedFile("logo.svg", b"<html/>"))

    assert b"neither a PNG nor a valid SVG" in answer
    assert not SellerLogo.objects.exists()


def test_only_who_may_change_the_legal_entity_sets_its_logo() -> None:
    with pytest.raises(NotAllowed):
        set_logo(legal_entity=LegalEntity.objects.get(), svg=SVG, actor=make_staff("Auditor"))
    assert not SellerLogo.objects.exists()
