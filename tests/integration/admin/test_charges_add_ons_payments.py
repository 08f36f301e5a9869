"""Charges, add-ons and payments at the desk."""

from datetime import date
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from billing.models import AddOn, AddOnPlan, AddOnPlanPrice, Allocation, Charge, Invoice, Payment
from organizations.models import Organization
from tests.builders.desk import desk
from tests.builders.invoices import make_credit_note, make_invoice
from tests.builders.organizations import make_organization
from tests.builders.payments import make_payment

pytestmark = pytest.mark.django_db


@pytest.fixture
def fiona() -> Client:
    """An accountant."""
    return desk("Accountant")


def charge_form(organization: Organization, **values: str) -> dict[str, str]:
    """What the form of a charge sends."""
    return {
        "organization": str(organization.pk),
        "reference": "MIG-7",
        "type": "one_shot",
        "description": "Database migration",
        "quantity_micro": "1.5",
        "unit_price_micro": "800",
        "date": "2026-10-20",
        **values,
    }


def make_charge(*, invoice: Invoice | None = None) -> Charge:
    return Charge.objects.create(
        reference="MIG-7",
        organization=invoice.organization if invoice else make_organization(),
        type="one_shot",
        description="Database migration",
        quantity_micro=1_000_000,
        unit_price_micro=800_000_000,
        date=date(2026, 10, 20),
        invoice=invoice,
    )


def test_a_charge_is_added_and_shows_its_net_amount(fiona: Client) -> None:
    fiona.post(reverse("admin:billing_charge_add"), charge_form(make_organization()))

    charge = Charge.objects.get()
    assert (charge.quantity_micro, charge.unit_price_micro) == (1_500_000, 800_000_000)
    page = fiona.get(reverse("admin:billing_charge_change", args=[charge.pk])).content.decode()
    assert "1,200.00 <span" in page  # 1.5 x 800.00


@pytest.mark.parametrize("values", [{"quantity_micro": "-1"}, {"unit_price_micro": "1.2345678"}, {"date": ""}])
def test_a_charge_that_cannot_be_is_refused(fiona: Client, values: dict[str, str]) -> None:
    response = fiona.post(reverse("admin:billing_charge_add"), charge_form(make_organization(), **values))
    assert response.status_code == 200
    assert not Charge.objects.exists()


def test_a_charge_that_an_issued_invoice_took_is_frozen(fiona: Client) -> None:
    charge = make_charge(invoice=make_invoice(status="pending"))
    change = reverse("admin:billing_charge_change", args=[charge.pk])

    assert fiona.get(change).status_code == 200
    assert fiona.post(change, charge_form(charge.organization)).status_code == 403
    assert fiona.post(reverse("admin:billing_charge_delete", args=[charge.pk]), {"post": "yes"}).status_code == 403
    # Nor by ticking it in the list.
    ticked = {"action": "delete_selected", "_selected_action": str(charge.pk), "post": "yes"}
    fiona.post(reverse("admin:billing_charge_changelist"), ticked)
    assert Charge.objects.filter(pk=charge.pk).exists()


def test_a_charge_that_waits_can_be_changed_and_deleted(fiona: Client) -> None:
    charge = make_charge()
    url = reverse("admin:billing_charge_change", args=[charge.pk])
    fiona.post(url, charge_form(charge.organization, unit_price_micro="900"))
    charge.refresh_from_db()
    assert charge.unit_price_micro == 900_000_000
    fiona.post(reverse("admin:billing_charge_delete", args=[charge.pk]), {"post": "yes"})
    assert not Charge.objects.exists()


def add_on_form(organization: Organization, plan: AddOnPlan, **values: str) -> dict[str, str]:
    """What the form of an add-on sends."""
    return {
        "external_id": "addon_1",
        "organization": str(organization.pk),
        "plan": str(plan.pk),
        "name": "Premium support",
        "quantity": "1",
        "started_on": "2026-09-12",
        "ended_on": "",
        **values,
    }


def make_plan(*, currency: str = "EUR") -> AddOnPlan:
    plan = AddOnPlan.objects.create(code=f"support-{currency}", name="Support", currency=currency)
    AddOnPlanPrice.objects.create(plan=plan, monthly_price_cents=4_900)
    return plan


