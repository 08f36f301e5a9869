"""The invoice as its page shows it: three sections, every amount explained, nothing to edit."""

import re
from datetime import UTC, date, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.domain.quantities import MICRO
from billing.models import AddOn, AddOnPlan, Invoice, Price, Resource, UsageDetail
from tests.builders.credits import book_entry, make_grant
from tests.builders.desk import desk
from tests.builders.invoices import make_credit_note, make_invoice, make_line
from tests.builders.organizations import make_organization
from tests.builders.usage import OCTOBER, make_meter, make_price, make_resource, make_usage_record

pytestmark = pytest.mark.django_db


@pytest.fixture
def fiona() -> Client:
    """An accountant of the finance team."""
    return desk("Accountant")


def url_of(invoice: Invoice) -> str:
    return reverse("admin:billing_invoice_change", args=[invoice.pk])


def text_of(client: Client, invoice: Invoice, **parameters: str | int) -> str:
    """The page without its tags and line breaks, as a reader sees it."""
    response = client.get(url_of(invoice), parameters)
    assert response.status_code == 200
    content = response.content.decode()
    body = content[content.index('id="content-main"') :]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)).replace("&#x27;", "'")


def add_detail(
    invoice: Invoice, resource: Resource, price: Price, *, quantity: int, amount_cents: int, month: date = OCTOBER
) -> UsageDetail:
    return UsageDetail.objects.create(
        invoice=invoice,
        month=month,
        organization=resource.organization,
        resource=resource,
        resource_name=resource.name,
        meter=price.meter,
        zone="par",
        price=price,
        quantity_micro=quantity * MICRO,
        amount_cents=amount_cents,
    )


def test_the_summary_shows_parties_dates_lines_taxes_and_what_is_due(fiona: Client) -> None:
    organization = make_organization(name="Atlas")
    # Consumption 686.89 with 691.35 prepaid; 20 % VAT on the refill of 682.43 is 136.49.
    make_grant(organization=organization, amount_cents=69_135)
    invoice = make_invoice(organization=organization, fees_cents=68_689, status="pending")

    text = text_of(fiona, invoice)

    for shown in (
        "F20261101-000001",
        "Atlas",
        "October 2026",
        "Credits provision, November 2026",
        "682.43",
        "VAT 20 % on 682.43 EUR (standard rate) 136.49 EUR",
        "Total incl. VAT 818.92 EUR",
        "Amount due 818.92 EUR",
        "1 November 2026",  # issued
        "1 December 2026",  # due
    ):
        assert shown in text


def test_the_statement_shows_each_letter_with_formula_amount_and_sentence(fiona: Client) -> None:
    organization = make_organization()
    make_grant(organization=organization, amount_cents=69_135)

    text = text_of(fiona, make_invoice(organization=organization, fees_cents=68_689))

    for line in (
        "Previous prepaid credits balance",
        "= a + b 691.35",
        "= −min(U + c, b) -686.89",
        "= −(A + c + d + e + f + g) 682.43",
        "= A + c + d + e + h 686.89",
        "= B − A -4.46",
        "= i − d -4.46",
        "Free credits pay first, as far as they go: the consumption U is 686.89.",
        "What is missing for November 2026: the provision that this invoice sells.",
    ):
        assert line in text


@pytest.mark.parametrize(
    ("balance_cents", "fees_cents", "refill_cents", "sentence", "formula"),
    [
        # 100.00 - 40.00 used leaves 60.00, 20.00 more than the estimate of 40.00.
        (
            10_000,
            4_000,
            None,
            "Nothing: there is 20.00 more than estimated, which stays on the account.",
            "= max(0, −(A + c + d + e + f + g)) 0.00",
        ),
        (8_000, 4_000, None, "Nothing is missing for November 2026.", "= −(A + c + d + e + f + g) 0.00"),
        (
            8_000,
            4_000,
            50_000,
            "An amount agreed with the organization or set by hand",
            "instead of the computed one. 500.00",
        ),
    ],
)
def test_the_refill_says_how_it_came_about(
    fiona: Client, balance_cents: int, fees_cents: int, refill_cents: int | None, sentence: str, formula: str
) -> None:
    organization = make_organization()
    make_grant(organization=organization, amount_cents=balance_cents)

    text = text_of(fiona, make_invoice(organization=organization, fees_cents=fees_cents, refill_cents=refill_cents))

    assert sentence in text
    assert formula in text


