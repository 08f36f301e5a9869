"""The pages of money: a payment and where it is, what can be done about it there and on the invoice."""

from datetime import date

import pytest
from django.test import Client
from django.urls import reverse

from billing.models import Allocation, Event, Invoice, Payment, Refund
from organizations.models import Organization
from tests.builders.desk import desk
from tests.builders.invoices import make_credit_note, make_invoice
from tests.builders.money import charge_back, credits_of, money_of, receive, refund, stands, take_back, undo, write_off
from tests.builders.organizations import make_organization
from tests.builders.payments import make_payment

pytestmark = pytest.mark.django_db


@pytest.fixture
def fiona() -> Client:
    return desk("Accountant")


@pytest.fixture
def max_() -> Client:
    return desk("Billing manager")


@pytest.fixture
def atlas() -> Organization:
    return make_organization(external_id="orga_atlas")


@pytest.fixture
def october(atlas: Organization) -> Invoice:
    # U 100.00: regularization 100.00 + provision 100.00, 20 % VAT: 240.00
    return make_invoice(organization=atlas, status="pending", fees_cents=10_000)


def page_of(row: Invoice | Payment) -> str:
    return reverse(f"admin:billing_{row._meta.model_name}_change", args=[row.pk])


def dialog(row: Invoice | Payment, name: str) -> str:
    return reverse(f"admin:billing_{row._meta.model_name}_do", args=[row.pk, name])


def text_of(client: Client, row: Invoice | Payment) -> str:
    return client.get(page_of(row)).content.decode()


def offered(client: Client, row: Invoice | Payment) -> set[str]:
    buttons = client.get(page_of(row)).context["buttons"]
    return {button.name for button in buttons}


class TestPaymentPage:
    def test_it_shows_where_the_money_is_and_was(self, fiona: Client, atlas: Organization, october: Invoice) -> None:
        payment = receive(atlas, 30_000)
        undo(payment, october, reason="For the lab")
        refund(payment, 5_000, reference="BACK-7")

        text = text_of(fiona, payment)

        assert "For the lab" in text
        assert str(october.number) in text
        assert "BACK-7" in text
        assert "Paid twice" in text
        assert "250.00" in text  # unallocated: 300.00 - 50.00
        assert "<s" in text  # the undone allocation is struck out

    @pytest.mark.parametrize(
        ("role", "names"),
        [
            ("Accountant", {"undo", "chargeback"}),
            ("Billing manager", {"undo", "chargeback", "refund"}),
            ("Viewer", set()),
            ("Controller", set()),
            ("Auditor", set()),
        ],
    )
    def test_who_may_do_what(self, atlas: Organization, october: Invoice, role: str, names: set[str]) -> None:
        assert offered(desk(role), receive(atlas, 30_000)) == names

    def test_money_is_allocated_where_an_invoice_waits(
        self, fiona: Client, atlas: Organization, october: Invoice
    ) -> None:
        payment = receive(atlas, 30_000)
        assert "allocate" not in offered(fiona, payment)
        undo(payment, october, reason="For the lab")
        assert "allocate" in offered(fiona, payment)

    def test_what_is_gone_offers_nothing(self, max_: Client, atlas: Organization, october: Invoice) -> None:
        payment = receive(atlas, 24_000)
        assert offered(max_, payment) == {"undo", "chargeback"}
        charge_back(payment)
        assert offered(max_, payment) == set()
        assert "chargeback" in text_of(max_, payment)


