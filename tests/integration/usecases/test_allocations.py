"""Unallocated money settles the invoices that somebody names; an allocation can be undone."""

from datetime import date

import pytest

from billing.models import Allocation, Event, Invoice, Payment
from billing.usecases._permissions import NotAllowed
from billing.usecases._settlement import TooMuchMoney
from billing.usecases.allocate_payment import (
    MoneyMovedMeanwhile,
    NoSuchInvoice,
    NoSuchPayment,
    NothingToAllocate,
    NotItsInvoice,
    Share,
    allocate_payment,
)
from billing.usecases.undo_allocation import AlreadyUndone, NoReason, undo_allocation
from organizations.models import Organization
from tests.builders.closing import broken_promises
from tests.builders.desk import make_staff
from tests.builders.invoices import make_credit_note, make_invoice
from tests.builders.money import AT, allocate, credits_of, ledger_of, money_of, receive, stands, undo, write_off
from tests.builders.organizations import make_organization
from tests.builders.payments import make_payment

pytestmark = pytest.mark.django_db

SEPTEMBER, OCTOBER = date(2026, 9, 1), date(2026, 10, 1)


@pytest.fixture
def atlas() -> Organization:
    return make_organization(external_id="orga_atlas")


@pytest.fixture
def october(atlas: Organization) -> Invoice:
    # U 100.00: regularization 100.00 + provision 100.00, 20 % VAT: 240.00
    return make_invoice(organization=atlas, status="pending", fees_cents=10_000)


def free_money(organization: Organization, cents: int) -> Payment:
    return make_payment(organization=organization, amount_cents=cents)


class TestAllocate:
    def test_a_part_leaves_the_rest_on_both_sides(self, atlas: Organization, october: Invoice) -> None:
        payment = free_money(atlas, 30_000)

        allocate(payment, (october, 5_000))

        assert stands(october) == ("pending", 5_000)
        assert money_of(payment) == (5_000, 0, 25_000)
        assert credits_of(october) == ("pending", 0, 10_000)
        assert not broken_promises()

    def test_all_that_is_left_makes_it_paid_and_its_credits_usable_once(
        self, atlas: Organization, october: Invoice
    ) -> None:
        payment = free_money(atlas, 30_000)

        allocate(payment, (october, 5_000))
        allocate(payment, (october, None))

        assert stands(october) == ("paid", 24_000)
        assert money_of(payment) == (24_000, 0, 6_000)
        assert credits_of(october) == ("active", 10_000, 0)
        assert ledger_of(october) == ["grant 10000"]
        # One allocation in force; the smaller one that it replaces is kept.
        assert list(Allocation.objects.order_by("pk").values_list("amount_cents", "undone_at")) == [
            (5_000, AT),
            (24_000, None),
        ]
        assert not broken_promises()

    def test_several_invoices_in_the_order_given(self, atlas: Organization, october: Invoice) -> None:
        september = make_invoice(
            organization=atlas, status="pending", month=SEPTEMBER, fees_cents=10_000, refill_cents=0
        )  # 120.00
        payment = free_money(atlas, 30_000)

        allocate(payment, (october, 20_000), (september, None))

        assert (stands(october), stands(september)) == (("pending", 20_000), ("pending", 10_000))
        assert money_of(payment) == (30_000, 0, 0)

    def test_money_sent_for_another_invoice_may_settle_this_one(self, atlas: Organization) -> None:
        september = make_invoice(organization=atlas, status="paid", month=SEPTEMBER, fees_cents=10_000, refill_cents=0)
        october = make_invoice(organization=atlas, status="pending", fees_cents=10_000)
        payment = receive(atlas, 24_000, for_invoice=september)

        allocate(payment, (october, None))

        assert stands(october)[0] == "paid"
        assert not broken_promises()

    def test_what_a_credit_note_took_is_not_paid_again(self, atlas: Organization, october: Invoice) -> None:
        make_credit_note(refers_to=october, net_cents=5_000)  # 60.00
        payment = free_money(atlas, 30_000)

        allocate(payment, (october, None))

        assert stands(october) == ("paid", 18_000)  # 240.00 - 60.00
        assert not broken_promises()

    def test_a_written_off_invoice_is_paid_after_all(self, atlas: Organization, october: Invoice) -> None:
        write_off(october)
        payment = free_money(atlas, 30_000)

        allocate(payment, (october, 10_000))
        assert (stands(october), credits_of(october)) == (("wont_pay", 10_000), ("cancelled", 0, 10_000))

        allocate(payment, (october, None))
        assert (stands(october), credits_of(october)) == (("paid", 24_000), ("active", 10_000, 0))
        assert not broken_promises()

    def test_it_leaves_an_event_on_the_invoice(self, atlas: Organization, october: Invoice) -> None:
        fiona = make_staff("Accountant")
        payment = free_money(atlas, 24_000)

        allocate(payment, (october, None), actor=fiona)

        event = Event.objects.get(invoice=october)
        assert (event.kind, event.actor, event.at, event.organization) == ("payment.allocated", fiona, AT, atlas)
        assert event.values == {
            "payment": payment.reference,
            "cents": 24_000,
            "currency": "EUR",
            "before": {"payment_state": "pending"},
            "after": {"payment_state": "paid", "left_cents": 0},
        }


