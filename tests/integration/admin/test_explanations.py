"""One click from a figure to how it came about: every figure of an invoice has a panel that ends in that figure."""

from datetime import date
from typing import Any

import pytest
from django.urls import reverse

from billing.admin.explanations import find_explanation
from billing.models import Charge, Invoice, UsageDetail
from billing.usecases.adjust_invoice import Discount
from organizations.models import Organization
from tests.builders.adjusting import adjust
from tests.builders.closing import (
    close,
    close_and_issue,
    consume,
    invoice_of,
    issue,
    local,
    make_add_on,
    make_charge,
    make_metered_price,
    make_plan,
    pay,
)
from tests.builders.credits import make_grant
from tests.builders.desk import desk
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db


@pytest.fixture
def atlas() -> Organization:
    make_metered_price()
    return make_organization(
        external_id="orga_atlas", name="Atlas", opened_on=date(2026, 8, 1), consumption_discount_ppm=100_000
    )


def steps_of(invoice: Invoice, figure: str) -> list[tuple[str, str]]:
    explanation = find_explanation(invoice, figure)
    assert explanation is not None
    return [(step.label, str(step.figure)) for step in explanation.steps]


def figures_of(invoice: Invoice) -> dict[str, int]:
    """Every figure that the page of an invoice shows, by its name."""
    statement = invoice.statement
    letters = {
        "a": statement.free_balance_cents,
        "b": statement.prepaid_balance_cents,
        "c": statement.used_free_cents,
        "f": statement.estimate_cents,
        "g": statement.pending_cents,
        "h": statement.refill_cents,
    }
    return {
        "total": invoice.total_cents,
        "subtotal": invoice.subtotal_cents,
        **{f"line-{line.pk}": line.net_cents for line in invoice.lines.all()},
        **{f"vat-{tax.pk}": tax.vat_cents for tax in invoice.tax_subtotals.all()},
        **{f"detail-{detail.pk}": detail.amount_cents for detail in invoice.usage_details.all()},
        **{f"letter-{letter}": cents for letter, cents in letters.items()},
    }


def test_every_figure_of_a_full_invoice_has_a_panel(atlas: Organization) -> None:
    make_grant(organization=atlas, type="free", amount_cents=500, expires_on=date(2026, 10, 31), reason="Trial")
    consume(atlas, quantity=10_000, on="2026-09-03")
    close_and_issue("2026-09")
    pay(invoice_of(atlas, "2026-09"))
    plan = make_plan()
    make_add_on(organization=atlas, plan=plan, started_on=date(2026, 10, 12))
    make_charge(organization=atlas)
    consume(atlas, quantity=20_000, on="2026-10-03")
    consume(atlas, quantity=100, on="2026-09-20", at=local("2026-10-20"))
    close("2026-10")
    for invoice in (invoice_of(atlas, "2026-09"), invoice_of(atlas, "2026-10")):
        for figure, cents in figures_of(invoice).items():
            explanation = find_explanation(invoice, figure)
            assert explanation is not None, figure
            assert explanation.cents == cents, figure
            assert explanation.steps, figure


def test_a_tiered_amount_is_explained_down_to_its_rounding() -> None:
    make_metered_price(code="requests", unit="request", tiers=[(1_000, "0.001"), (None, "0.00033333")])
    nova = make_organization(external_id="orga_nova", opened_on=date(2026, 10, 1))
    consume(nova, quantity=1_500, on="2026-10-03", meter="requests")
    consume(nova, quantity=251, on="2026-10-09", meter="requests")
    close("2026-10")
    invoice = invoice_of(nova, "2026-10")
    steps = steps_of(invoice, f"detail-{UsageDetail.objects.get(invoice=invoice).pk}")
    assert steps[0] == ("2 usage records", "1,751 request")
    # 1,000 x 0.001 = 1.00 and 751 x 0.00033333 = 0.25033083: 1.25033083 -> 1.25
    assert steps[3:] == [
        ("1,000 request × 0.001 per request", "1"),
        ("751 request × 0.00033333 per request", "0.25033083"),
        ("Rounded once, half away from zero", "1.25"),
    ]