class TestPaymentDialogs:
    def test_several_invoices_get_what_is_typed(self, fiona: Client, atlas: Organization) -> None:
        september = make_invoice(
            organization=atlas, status="pending", month=date(2026, 9, 1), fees_cents=10_000, refill_cents=0
        )  # 120.00
        october = make_invoice(organization=atlas, status="pending", fees_cents=10_000)  # 240.00
        payment = make_payment(organization=atlas, amount_cents=30_000)
        asked = fiona.get(dialog(payment, "allocate")).context["form"]
        assert {name: asked[name].value() for name in asked.fields if name.startswith("invoice_")} == {
            f"invoice_{september.pk}": "120.00",
            f"invoice_{october.pk}": "180.00",  # oldest first, as far as it goes
        }

        response = fiona.post(
            dialog(payment, "allocate"),
            {"seen_cents": "30000", f"invoice_{september.pk}": "20.00", f"invoice_{october.pk}": "240"},
        )

        assert response.status_code == 302, response.context["form"].errors
        assert (stands(september), stands(october)) == (("pending", 2_000), ("paid", 24_000))
        assert money_of(payment) == (26_000, 0, 4_000)

    @pytest.mark.parametrize(
        ("values", "refusal"),
        [
            ({"seen_cents": "29999"}, "Look at it again."),
            ({}, "Name at least one invoice."),
            ({"invoice": "240.01"}, "are left to pay"),
            ({"invoice": "-1"}, "Write an amount of at most two decimals"),
            ({"invoice_999999": "1.00"}, "The list of unpaid invoices has changed meanwhile."),
        ],
    )
    def test_what_cannot_be_allocated_is_said(
        self, fiona: Client, atlas: Organization, october: Invoice, values: dict[str, str], refusal: str
    ) -> None:
        payment = make_payment(organization=atlas, amount_cents=30_000)
        named = {f"invoice_{october.pk}" if name == "invoice" else name: value for name, value in values.items()}

        response = fiona.post(dialog(payment, "allocate"), {"seen_cents": "30000", **named})

        assert refusal in response.content.decode()
        assert not Allocation.objects.exists()

    def test_an_allocation_is_undone_with_a_reason(self, fiona: Client, atlas: Organization, october: Invoice) -> None:
        payment = receive(atlas, 24_000)
        allocation = Allocation.objects.get()
        url = f"{dialog(payment, 'undo')}?allocation={allocation.pk}"
        assert f'<option value="{allocation.pk}" selected>' in fiona.get(url).content.decode()

        assert "This field is required." in fiona.post(url, {"allocation": allocation.pk}).content.decode()
        assert fiona.post(url, {"allocation": allocation.pk, "reason": "For the lab"}).status_code == 302

        assert (stands(october), money_of(payment)) == (("pending", 0), (0, 0, 24_000))
        # A stale page, or somebody else's allocation:
        assert fiona.post(url, {"allocation": allocation.pk, "reason": "Again"}).status_code == 200
        assert Event.objects.filter(kind="allocation.undone").count() == 1

    def test_a_refund_takes_a_billing_manager(
        self, fiona: Client, max_: Client, atlas: Organization, october: Invoice
    ) -> None:
        payment = receive(atlas, 30_000)
        values = {
            "amount_cents": "60.00",
            "reference": "BACK-1",
            "date": "2026-11-18",
            "method": "bank_transfer",
            "reason": "Paid twice",
        }
        assert fiona.post(dialog(payment, "refund"), values).status_code == 403
        assert max_.get(dialog(payment, "refund")).context["form"]["amount_cents"].value() == "60.00"
        assert (
            "cannot go back"
            in max_.post(dialog(payment, "refund"), {**values, "amount_cents": "60.01"}).content.decode()
        )
        assert not Refund.objects.exists()

        assert max_.post(dialog(payment, "refund"), values).status_code == 302

        assert money_of(payment) == (24_000, 6_000, 0)

    def test_a_chargeback(self, fiona: Client, atlas: Organization, october: Invoice) -> None:
        payment = receive(atlas, 24_000)

        response = fiona.post(
            dialog(payment, "chargeback"), {"reference": "R-1", "date": "2026-11-18", "reason": "Insufficient funds"}
        )

        assert response.status_code == 302
        assert (stands(october), credits_of(october)) == (("pending", 0), ("pending", 0, 10_000))


