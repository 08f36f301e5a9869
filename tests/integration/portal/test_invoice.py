"""The page of an invoice: its state, how to pay what is left, its files, and its usage details as a file."""

import csv
import io
from datetime import UTC, date, datetime, time, timedelta
from html import unescape

import pytest
import time_machine
from django.core.files.storage import storages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.documents.html import DETAILS_PER_PAGE
from billing.models import ArchivedDocument, Invoice, LegalEntity, UsageDetail
from organizations.models import Organization
from tests.builders.archive import store
from tests.builders.closing import close_and_issue, consume, invoice_of, make_metered_price
from tests.builders.customers import make_member, signed_in
from tests.builders.desk import desk
from tests.builders.invoices import make_credit_note, make_invoice, make_line
from tests.builders.organizations import make_organization
from tests.builders.payments import make_payment
from tests.builders.usage import make_meter, make_resource

pytestmark = pytest.mark.django_db

IBAN = "FR7630006000011234567890189"


@pytest.fixture
def atlas() -> Organization:
    LegalEntity.objects.update(iban=IBAN, bic="AGRIFRPP")
    return make_organization(external_id="orga_atlas", name="Atlas")


@pytest.fixture
def alice(atlas: Organization) -> Client:
    return signed_in(make_member("alice", atlas))


def an_invoice(atlas: Organization, status: str = "pending", net_cents: int = 10_000) -> Invoice:
    return make_invoice(organization=atlas, status=status, direct=[make_line(net_cents=net_cents)])  # type: ignore[arg-type]


def url(name: str, invoice: Invoice) -> str:
    return reverse(f"portal:{name}", args=[invoice.organization.external_id, invoice.number])


def page_of(client: Client, invoice: Invoice, query: str = "") -> str:
    return client.get(url("invoice", invoice) + query).content.decode()


def details(*names: str, atlas: Organization) -> list[UsageDetail]:
    meter = make_meter(code="apps.L")
    return [
        UsageDetail(
            resource=make_resource(organization=atlas, name=name),
            resource_name=name,
            meter=meter,
            zone="par",
            quantity_micro=3_600_000_000,
            amount_cents=0,
        )
        for name in names
    ]


def test_what_is_left_is_to_be_paid_to_the_seller_s_account(alice: Client, atlas: Organization) -> None:
    invoice = an_invoice(atlas)
    make_payment(organization=atlas, amount_cents=2_000, reference="BANK-77", settles={invoice: 2_000})

    page = page_of(alice, invoice)

    assert "€100.00" in page  # 120.00 - 20.00
    assert "FR76\xa03000" in page
    assert "BANK-77" in page
    assert "<svg viewBox" in page
    assert 'role="img"' in page


@pytest.mark.parametrize("state", ["processing", "payment_held", "paid", "canceled", "refunded", "wont_pay"])
def test_nobody_is_asked_to_pay_what_is_not_to_be_paid(alice: Client, atlas: Organization, state: str) -> None:
    page = page_of(alice, an_invoice(atlas, state))
    assert "Please pay" not in page
    assert "<svg" not in page


def test_nobody_is_asked_to_pay_by_a_day_that_is_over(alice: Client, atlas: Organization) -> None:
    invoice = an_invoice(atlas)
    bob = make_member("bob", atlas)
    assert invoice.due_date is not None
    for days, asked in ((0, True), (1, False)):
        with time_machine.travel(datetime.combine(invoice.due_date + timedelta(days=days), time(12), tzinfo=UTC)):
            page = page_of(signed_in(bob), invoice)
        assert ("Please pay €120.00 by" in page) is asked
        assert "Please pay €120.00" in page


@pytest.mark.parametrize(("state", "sentence"), [("paid", "It is paid in full."), ("wont_pay", "What is left of it")])
def test_beside_the_amount_stands_what_became_of_it(
    alice: Client, atlas: Organization, state: str, sentence: str
) -> None:
    article = page_of(alice, an_invoice(atlas, state)).partition("<article")[2]
    assert "Due on" not in article
    assert sentence in article


def test_a_credit_note_has_a_page_and_both_lead_to_each_other(alice: Client, atlas: Organization) -> None:
    invoice = an_invoice(atlas)
    note = make_credit_note(refers_to=invoice, net_cents=1_000)
    assert url("invoice", note) in page_of(alice, invoice)
    page = page_of(alice, note)
    assert url("invoice", invoice) in page
    assert "Please pay" not in page


def test_it_is_in_the_language_of_who_reads(alice: Client, atlas: Organization) -> None:
    address = url("invoice", an_invoice(atlas))
    french, english = (alice.get(address, headers={"Accept-Language": each}).content.decode() for each in ("fr", "en"))
    assert '<article class="document stack" lang="fr">' in french
    assert "120,00" in french
    assert "Pas d'escompte" in unescape(french)
    assert "Pas d'escompte" not in unescape(english)