class TestAllocateRefused:
    @pytest.fixture(autouse=True)
    def nothing_moves(self, october: Invoice) -> object:
        yield
        assert stands(october) == ("pending", 0)
        assert not Allocation.objects.exists()
        assert not Event.objects.exists()

    def test_more_than_is_unallocated(self, atlas: Organization, october: Invoice) -> None:
        with pytest.raises(TooMuchMoney, match=r"^50\.01 cannot be allocated: 50\.00 of payment .* are unallocated\.$"):
            allocate(free_money(atlas, 5_000), (october, 5_001))

    def test_more_than_is_left_to_pay(self, atlas: Organization, october: Invoice) -> None:
        with pytest.raises(TooMuchMoney, match=r"^240\.01 cannot be allocated: 240\.00 of invoice"):
            allocate(free_money(atlas, 50_000), (october, 24_001))

    @pytest.mark.parametrize("cents", [0, -1])
    def test_nothing(self, atlas: Organization, october: Invoice, cents: int) -> None:
        with pytest.raises(TooMuchMoney):
            allocate(free_money(atlas, 5_000), (october, cents))

    def test_the_second_of_several_undoes_the_first(self, atlas: Organization, october: Invoice) -> None:
        over = make_invoice(organization=atlas, status="canceled", month=SEPTEMBER, fees_cents=10_000)

        with pytest.raises(NothingToAllocate, match="Nothing is left to pay of invoice"):
            allocate(free_money(atlas, 50_000), (october, None), (over, None))

    def test_an_invoice_twice_or_none(self, atlas: Organization, october: Invoice) -> None:
        payment = free_money(atlas, 5_000)
        with pytest.raises(NothingToAllocate, match="once"):
            allocate(payment, (october, 10), (october, 20))
        with pytest.raises(NothingToAllocate, match="at least one"):
            allocate(payment)

    def test_an_invoice_of_somebody_else(self, october: Invoice) -> None:
        with pytest.raises(NotItsInvoice, match="is not an invoice of Zephyr"):
            allocate(free_money(make_organization(name="Zephyr"), 5_000), (october, None))

    def test_a_draft_and_a_credit_note(self, atlas: Organization, october: Invoice) -> None:
        draft = make_invoice(organization=atlas, month=date(2026, 11, 1), fees_cents=100)
        note = make_credit_note(refers_to=make_invoice(fees_cents=10_000, status="pending"), net_cents=100)
        for document in (draft, note):
            with pytest.raises(NoSuchInvoice):
                allocate(free_money(atlas, 5_000), (document, None))

    def test_a_stale_page(self, atlas: Organization, october: Invoice) -> None:
        with pytest.raises(MoneyMovedMeanwhile, match=r"Meanwhile 50\.00 of this payment are unallocated, not 60\.00"):
            allocate(free_money(atlas, 5_000), (october, 100), seen=6_000)

    def test_unknown_payment(self, october: Invoice) -> None:
        with pytest.raises(NoSuchPayment):
            allocate_payment(payment_id=10**9, shares=[Share(october.pk)], seen_cents=None, actor=None, at=AT)

    @pytest.mark.parametrize("role", ["Viewer", "Controller", "Auditor"])
    def test_a_role_without_the_permission(self, atlas: Organization, october: Invoice, role: str) -> None:
        with pytest.raises(NotAllowed, match=r"billing\.settle_invoice"):
            allocate(free_money(atlas, 5_000), (october, None), actor=make_staff(role))