def test_both_ways_to_the_subtotal_are_shown(fiona: Client) -> None:
    organization = make_organization()
    make_grant(organization=organization, amount_cents=10_000)
    # U = 130.00 with 100.00 prepaid: regularization 30.00, refill 130.00, net use +30.00; a charge of 800.00.
    invoice = make_invoice(organization=organization, fees_cents=13_000, direct=[make_line()])

    text = text_of(fiona, invoice)

    assert "regularization 30.00 + provision h 130.00 + add-ons and other lines D 800.00 = 960.00 EUR" in text
    assert "fees U 130.00 + add-ons and other lines D 800.00 + net use of credits 30.00 = 960.00 EUR" in text


def test_movements_since_the_previous_statement_are_listed(fiona: Client) -> None:
    organization = make_organization()
    september = make_invoice(organization=organization, month=date(2026, 9, 1), fees_cents=5_000, status="paid")
    gift = make_grant(
        organization=organization,
        type="free",
        amount_cents=2_000,
        reason="an outage",
        at=datetime(2026, 10, 20, tzinfo=UTC),
    )
    book_entry(grant=gift, kind="revocation", amount_cents=-500, at=datetime(2026, 10, 21, tzinfo=UTC))

    text = text_of(fiona, make_invoice(organization=organization, fees_cents=5_000))

    assert "Left by the statement of September 2026, before its refill" in text
    assert f"Invoice {september.number} was paid: its credits became usable." in text
    assert "+50.00" in text
    assert "Credits were granted: an outage. " in text
    assert "Credits were revoked: an outage. " in text
    # 0.00 left + 50.00 paid + 20.00 granted - 5.00 revoked
    assert "Previous balance of this statement (A) 65.00 EUR" in text


def test_credits_that_start_later_are_not_lost_from_the_reckoning(fiona: Client) -> None:
    organization = make_organization()
    make_invoice(organization=organization, month=date(2026, 9, 1), fees_cents=5_000, status="pending")
    make_grant(
        organization=organization,
        type="free",
        amount_cents=2_000,
        starts_on=date(2026, 11, 1),
        at=datetime(2026, 10, 20, tzinfo=UTC),
    )

    text = text_of(fiona, make_invoice(organization=organization, fees_cents=5_000))

    assert "Credits whose dates make them usable, or not usable, in this month -20.00" in text


def test_usage_is_grouped_by_resource_with_durations_and_unit_prices(fiona: Client) -> None:
    organization = make_organization()
    invoice = make_invoice(organization=organization)
    price = make_price(meter=make_meter(code="apps.S"), unit_price="0.0444444444444444", per_quantity=3_600)
    # 1,198,594 s at 0.0444... an hour: 14.80
    add_detail(invoice, make_resource(organization=organization), price, quantity=1_198_594, amount_cents=1_480)

    text = text_of(fiona, invoice)

    assert "api-prod-ruby app_" in text
    assert "par 13d 20h 56m 34s 0.0444444444444444 EUR per hour 14.80" in text


def test_tiers_explain_how_they_make_the_amount(fiona: Client) -> None:
    organization = make_organization()
    invoice = make_invoice(organization=organization)
    tiers = ((10, "0"), (1_000, "0.09"), (None, "0.07"))
    price = make_price(meter=make_meter(code="cellar.outbound", unit="GB"), tiers=tiers)
    # 10 free, 990 x 0.09 = 89.10, 289 x 0.07 = 20.23
    add_detail(invoice, make_resource(organization=organization), price, quantity=1_289, amount_cents=10_933)

    text = text_of(fiona, invoice)

    assert "3 tiers, EUR per GB" in text
    assert "up to 1,000 GB 990 GB × 0.09 per GB" in text
    assert "above 1,000 GB 289 GB × 0.07 per GB" in text


def test_late_usage_names_its_month_and_does_not_pretend_to_start_at_the_first_tier(fiona: Client) -> None:
    organization = make_organization()
    invoice = make_invoice(organization=organization)
    price = make_price(meter=make_meter(code="cellar", unit="GB"), tiers=((10, "1"), (None, "0.50")))
    late = date(2026, 9, 1)
    # The difference of a line rated again: 4 GB beyond the first tier, 2.00.
    add_detail(invoice, make_resource(organization=organization), price, quantity=4, amount_cents=200, month=late)

    text = text_of(fiona, invoice)

    assert "late usage of September 2026" in text
    assert "× 1" not in text