def test_an_add_on_is_added_in_the_currency_of_its_organization(fiona: Client) -> None:
    organization = make_organization()
    url = reverse("admin:billing_addon_add")

    refused = fiona.post(url, add_on_form(organization, make_plan(currency="CHF")))
    fiona.post(url, add_on_form(organization, make_plan()))

    assert "The plan is in CHF, the organization is billed in EUR." in refused.content.decode()
    assert AddOn.objects.get().plan.currency == "EUR"


def test_an_add_on_that_ends_before_it_starts_is_refused(fiona: Client) -> None:
    form = add_on_form(make_organization(), make_plan(), ended_on="2026-09-11")
    response = fiona.post(reverse("admin:billing_addon_add"), form)
    assert "It cannot end before it starts." in response.content.decode()


def test_an_add_on_that_was_billed_can_only_be_ended(fiona: Client) -> None:
    plan, organization = make_plan(), make_organization()
    add_on = AddOn.objects.create(
        external_id="addon_1",
        organization=organization,
        plan=plan,
        name="Support",
        started_on=date(2026, 9, 12),
        billed_until=date(2026, 12, 1),
    )
    url = reverse("admin:billing_addon_change", args=[add_on.pk])

    fiona.post(url, add_on_form(organization, plan, started_on="2026-01-01", ended_on="2026-12-15"))

    add_on.refresh_from_db()
    assert (add_on.started_on, add_on.ended_on) == (date(2026, 9, 12), date(2026, 12, 15))
    assert desk("Billing manager").post(reverse("admin:billing_addon_delete", args=[add_on.pk])).status_code == 403


def plan_form(*prices: tuple[str, str]) -> dict[str, str]:
    """What the form of a plan sends: its prices by the day from which they count."""
    rows = {
        f"prices-{row}-{name}": value
        for row, price in enumerate(prices)
        for name, value in zip(("valid_from", "monthly_price_cents"), price, strict=True)
    }
    totals = {"prices-TOTAL_FORMS": str(len(prices)), "prices-INITIAL_FORMS": "0"}
    return {"code": "support", "name": "Support", "currency": "EUR", **totals, **rows}


def test_a_plan_has_prices_by_day() -> None:
    clara = desk("Controller")
    clara.post(reverse("admin:billing_addonplan_add"), plan_form(("", "49"), ("2027-01-01", "55.50")))
    assert list(AddOnPlan.objects.get().prices.values_list("monthly_price_cents", flat=True)) == [4_900, 5_550]
    assert "49.00 <span" in clara.get(reverse("admin:billing_addonplan_changelist")).content.decode()


@pytest.mark.parametrize(
    ("prices", "refusal"),
    [
        ((), "A plan needs a monthly price."),
        ((("", "49"), ("", "50")), "Two prices begin on the same day."),
        ((("2027-01-01", "49"), ("2027-01-01", "50")), "Two prices begin on the same day."),
        ((("", "-1"),), "Write an amount of at most two decimals"),
    ],
)
def test_a_plan_without_a_clear_price_is_refused(prices: tuple[tuple[str, str], ...], refusal: str) -> None:
    response = desk("Controller").post(reverse("admin:billing_addonplan_add"), plan_form(*prices))
    assert refusal in response.content.decode()
    assert not AddOnPlan.objects.exists()


def payment_form(invoice: Invoice, **values: str) -> dict[str, str]:
    """What the form of a payment sends."""
    return {
        "organization": str(invoice.organization_id),
        "reference": "BANK-1",
        "amount_cents": "24.00",
        "date": "2026-11-05",
        "method": "bank_transfer",
        "invoice_number": invoice.number or "",
        **values,
    }


def test_a_payment_is_recorded_and_settles_its_invoice(fiona: Client) -> None:
    invoice = make_invoice(fees_cents=1_000, status="pending")  # 10.00 + 10.00 refill + 20 % VAT

    response = fiona.post(reverse("admin:billing_payment_add"), payment_form(invoice))

    assert response.status_code == 302
    invoice.refresh_from_db()
    assert (invoice.payment_state, invoice.paid_cents) == ("paid", 2_400)
    page = fiona.get(reverse("admin:billing_payment_change", args=[Payment.objects.get().pk])).content.decode()
    assert str(invoice.number) in page


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"invoice_number": "F-0"}, "There is no issued invoice F-0."),
        ({"amount_cents": "0"}, "is not money received"),
        ({"date": "2999-01-01"}, "A payment cannot be dated in the future"),
    ],
)
def test_a_payment_that_cannot_be_is_refused(fiona: Client, values: dict[str, str], refusal: str) -> None:
    invoice = make_invoice(fees_cents=1_000, status="pending")
    response = fiona.post(reverse("admin:billing_payment_add"), payment_form(invoice, **values))
    assert refusal in response.content.decode()
    assert not Payment.objects.exists()


