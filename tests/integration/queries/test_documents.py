"""Invoices and credit notes as one value each: what every renderer reads."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import ExchangeRate, Invoice, Meter, Price
from billing.queries.documents import load_document, load_documents
from billing.queries.usage_rows import usage_rows
from billing.usecases._changes import Note, PurchaseOrder
from organizations.models import Organization
from tests.builders.adjusting import adjust
from tests.builders.closing import (
    close,
    close_and_issue,
    consume,
    invoice_of,
    make_add_on,
    make_metered_price,
    make_plan,
)
from tests.builders.guards import guards_lifted
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db


def test_an_issued_invoice_has_all_three_sections() -> None:
    make_metered_price(unit_price="0.01")
    parent = make_organization(name="Atlas")
    child = make_organization(name="Atlas Labs", parent=parent)
    make_add_on(organization=child, plan=make_plan())
    consume(parent, quantity=2_000, on="2026-10-05")
    consume(child, quantity=1_000, on="2026-10-06")
    close_and_issue("2026-10")

    invoice = invoice_of(parent, "2026-10")
    document = load_document(invoice.pk)

    assert (document.kind, document.number, document.issue_date) == ("invoice", invoice.number, invoice.issue_date)
    assert (document.consumption_month, document.provision_month) == (date(2026, 10, 1), date(2026, 11, 1))
    assert document.buyer.organization == parent.external_id
    assert {line.organization_name for line in document.lines} == {"", "Atlas Labs"}
    assert [(usage.name, usage.amount_cents) for usage in document.usage] == [("Atlas", 20_00), ("Atlas Labs", 10_00)]
    assert document.has_sub_organizations
    assert sum(usage.amount_cents for usage in document.usage) + document.usage_discount_cents == document.fees_cents
    assert sum(line.net_cents for line in document.lines) == document.subtotal_cents
    assert document.total_cents == document.subtotal_cents + sum(tax.vat_cents for tax in document.taxes)
    price = document.usage[0].resources[0].lines[0].price
    assert price is not None
    assert [tier.unit_price for tier in price.tiers] == [Decimal("0.01")]  # what the quantity is priced at


def test_a_draft_has_todays_parties_and_what_staff_gave_by_hand() -> None:
    make_metered_price(unit_price="0.01")
    organization = make_organization()
    consume(organization, quantity=2_000, on="2026-10-05")
    close("2026-10")
    adjust(organization, Note(text="Thank you"))
    adjust(organization, PurchaseOrder(text="PO-9"))

    document = load_document(invoice_of(organization, "2026-10").pk)

    assert document.is_draft
    assert (document.note, document.buyer.purchase_order, document.due_date) == ("Thank you", "PO-9", None)


def test_a_hundred_documents_cost_as_many_queries_as_one() -> None:
    make_metered_price(unit_price="0.01")
    for index in range(12):
        consume(make_organization(name=f"Customer {index}"), quantity=1_000 + index, on="2026-10-05")
    close_and_issue("2026-10")
    ids = list(Invoice.objects.values_list("pk", flat=True))
    with CaptureQueriesContext(connection) as one:
        load_documents(ids[:1])
    with CaptureQueriesContext(connection) as all_of_them:
        load_documents(ids)

    assert len(ids) == 12
    assert len(all_of_them) == len(one)


def test_an_issued_document_keeps_the_names_and_the_rate_that_it_was_issued_with() -> None:
    make_metered_price(unit_price="0.01")
    Price.objects.update(currency="USD")
    ExchangeRate.objects.create(currency="USD", day=date(2026, 10, 30), per_euro_micro=1_083_700)
    parent = make_organization(name="Atlas", currency="USD")
    child = make_organization(name="Atlas Labs", parent=parent, currency="USD")
    consume(child, quantity=1_000, on="2026-10-06")
    close_and_issue("2026-10")
    invoice = invoice_of(parent, "2026-10")
    before, rows = load_document(invoice.pk), list(usage_rows(invoice))
    assert before.exchange is not None
    assert before.usage[0].name == "Atlas Labs"

    Organization.objects.update(name="Someone else")
    Meter.objects.update(name="Another meter")
    ExchangeRate.objects.create(currency="USD", day=date(2026, 11, 1), per_euro_micro=1_120_000)

    invoice.refresh_from_db()
    assert load_document(invoice.pk) == before
    assert list(usage_rows(invoice)) == rows


def test_a_document_issued_before_names_were_copied_is_read_with_those_of_today() -> None:
    make_metered_price(unit_price="0.01")
    organization = make_organization(name="Atlas")
    consume(organization, quantity=1_000, on="2026-10-06")
    close_and_issue("2026-10")
    invoice = invoice_of(organization, "2026-10")
    with guards_lifted():
        Invoice.objects.filter(pk=invoice.pk).update(printed=None)

    assert load_document(invoice.pk).usage[0].name == "Atlas"