def test_the_number_of_queries_depends_on_nothing(alice: Client, atlas: Organization) -> None:
    small = make_invoice(organization=atlas, status="pending", month=date(2026, 9, 1), fees_cents=100)
    large = make_invoice(
        organization=atlas,
        status="pending",
        fees_cents=100,
        direct=[make_line(name=f"Service {at}") for at in range(5)],
        details=details(*(f"api-{at}" for at in range(20)), atlas=atlas),
    )
    for _ in range(3):
        make_credit_note(refers_to=large, net_cents=100)
    counts = []
    for address in (url("invoice", small), url("invoice", large)):
        with CaptureQueriesContext(connection) as queries:
            alice.get(address)
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[0] <= 20


def test_many_usage_details_come_page_by_page(alice: Client, atlas: Organization) -> None:
    invoice = make_invoice(organization=atlas)
    (one,) = details("api", atlas=atlas)
    rows = [
        UsageDetail(
            invoice=invoice,
            month=invoice.consumption_month,
            organization=atlas,
            resource=one.resource,
            resource_name=f"api-{at}",
            meter=one.meter,
            quantity_micro=1,
            amount_cents=1,
        )
        for at in range(DETAILS_PER_PAGE + 1)
    ]
    UsageDetail.objects.bulk_create(rows)
    preview = reverse("admin:billing_invoice_preview", args=[invoice.pk])
    second = desk("Viewer").get(preview, {"details": 2}).content.decode()
    assert f"api-{DETAILS_PER_PAGE}" in second
    assert "api-0<" not in second


class TestFiles:
    """The files of the archive; what was stored is given away as it is."""

    @pytest.fixture
    def invoice(self, atlas: Organization) -> Invoice:
        return an_invoice(atlas)

    def test_until_they_are_stored_the_pages_say_so(self, alice: Client, invoice: Invoice) -> None:
        assert "The PDF is being prepared." in page_of(alice, invoice)
        response = alice.get(url("invoice_pdf", invoice))
        assert response.status_code == 404
        assert "not ready yet" in response.content.decode()

    @pytest.mark.parametrize(("kind", "content_type"), [("pdf", "application/pdf"), ("xml", "application/xml")])
    def test_they_are_given_away_under_the_number(
        self, alice: Client, invoice: Invoice, kind: str, content_type: str
    ) -> None:
        stored = store(invoice)
        assert url(f"invoice_{kind}", invoice) in page_of(alice, invoice)
        response = alice.get(url(f"invoice_{kind}", invoice))
        assert response["Content-Type"] == content_type
        assert response["Content-Disposition"] == f'attachment; filename="{invoice.number}.{kind}"'
        size = stored.pdf_bytes if kind == "pdf" else stored.xml_bytes
        assert len(b"".join(response)) == size

    def test_the_e_invoice_is_there_as_ubl_too(self, alice: Client, invoice: Invoice) -> None:
        store(invoice)
        assert url("invoice_ubl", invoice) in page_of(alice, invoice)
        response = alice.get(url("invoice_ubl", invoice))
        assert response["Content-Disposition"] == f'attachment; filename="{invoice.number}.ubl.xml"'
        assert f"<cbc:ID>{invoice.number}</cbc:ID>".encode() in response.getvalue()
        assert (response.status_code, Client().get(url("invoice_ubl", invoice)).status_code) == (200, 302)

    def test_a_lost_file_is_no_crash(self, alice: Client, invoice: Invoice) -> None:
        storages["documents"].delete(store(invoice).pdf_name)
        assert alice.get(url("invoice_pdf", invoice)).status_code == 404

    def test_a_number_may_have_a_slash(self, alice: Client, invoice: Invoice) -> None:
        # Issued documents cannot be renamed, so only the address is tried.
        address = reverse("portal:invoice_pdf", args=["orga_atlas", "F/2026/1"])
        assert address == "/organizations/orga_atlas/invoices/F%252F2026%252F1.pdf"
        assert alice.get(address).status_code == 404
        assert ArchivedDocument.objects.filter(invoice=invoice).exists()


class TestUsageAsCsv:
    """Every usage detail, for spreadsheets."""

    @pytest.fixture
    def parts(self, atlas: Organization) -> Invoice:
        lab = make_organization(external_id="orga_lab", name="=HYPERLINK(1)", parent=atlas)
        make_metered_price(unit_price="0.01")
        Organization.objects.filter(pk=atlas.pk).update(consumption_discount_ppm=100_000)
        consume(atlas, quantity=2_000, on="2026-10-05")
        consume(lab, quantity=1_000, on="2026-10-06")
        close_and_issue("2026-10")
        return invoice_of(atlas, "2026-10")

    def test_its_amounts_are_the_fees(self, alice: Client, parts: Invoice) -> None:
        response = alice.get(url("usage_csv", parts))
        content = b"".join(response).decode("utf-8-sig")
        header, *rows = csv.reader(io.StringIO(content))
        assert header[0] == "Month"
        assert header[-2:] == ["Amount excl. VAT", "Currency"]
        assert [row[-2] for row in rows] == ["20.00", "10.00", "-3.00"]
        assert rows[1][1] == "'=HYPERLINK(1)"
        assert rows[2][3] == "Discount on consumption"
        assert response["Content-Disposition"] == f'attachment; filename="{parts.number}.csv"'