def test_a_double_click_allocates_once(atlas: Organization, october: Invoice) -> None:
    payment = free_money(atlas, 30_000)
    allocate(payment, (october, 5_000), seen=30_000)

    with pytest.raises(MoneyMovedMeanwhile):
        allocate(payment, (october, 5_000), seen=30_000)

    assert stands(october) == ("pending", 5_000)


class TestUndo:
    def test_the_invoice_is_unpaid_again_and_its_credits_wait(self, atlas: Organization, october: Invoice) -> None:
        payment = receive(atlas, 24_000)

        undo(payment, october)

        assert stands(october) == ("pending", 0)
        assert money_of(payment) == (0, 0, 24_000)
        assert credits_of(october) == ("pending", 0, 10_000)
        assert ledger_of(october) == ["grant 10000", "suspension -10000"]
        assert not broken_promises()

    def test_one_of_two_payments(self, atlas: Organization, october: Invoice) -> None:
        first, second = receive(atlas, 10_000), receive(atlas, 14_000)

        undo(first, october)

        assert stands(october) == ("pending", 14_000)
        assert (money_of(first), money_of(second)) == ((0, 0, 10_000), (14_000, 0, 0))

    def test_paid_again_they_are_usable_again(self, atlas: Organization, october: Invoice) -> None:
        payment = receive(atlas, 24_000)
        undo(payment, october)

        allocate(payment, (october, None))

        assert credits_of(october) == ("active", 10_000, 0)
        assert ledger_of(october) == ["grant 10000", "suspension -10000", "grant 10000"]
        assert not broken_promises()

    def test_it_keeps_the_row_and_the_reason(self, atlas: Organization, october: Invoice) -> None:
        payment, fiona = receive(atlas, 24_000), make_staff("Accountant")

        undo(payment, october, reason=" For the lab ", actor=fiona)

        assert Allocation.objects.values_list("amount_cents", "undone_at", "undone_reason").get() == (
            24_000, AT, "For the lab",
        )  # fmt: skip
        event = Event.objects.get(kind="allocation.undone")
        assert (event.invoice, event.actor, event.reason) == (october, fiona, "For the lab")
        assert event.values["after"] == {"payment_state": "pending", "left_cents": 24_000}

    def test_again_is_refused(self, atlas: Organization, october: Invoice) -> None:
        undone = undo(receive(atlas, 24_000), october)

        with pytest.raises(AlreadyUndone, match="was undone already"):
            undo_allocation(allocation_id=undone.pk, reason="Again", actor=None, at=AT)
        assert Event.objects.filter(kind="allocation.undone").count() == 1

    def test_without_a_reason_or_a_permission(self, atlas: Organization, october: Invoice) -> None:
        payment = receive(atlas, 24_000)

        with pytest.raises(NoReason):
            undo(payment, october, reason="  ")
        with pytest.raises(NotAllowed):
            undo(payment, october, actor=make_staff("Viewer"))
        with pytest.raises(NoSuchPayment):
            undo_allocation(allocation_id=10**9, reason="None", actor=None, at=AT)
        assert stands(october) == ("paid", 24_000)
