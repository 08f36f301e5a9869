"""An invoice that nobody is expected to pay, one that somebody disputes, and what that makes of its credits."""

from datetime import date

import pytest

from billing.models import CreditGrant, Event, Invoice
from billing.queries.invoices import due_cents
from billing.queries.organizations import load_account
from billing.usecases._permissions import NotAllowed
from billing.usecases.hold_payment import NothingToHold, hold_payment
from billing.usecases.resume_payment import NotHeld, resume_payment
from billing.usecases.take_back_write_off import NotWrittenOff
from billing.usecases.write_off_invoice import NoReason, NoSuchInvoice, NothingToWriteOff, write_off_invoice
from organizations.models import Organization
from tests.builders.closing import broken_promises
from tests.builders.desk import make_staff
from tests.builders.invoices import make_credit_note, make_invoice
from tests.builders.money import AT, charge_back, credits_of, ledger_of, receive, stands, take_back, undo, write_off
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db


@pytest.fixture
def atlas() -> Organization:
    return make_organization(external_id="orga_atlas")


@pytest.fixture
def october(atlas: Organization) -> Invoice:
    # U 100.00: regularization 100.00 + provision 100.00, 20 % VAT: 240.00
    return make_invoice(organization=atlas, status="pending", fees_cents=10_000)


def pending_on_account(organization: Organization) -> int:
    account = load_account(organization.pk, today=date(2026, 11, 20))
    assert account is not None
    return account.pending_cents


def test_nothing_is_due_and_its_credits_leave_g(atlas: Organization, october: Invoice) -> None:
    assert pending_on_account(atlas) == 10_000

    write_off(october)

    assert stands(october) == ("wont_pay", 0)
    assert due_cents(october) == 0
    assert credits_of(october) == ("cancelled", 0, 10_000)  # remembered, should the customer pay after all
    assert pending_on_account(atlas) == 0
    assert not ledger_of(october)
    assert not broken_promises()


def test_the_next_invoice_does_not_count_them_as_pending(atlas: Organization, october: Invoice) -> None:
    write_off(october)

    november = make_invoice(organization=atlas, month=date(2026, 11, 1), fees_cents=8_000)

    statement = november.statement
    assert (statement.pending_cents, statement.refill_cents) == (0, 8_000)


def test_paid_in_part_the_rest_is_written_off(atlas: Organization, october: Invoice) -> None:
    receive(atlas, 20_000)

    write_off(october)

    assert stands(october) == ("wont_pay", 20_000)
    assert Event.objects.get(kind="invoice.written_off").values == {
        "cents": 4_000,
        "currency": "EUR",
        "before": {"payment_state": "pending"},
        "after": {"payment_state": "wont_pay"},
    }
    assert not broken_promises()


def test_paid_after_all_its_credits_are_usable(atlas: Organization, october: Invoice) -> None:
    write_off(october)

    payment = receive(atlas, 24_000, for_invoice=october)

    assert stands(october) == ("paid", 24_000)
    assert (credits_of(october), ledger_of(october)) == (("active", 10_000, 0), ["grant 10000"])
    assert not broken_promises()

    # Taken back, it waits for money like any other: the write-off does not return by itself.
    charge_back(payment)
    assert (stands(october), credits_of(october)) == (("pending", 0), ("pending", 0, 10_000))
    assert not broken_promises()


def test_money_for_nobody_in_particular_leaves_it_written_off(atlas: Organization, october: Invoice) -> None:
    write_off(october)

    assert receive(atlas, 24_000).allocated_cents == 0
    assert stands(october) == ("wont_pay", 0)


def test_money_in_part_and_undone_leaves_it_written_off(atlas: Organization, october: Invoice) -> None:
    write_off(october)

    payment = receive(atlas, 100, for_invoice=october)
    assert (stands(october), credits_of(october)) == (("wont_pay", 100), ("cancelled", 0, 10_000))
    undo(payment, october)

    assert (stands(october), credits_of(october)) == (("wont_pay", 0), ("cancelled", 0, 10_000))
    assert not broken_promises()