def test_late_usage_is_explained_by_what_was_billed_before(atlas: Organization) -> None:
    consume(atlas, quantity=10_000, on="2026-09-03")
    close_and_issue("2026-09")
    consume(atlas, quantity=50, on="2026-09-04", at=local("2026-10-20"))
    close("2026-10")
    invoice = invoice_of(atlas, "2026-10")
    steps = steps_of(invoice, f"detail-{UsageDetail.objects.get(invoice=invoice, meter__isnull=False).pk}")
    assert ("Quantity of the line, all of it", "2h 47m 30s") in steps
    # 100.50 of all less 100.00 billed in September
    assert steps[-1] == ("Billed now", "0.50")


def test_what_credits_paid_names_the_grants(atlas: Organization) -> None:
    make_grant(organization=atlas, type="free", amount_cents=500, reason="Trial")
    consume(atlas, quantity=10_000, on="2026-09-03")
    close_and_issue("2026-09")
    invoice = invoice_of(atlas, "2026-09")
    assert steps_of(invoice, "letter-a") == [("Trial", "5.00")]
    assert steps_of(invoice, "letter-c") == [("Trial", "-5.00")]
    consume(atlas, quantity=10_000, on="2026-10-03")
    close("2026-10")
    # The provision of September is not paid yet.
    ((_, pending),) = steps_of(invoice_of(atlas, "2026-10"), "letter-g")
    assert pending == "90.00"
    issue("2026-10")
    pay(invoice, at=local("2026-11-20"))
    ((_, pending),) = steps_of(invoice_of(atlas, "2026-10"), "letter-g")
    assert pending == "90.00"


def test_a_discount_names_what_it_was_taken_off(atlas: Organization) -> None:
    consume(atlas, quantity=10_000, on="2026-10-03")
    make_charge(organization=atlas)
    close("2026-10")
    charge_key = f"one_shot:{Charge.objects.get().pk}"
    adjust(atlas, Discount(charge_key, amount_cents=50_00))
    adjust(atlas, Discount(percent_ppm=100_000))
    invoice = invoice_of(atlas, "2026-10")
    on_line, on_whole = invoice.lines.filter(kind="discount").order_by("position")
    assert ("Taken off", "800.00") in steps_of(invoice, f"line-{on_line.pk}")
    # 90.00 of regularization + 800.00 - 50.00
    assert ("Taken off", "840.00") in steps_of(invoice, f"line-{on_whole.pk}")
    assert on_whole.net_cents == -84_00
    of_consumption = invoice.usage_details.get(meter=None)
    assert ("The whole consumption", "100.00") in steps_of(invoice, f"detail-{of_consumption.pk}")


def test_the_panel_is_a_dialog_or_a_page(atlas: Organization) -> None:
    consume(atlas, quantity=100, on="2026-10-03")
    close("2026-10")
    invoice = invoice_of(atlas, "2026-10")
    client = desk("Viewer")
    page = client.get(reverse("admin:billing_invoice_change", args=[invoice.pk])).content.decode()
    assert "../explain/total/" in page
    url = reverse("admin:billing_invoice_explain", args=[invoice.pk, "total"])
    assert "<html" in client.get(url).content.decode()
    assert "<html" not in client.get(url, headers={"HX-Request": "true"}).content.decode()


@pytest.mark.parametrize("figure", ["line-0", "line-x", "letter-z", "detail-99999999999999999999", "nothing", "vat-"])
def test_a_figure_that_is_not_there_is_not_found(figure: str, atlas: Organization) -> None:
    consume(atlas, quantity=100, on="2026-10-03")
    close("2026-10")
    url = reverse("admin:billing_invoice_explain", args=[invoice_of(atlas, "2026-10").pk, figure])
    assert desk("Viewer").get(url).status_code == 404


def test_figures_of_another_invoice_are_not_found(atlas: Organization) -> None:
    for number in (1, 2):
        consume(
            make_organization(external_id=f"orga_{number}", opened_on=date(2026, 10, 1)), quantity=9, on="2026-10-03"
        )
    close("2026-10")
    one, other = Invoice.objects.order_by("id")
    assert find_explanation(one, f"line-{other.lines.first().pk}") is None  # type: ignore[union-attr]  # it is there


def test_panels_take_few_queries(atlas: Organization, django_assert_max_num_queries: Any) -> None:
    consume(atlas, quantity=10_000, on="2026-10-03")
    close("2026-10")
    invoice = invoice_of(atlas, "2026-10")
    for figure in figures_of(invoice):
        with django_assert_max_num_queries(8):
            find_explanation(Invoice.objects.select_related("organization").get(pk=invoice.pk), figure)