def test_money_received_is_neither_edited_nor_deleted(fiona: Client) -> None:
    invoice = make_invoice(fees_cents=1_000, status="paid")
    payment = Payment.objects.get(organization=invoice.organization)
    assert fiona.post(reverse("admin:billing_payment_change", args=[payment.pk]), {}).status_code == 403
    assert fiona.post(reverse("admin:billing_payment_delete", args=[payment.pk])).status_code == 403


@pytest.mark.parametrize("role", ["Viewer", "Controller", "Auditor"])
def test_others_record_nothing(role: str) -> None:
    client = desk(role)
    for name in ("charge", "payment", "addon"):
        assert client.get(reverse(f"admin:billing_{name}_add")).status_code == 403


def test_a_price_that_the_form_does_not_know_of_keeps_its_day() -> None:
    clara = desk("Controller")
    clara.post(reverse("admin:billing_addonplan_add"), plan_form(("", "49")))
    plan = AddOnPlan.objects.get()
    response = clara.post(reverse("admin:billing_addonplan_change", args=[plan.pk]), plan_form(("", "50")))
    assert "Two prices begin on the same day." in response.content.decode()
    assert plan.prices.get().monthly_price_cents == 4_900


# --- What people type and look for ------------------------------------------------------------------------------------


@pytest.mark.parametrize("day", ["0001-01-01", "1969-12-31", "9998-01-01", "9999-12-31"])
def test_a_year_that_no_calendar_here_reaches_is_refused(fiona: Client, day: str) -> None:
    page = fiona.post(reverse("admin:billing_charge_add"), charge_form(make_organization(), date=day))
    assert "is out of range: choose a day from 1970 to 9997." in page.content.decode()
    assert not Charge.objects.exists()


def test_payments_are_found_by_the_beginning_of_their_reference(fiona: Client) -> None:
    atlas = make_organization(name="Bank of Atlas")
    for reference in ("BANK-17", "BANK-18", "CARD-17"):
        make_payment(organization=atlas, reference=reference)

    def found(term: str) -> list[str]:
        listed = fiona.get(reverse("admin:billing_payment_changelist"), {"q": term}).context["cl"].result_list
        return sorted(payment.reference for payment in listed)

    assert found("BANK-17") == ["BANK-17"]
    assert found("BANK-1") == ["BANK-17", "BANK-18"]
    assert found("Bank of") == ["BANK-17", "BANK-18", "CARD-17"]


def test_an_allocation_is_undone_from_the_page_of_its_invoice(fiona: Client) -> None:
    invoice = make_invoice(status="pending", fees_cents=1_000)
    make_payment(organization=invoice.organization, amount_cents=500, settles={invoice: 500})
    page = fiona.get(reverse("admin:billing_invoice_change", args=[invoice.pk]))
    allocation = invoice.allocations.get()
    url = unescape(f"{page.context['undo_url']}&allocation={allocation.pk}")
    assert url in unescape(page.content.decode())
    assert f'<option value="{allocation.pk}" selected>' in fiona.get(url).content.decode()

    done = fiona.post(url, {"allocation": str(allocation.pk), "reason": "It was for another invoice"})

    assert done["Location"] == reverse("admin:billing_invoice_change", args=[invoice.pk])
    invoice.refresh_from_db()
    assert invoice.paid_cents == 0
    assert fiona.get(done["Location"]).context["undo_url"] == ""


def test_money_that_a_credit_note_freed_says_so_in_the_readers_language(fiona: Client) -> None:
    invoice = make_invoice(status="paid", fees_cents=1_000)
    payment = make_payment(organization=invoice.organization)
    note = make_credit_note(refers_to=invoice, net_cents=100)
    Allocation.objects.create(
        payment=payment, invoice=invoice, amount_cents=100, undone_at=timezone.now(), credited_by=note
    )
    page = fiona.get(reverse("admin:billing_payment_change", args=[payment.pk])).content.decode()
    assert f"Credited by {note.number}" in page