def test_taken_back_they_count_in_g_again(atlas: Organization, october: Invoice) -> None:
    write_off(october)

    take_back(october, actor=make_staff("Billing manager"))

    assert (stands(october), credits_of(october)) == (("pending", 0), ("pending", 0, 10_000))
    assert pending_on_account(atlas) == 10_000
    event = Event.objects.get(kind="invoice.write_off_taken_back")
    assert (event.invoice, event.reason) == (october, "The liquidator pays")
    assert not broken_promises()


def test_after_a_chargeback_only_what_is_unused_is_given_up(atlas: Organization, october: Invoice) -> None:
    payment = receive(atlas, 24_000)
    make_invoice(organization=atlas, status="paid", month=date(2026, 11, 1), fees_cents=3_000, refill_cents=0)
    charge_back(payment)

    write_off(october)
    assert credits_of(october) == ("cancelled", 0, 7_000)  # 100.00 - 30.00 used
    assert not broken_promises()

    receive(atlas, 24_000, for_invoice=october)
    assert ledger_of(october) == ["grant 10000", "use -3000", "suspension -7000", "grant 7000"]
    assert CreditGrant.objects.get(sold_by=october).remaining_cents == 7_000
    assert not broken_promises()


def test_a_credit_note_of_what_is_left_settles_a_written_off_invoice(atlas: Organization, october: Invoice) -> None:
    receive(atlas, 18_000)
    write_off(october)

    make_credit_note(refers_to=october, net_cents=5_000)  # 60.00

    assert stands(october) == ("paid", 18_000)
    assert credits_of(october) == ("active", 10_000, 0)
    assert not broken_promises()


@pytest.mark.parametrize("status", ["processing", "paid", "canceled", "refunded", "wont_pay"])
def test_what_does_not_wait_for_money_is_not_written_off(status: str) -> None:
    invoice = make_invoice(status=status, fees_cents=10_000)  # type: ignore[arg-type]  # given by the test
    before = stands(invoice)

    with pytest.raises(NothingToWriteOff, match="Only an invoice that waits for money"):
        write_off(invoice)

    assert stands(invoice) == before
    assert not Event.objects.exists()


def test_drafts_and_credit_notes_are_not_written_off(october: Invoice) -> None:
    for document in (make_invoice(fees_cents=100), make_credit_note(refers_to=october, net_cents=100)):
        with pytest.raises(NoSuchInvoice):
            write_off(document)


def test_who_may_and_why(october: Invoice) -> None:
    for role in ("Viewer", "Accountant", "Controller", "Auditor"):
        with pytest.raises(NotAllowed, match=r"billing\.refund_invoice"):
            write_off(october, actor=make_staff(role))
    with pytest.raises(NoReason):
        write_off_invoice(invoice_id=october.pk, reason=" ", actor=None, at=AT)
    with pytest.raises(NotWrittenOff):
        take_back(october)
    assert stands(october) == ("pending", 0)


def test_a_disputed_invoice_is_held_and_resumed(atlas: Organization, october: Invoice) -> None:
    fiona = make_staff("Accountant")

    hold_payment(invoice_id=october.pk, reason="Disputed", actor=fiona, at=AT)
    assert (stands(october), credits_of(october)) == (("payment_held", 0), ("pending", 0, 10_000))
    with pytest.raises(NothingToHold):
        hold_payment(invoice_id=october.pk, reason="Again", actor=fiona, at=AT)

    resume_payment(invoice_id=october.pk, reason="Settled", actor=fiona, at=AT)
    assert stands(october) == ("pending", 0)
    with pytest.raises(NotHeld):
        resume_payment(invoice_id=october.pk, reason="Again", actor=fiona, at=AT)
    kinds = Event.objects.order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["invoice.payment_held", "invoice.payment_resumed"]


def test_money_settles_a_held_invoice(atlas: Organization, october: Invoice) -> None:
    hold_payment(invoice_id=october.pk, reason="Disputed", actor=None, at=AT)

    receive(atlas, 24_000)

    assert (stands(october), credits_of(october)) == (("paid", 24_000), ("active", 10_000, 0))
    assert not broken_promises()