class TestInvoicePage:
    @pytest.mark.parametrize(
        ("status", "names"),
        [
            ("pending", {"record-payment", "hold-payment", "write-off"}),
            ("processing", {"record-payment", "hold-payment"}),
            ("payment_held", {"record-payment", "resume-payment", "write-off"}),
            ("wont_pay", {"record-payment", "take-back-write-off"}),
            ("paid", set()),
            ("canceled", set()),
            ("draft", set()),
        ],
    )
    def test_what_is_offered(self, max_: Client, status: str, names: set[str]) -> None:
        invoice = make_invoice(status=status, fees_cents=10_000)  # type: ignore[arg-type]  # given by the test
        money = {"record-payment", "use-money", "hold-payment", "resume-payment", "write-off", "take-back-write-off"}
        assert offered(max_, invoice) & money == names

    def test_a_credit_note_is_not_paid(self, max_: Client, october: Invoice) -> None:
        assert "record-payment" not in offered(max_, make_credit_note(refers_to=october, net_cents=500))

    def test_a_payment_is_recorded_for_it(self, fiona: Client, atlas: Organization, october: Invoice) -> None:
        make_invoice(organization=atlas, status="pending", month=date(2026, 11, 1), fees_cents=10_000)
        asked = fiona.get(dialog(october, "record-payment")).context["form"]
        assert asked["amount_cents"].value() == "240.00"
        values = {"amount_cents": "250.00", "reference": "B-1", "date": "2026-11-18", "method": "bank_transfer"}

        for _ in range(2):  # a double click
            assert fiona.post(dialog(october, "record-payment"), values).status_code == 302

        assert stands(october) == ("paid", 24_000)
        assert money_of(Payment.objects.get()) == (24_000, 0, 1_000)
        assert Event.objects.filter(kind="payment.recorded").get().actor is not None

    def test_money_of_the_account_settles_it(self, fiona: Client, atlas: Organization, october: Invoice) -> None:
        assert "use-money" not in offered(fiona, october)
        payment = make_payment(organization=atlas, amount_cents=5_000, reference="BANK-9")
        assert "use-money" in offered(fiona, october)
        assert "BANK-9 · 50.00 EUR" in fiona.get(dialog(october, "use-money")).content.decode()

        values = {"payment": f"{payment.pk}-5000", "amount_cents": ""}
        assert fiona.post(dialog(october, "use-money"), values).status_code == 302
        assert fiona.post(dialog(october, "use-money"), values).status_code == 200  # nothing of it is left

        assert (stands(october), money_of(payment)) == (("pending", 5_000), (5_000, 0, 0))

    def test_it_is_written_off_and_that_taken_back(self, max_: Client, fiona: Client, october: Invoice) -> None:
        assert fiona.post(dialog(october, "write-off"), {"reason": "Bankrupt"}).status_code == 403
        assert max_.post(dialog(october, "write-off"), {"reason": "Bankrupt"}).status_code == 302
        assert stands(october) == ("wont_pay", 0)
        again = max_.post(dialog(october, "write-off"), {"reason": "Bankrupt"}).content.decode()
        assert "Only an invoice that waits for money can be written off." in again

        assert max_.post(dialog(october, "take-back-write-off"), {"reason": "Liquidator"}).status_code == 302
        assert stands(october) == ("pending", 0)

    def test_its_payment_is_held_and_resumed(self, fiona: Client, october: Invoice) -> None:
        assert fiona.post(dialog(october, "hold-payment"), {"reason": "Disputed"}).status_code == 302
        assert stands(october) == ("payment_held", 0)
        assert fiona.post(dialog(october, "resume-payment"), {"reason": "Settled"}).status_code == 302
        assert stands(october) == ("pending", 0)

    def test_only_what_is_in_force_stands_below_the_total(
        self, fiona: Client, atlas: Organization, october: Invoice
    ) -> None:
        undo(receive(atlas, 24_000), october)
        assert "Paid on" not in text_of(fiona, october)

    def test_suspended_credits_are_told_on_the_next_statement(
        self, fiona: Client, atlas: Organization, october: Invoice
    ) -> None:
        charge_back(receive(atlas, 24_000))
        november = make_invoice(organization=atlas, month=date(2026, 11, 1), fees_cents=1_000)

        text = text_of(fiona, november)

        assert f"Invoice {october.number} was paid: its credits became usable." in text
        assert "was unpaid again: what was unused of its credits waits for the payment." in text


class TestAccount:
    def test_the_list_finds_unallocated_money(self, fiona: Client, atlas: Organization, october: Invoice) -> None:
        receive(atlas, 24_000)
        free = make_payment(organization=make_organization(), amount_cents=100, reference="FREE-1")
        gone = make_payment(organization=make_organization(), amount_cents=100, reference="GONE-1")
        refund(gone, 100)

        rows = fiona.get(reverse("admin:billing_payment_changelist"), {"unallocated": "1"}).context["cl"].result_list

        assert [row.pk for row in rows] == [free.pk]

    def test_the_organization_shows_it(self, fiona: Client, atlas: Organization, october: Invoice) -> None:
        page = reverse("admin:organizations_organization_change", args=[atlas.pk])
        assert "Unallocated money" not in fiona.get(page).content.decode()
        receive(atlas, 25_000)
        text = fiona.get(page).content.decode()
        assert "Unallocated money" in text
        assert "unallocated=1" in text

    def test_a_write_off_owes_nothing(self, fiona: Client, atlas: Organization, october: Invoice) -> None:
        page = reverse("admin:organizations_organization_change", args=[atlas.pk])
        write_off(october)
        assert fiona.get(page).context["account"].due_cents == 0
        take_back(october)
        assert fiona.get(page).context["account"].due_cents == 24_000