def test_every_detail_leads_to_exactly_the_records_behind_it(fiona: Client) -> None:
    organization = make_organization()
    invoice = make_invoice(organization=organization)
    resource, price = make_resource(organization=organization), make_price(meter=make_meter())
    for _ in range(3):
        make_usage_record(resource=resource, meter=price.meter, quantity_micro=100 * MICRO)
    make_usage_record(resource=resource, meter=make_meter(code="apps.M"))
    make_usage_record(resource=resource, meter=price.meter, zone="rbx")
    make_usage_record(resource=resource, meter=price.meter, month=date(2026, 9, 1))
    make_usage_record(resource=make_resource(organization=organization), meter=price.meter)
    add_detail(invoice, resource, price, quantity=300, amount_cents=300)

    (row,) = fiona.get(url_of(invoice)).context["groups"][0]["resources"][0]["rows"]
    records = fiona.get(row.url)

    assert records.context["cl"].result_count == 3
    assert "3 records of apps.S: <strong>5m 0s</strong>" in records.content.decode()


def test_a_price_that_changed_within_the_month_leads_to_its_own_records(fiona: Client) -> None:
    organization = make_organization()
    invoice = make_invoice(organization=organization)
    resource, meter = make_resource(organization=organization), make_meter()
    change = datetime(2026, 10, 14, 22, tzinfo=UTC)
    old = make_price(meter=meter, valid_to=change)
    new = make_price(meter=meter, valid_from=change, unit_price="0.02")
    make_usage_record(resource=resource, meter=meter, started_at=datetime(2026, 10, 2, tzinfo=UTC))
    make_usage_record(resource=resource, meter=meter, started_at=datetime(2026, 10, 20, tzinfo=UTC))
    make_usage_record(resource=resource, meter=meter, started_at=datetime(2026, 10, 21, tzinfo=UTC))
    add_detail(invoice, resource, old, quantity=100, amount_cents=100)
    add_detail(invoice, resource, new, quantity=200, amount_cents=400)

    rows = fiona.get(url_of(invoice)).context["groups"][0]["resources"][0]["rows"]

    assert [fiona.get(row.url).context["cl"].result_count for row in rows] == [1, 2]


def test_sub_organizations_have_a_summary_first_and_a_page_of_their_own(fiona: Client) -> None:
    payer = make_organization(name="Atlas")
    labs = make_organization(name="Atlas Labs", parent=payer)
    invoice = make_invoice(organization=payer)
    price = make_price(meter=make_meter())
    add_detail(invoice, make_resource(organization=payer, name="api"), price, quantity=100, amount_cents=100)
    add_detail(invoice, make_resource(organization=labs, name="trial"), price, quantity=50, amount_cents=50)

    text = text_of(fiona, invoice)
    only_labs = text_of(fiona, invoice, organization=labs.pk)

    assert text.index("Fees per organization") < text.index("api app_") < text.index("trial app_")
    assert "api app_" not in only_labs
    assert "trial app_" in only_labs


def test_an_invoice_of_thousands_of_details_is_paged_and_costs_the_same_queries(fiona: Client) -> None:
    organization = make_organization()
    invoice = make_invoice(organization=organization)
    price = make_price(meter=make_meter(), tiers=((10, "1"), (None, "0.50")))

    def add(number: int) -> None:
        resources = Resource.objects.bulk_create(
            Resource(external_id=f"app_{organization.pk}_{number}_{i}", organization=organization, name=f"api-{i:04d}")
            for i in range(number)
        )
        UsageDetail.objects.bulk_create(
            UsageDetail(
                invoice=invoice,
                month=OCTOBER,
                organization=organization,
                resource=resource,
                resource_name=resource.name,
                meter=price.meter,
                zone="par",
                price=price,
                quantity_micro=20 * MICRO,
                amount_cents=1_500,
            )
            for resource in resources
        )

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            fiona.get(url_of(invoice))
        return len(captured)

    add(3)
    fiona.get(url_of(invoice))
    few = queries()
    add(450)

    assert queries() == few
    first, last = text_of(fiona, invoice), text_of(fiona, invoice, details=3)
    assert first.count("api-") == 200
    assert last.count("api-") == 53
    assert "453 details" in first


def test_lines_lead_to_what_they_bill(fiona: Client) -> None:
    organization = make_organization()
    plan = AddOnPlan.objects.create(code="support", name="Support")
    add_on = AddOn.objects.create(
        external_id="addon_1", organization=organization, plan=plan, name="Support", started_on=date(2026, 9, 12)
    )
    line = make_line(
        kind="add_on", name="Support", net_cents=4_900, source_id=add_on.pk,
        period_start=date(2026, 11, 1), period_end=date(2026, 12, 1),
    )  # fmt: skip
    invoice = make_invoice(organization=organization, direct=[line])

    page = fiona.get(url_of(invoice)).content.decode()

    assert reverse("admin:billing_addon_change", args=[add_on.pk]) in page
    assert "Support, November 2026" in page


def test_the_discount_on_consumption_is_a_line_of_its_own(fiona: Client) -> None:
    text = text_of(fiona, make_invoice(fees_cents=9_500, discount_cents=500))
    assert "Discount on consumption -5.00" in text
    assert "Fees U 95.00 EUR" in text


def test_payments_and_credit_notes_stand_below_the_total(fiona: Client) -> None:
    paid = make_invoice(fees_cents=1_000, status="paid")  # 10.00 regularized, 10.00 refilled, 20 % VAT: 24.00
    note = make_credit_note(refers_to=paid, net_cents=500)

    text = text_of(fiona, paid)

    assert "Paid on 5 November 2026" in text
    assert "-18.00 EUR" in text  # 24.00 - 6.00 that the credit note made unallocated again
    assert f"Credit note {note.number} -6.00 EUR" in text
    assert "Amount due 0.00 EUR" in text
    assert "Credit statement" not in text_of(fiona, note)


def test_nobody_pays_a_credit_note(fiona: Client) -> None:
    note = make_credit_note(refers_to=make_invoice(fees_cents=1_000, status="pending"), net_cents=100, status="paid")
    text = text_of(fiona, note)
    assert "Due on" not in text
    assert "Amount due" not in text
    assert "paid" not in text.lower()
    listed = fiona.get(reverse("admin:billing_invoice_changelist"), {"kind__exact": "credit_note"}).content.decode()
    assert "issued" in listed


def test_a_draft_says_that_it_is_one_and_shows_the_parties_of_today(fiona: Client) -> None:
    text = text_of(fiona, make_invoice(organization=make_organization(name="Atlas")))
    assert "A draft, computed" in text
    assert "Atlas SAS Jane Doe 1 rue du Joli Cœur 54000 Nancy France" in text
    assert "As it stands today; issuing keeps a copy on the invoice." in text


def test_findings_for_the_reviewer_stand_on_top(fiona: Client) -> None:
    invoice = make_invoice()
    finding = "This EU company has no VAT number: it is charged VAT like a consumer."
    notes = [{"code": "tax_finding", "values": {"finding": finding}}]
    Invoice.objects.filter(pk=invoice.pk).update(review_notes=notes)
    assert "This EU company has no VAT number" in text_of(fiona, invoice)


def test_nothing_can_be_edited_whatever_is_posted(fiona: Client) -> None:
    invoice = make_invoice(fees_cents=1_000)
    before = Invoice.objects.values().get(pk=invoice.pk)

    page = fiona.get(url_of(invoice)).content.decode()
    assert "_save" not in page
    assert "total_cents" not in page
    assert fiona.post(url_of(invoice), {"total_cents": "1"}).status_code == 403
    assert fiona.post(reverse("admin:billing_invoice_delete", args=[invoice.pk])).status_code == 403
    assert fiona.get(reverse("admin:billing_invoice_add")).status_code == 403

    assert Invoice.objects.values().get(pk=invoice.pk) == before


def test_an_address_that_makes_no_sense_shows_the_first_page(fiona: Client) -> None:
    invoice = make_invoice(fees_cents=1_000)
    for nonsense in ("0", "-1", "99", "x", "９", "9" * 30):
        assert "Fees U 10.00 EUR" in text_of(
            fiona, invoice, details=nonsense, organization=nonsense if nonsense == "x" else ""
        )


def test_an_invoice_that_does_not_exist_leads_back_to_the_desk(fiona: Client) -> None:
    response = fiona.get(reverse("admin:billing_invoice_change", args=[999_999]))
    assert response.status_code == 302


def test_strangers_see_nothing() -> None:
    invoice = make_invoice()
    assert Client().get(url_of(invoice)).status_code == 302  # to the sign-in page
