"""Credit notes: what they take back of an invoice, of the credits it sold, and of the money that was paid for it."""

from datetime import UTC, date, datetime

import pytest

from billing.models import ApprovalPolicy, CreditEntry, Event, Invoice
from billing.queries.exports import export_documents
from billing.queries.invoices import due_cents
from billing.queries.organizations import load_account
from billing.usecases._accounts import NoReason, NoSuchInvoice, UnableToSettle
from billing.usecases._permissions import NotAllowed
from billing.usecases.adjust_invoice import Discount
from billing.usecases.approve_invoice import UnableToApprove, approve_invoice
from billing.usecases.discard_credit_note import discard_credit_note
from billing.usecases.issue_credit_note import (
    CreditedMeanwhile,
    NeedsApproval,
    NoSuchCreditNote,
    WrongIssueDate,
    issue_credit_note,
)
from billing.usecases.prepare_credit_note import BeingCredited, OverTheLimit, UnableToCredit, prepare_credit_note
from organizations.models import Organization
from tests.builders.adjusting import adjust
from tests.builders.closing import broken_promises, close, invoice_of, issue, make_charge, month
from tests.builders.desk import make_staff
from tests.builders.invoices import make_invoice
from tests.builders.money import (
    AT,
    charge_back,
    credit,
    credits_of,
    ledger_of,
    money_of,
    prepare,
    receive,
    stands,
    write_off,
)
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


def test_a_partial_credit_note_lowers_what_is_left_to_pay(october: Invoice) -> None:
    note = credit(october, {"regularization": 2_500})

    october.refresh_from_db()
    assert (note.number, note.issue_date, note.due_date) == ("A20261120-000001", date(2026, 11, 20), date(2026, 11, 20))
    assert (note.subtotal_cents, note.vat_cents, note.total_cents) == (2_500, 500, 3_000)
    assert (october.credited_cents, due_cents(october)) == (3_000, 21_000)  # 240.00 - 30.00
    assert stands(october) == ("pending", 0)
    assert credits_of(october) == ("pending", 0, 10_000)
    assert stands(note) == ("paid", 0)
    assert due_cents(note) == 0
    assert note.buyer == october.buyer
    assert not broken_promises()


def test_its_line_names_the_line_it_takes_back(october: Invoice) -> None:
    billed = october.lines.get(kind="regularization")

    [part] = credit(october, {"regularization": 2_500}).lines.all()
    whole = credit(october).lines.get(kind="provision")

    assert (part.kind, part.credited_line_id, part.quantity_micro, part.unit_price_micro, part.net_cents) == (
        "regularization",
        billed.pk,
        1_000_000,
        25_000_000,
        2_500,
    )
    assert (part.period_start, part.period_end) == (billed.period_start, billed.period_end)
    assert whole.net_cents == 10_000


def test_credited_in_full_it_is_cancelled_and_its_credits_leave_g(atlas: Organization, october: Invoice) -> None:
    assert pending_on_account(atlas) == 10_000

    note = credit(october)

    assert note.total_cents == 24_000
    assert stands(october) == ("canceled", 0)
    assert credits_of(october) == ("cancelled", 0, 0)
    assert not ledger_of(october)
    assert pending_on_account(atlas) == 0
    assert not broken_promises()


def test_vat_by_subtraction_gives_back_every_cent(atlas: Organization) -> None:
    # 0.13 regularized and 0.13 provided: VAT of 0.26 is 0.052 -> 0.05; of 0.13 it would be 0.03 twice.
    october = make_invoice(organization=atlas, status="pending", fees_cents=13)
    assert october.vat_cents == 5

    first = credit(october, {"regularization": 13})
    second = credit(october)

    assert (first.vat_cents, second.vat_cents) == (3, 2)
    assert stands(october) == ("canceled", 0)
    assert not broken_promises()


def test_of_a_paid_invoice_the_money_is_unallocated_again(atlas: Organization, october: Invoice) -> None:
    payment = receive(atlas, 24_000)
    assert credits_of(october) == ("active", 10_000, 0)

    credit(october, {"regularization": 5_000})  # 60.00 with VAT

    assert stands(october) == ("paid", 18_000)
    assert money_of(payment) == (18_000, 0, 6_000)
    assert credits_of(october) == ("active", 10_000, 0)
    assert not broken_promises()


def test_a_paid_invoice_credited_in_full_is_refunded_and_its_unused_credits_are_revoked(
    atlas: Organization, october: Invoice
) -> None:
    payment = receive(atlas, 24_000)

    credit(october)

    assert stands(october) == ("refunded", 0)
    assert money_of(payment) == (0, 0, 24_000)
    assert credits_of(october) == ("active", 0, 0)
    assert ledger_of(october) == ["grant 10000", "revocation -10000"]
    assert not broken_promises()


def test_credits_that_are_used_cannot_be_credited(atlas: Organization, october: Invoice) -> None:
    receive(atlas, 24_000)
    make_invoice(organization=atlas, month=date(2026, 11, 1), status="paid", fees_cents=3_000)  # uses 30.00

    with pytest.raises(OverTheLimit, match=r"100\.00 of the credits provision .* 30\.00 .* used, 70\.00 are left"):
        prepare(october)
    credit(october, {"provision": 7_000})

    assert credits_of(october) == ("active", 0, 0)
    assert ledger_of(october) == ["grant 10000", "use -3000", "revocation -7000"]
    assert not broken_promises()


def test_the_rest_paid_after_a_part_of_the_provision_was_credited(atlas: Organization, october: Invoice) -> None:
    credit(october, {"provision": 4_000})
    assert credits_of(october) == ("pending", 0, 6_000)

    receive(atlas, 19_200)  # 240.00 - 48.00

    assert stands(october) == ("paid", 19_200)
    assert credits_of(october) == ("active", 6_000, 0)
    assert not broken_promises()


def test_what_is_left_was_paid_already_so_its_credits_become_usable(atlas: Organization, october: Invoice) -> None:
    receive(atlas, 12_000)

    credit(october, {"regularization": 10_000})

    assert stands(october) == ("paid", 12_000)
    assert credits_of(october) == ("active", 10_000, 0)
    assert not broken_promises()


def test_what_a_chargeback_suspended_can_be_credited(atlas: Organization, october: Invoice) -> None:
    payment = receive(atlas, 24_000)
    make_invoice(organization=atlas, month=date(2026, 11, 1), status="paid", fees_cents=3_000)
    charge_back(payment)
    assert credits_of(october) == ("pending", 0, 7_000)

    credit(october, {"provision": 7_000, "regularization": 10_000})

    # 240.00 - 204.00: what it sold and was used is still to be paid.
    assert (stands(october), due_cents(october)) == (("pending", 0), 3_600)
    assert credits_of(october) == ("cancelled", 0, 0)
    assert not broken_promises()


def test_a_written_off_invoice_is_confirmed_by_a_credit_note(october: Invoice) -> None:
    write_off(october)

    credit(october)

    assert stands(october) == ("canceled", 0)
    assert credits_of(october) == ("cancelled", 0, 0)
    assert not broken_promises()


def test_a_discount_is_taken_back_with_what_it_reduced(atlas: Organization) -> None:
    make_charge(organization=atlas, unit_cents=10_000)
    close("2026-10")
    adjust(atlas, Discount("", amount_cents=2_000))
    issue("2026-10")
    october = invoice_of(atlas, "2026-10")

    with pytest.raises(OverTheLimit, match=r"100\.00 cannot be credited at 20\.00 % VAT: 80\.00 are left"):
        prepare(october, {"one_shot": 10_000})
    note = credit(october)

    assert [line.net_cents for line in note.lines.all()] == [10_000, -2_000]
    assert note.total_cents == 9_600
    assert not broken_promises()


def test_never_more_than_is_left_of_a_line(october: Invoice) -> None:
    credit(october, {"regularization": 9_000})

    with pytest.raises(OverTheLimit, match=r"10\.01 cannot be credited of “Regularization, October 2026”: 10\.00"):
        prepare(october, {"regularization": 1_001})
    with pytest.raises(OverTheLimit):
        prepare(october, {"regularization": -1})

    assert Invoice.objects.filter(kind="credit_note").count() == 1


def test_refuses_what_cannot_be(october: Invoice) -> None:
    other = make_invoice(status="pending", fees_cents=100)
    draft = make_invoice(fees_cents=100)
    note = credit(other, {"regularization": 50})

    with pytest.raises(NoReason):
        prepare(october, reason=" ")
    with pytest.raises(UnableToCredit, match="nothing to credit"):
        prepare(october, {})
    with pytest.raises(UnableToCredit, match="nothing to credit"):
        prepare(october, {"regularization": 0})
    with pytest.raises(UnableToCredit, match="not one of invoice"):
        prepare_credit_note(
            invoice_id=october.pk, amounts={other.lines.all()[0].pk: 1}, reason="Outage", actor=None, at=AT
        )
    for document in (draft, note):
        with pytest.raises(NoSuchInvoice):
            prepare(document)
    with pytest.raises(NotAllowed):
        prepare(october, actor=make_staff("Accountant"))

    assert not october.credit_notes.exists()


def test_one_is_prepared_at_a_time_and_can_be_discarded(october: Invoice) -> None:
    first = prepare(october, {"regularization": 100})
    with pytest.raises(BeingCredited, match="issue or discard it first"):
        prepare(october, {"regularization": 200})

    discard_credit_note(credit_note_id=first.pk, reason="Wrong customer", actor=None, at=AT)
    prepare(october, {"regularization": 200})

    with pytest.raises(NoSuchCreditNote):
        discard_credit_note(credit_note_id=first.pk, reason="Again", actor=None, at=AT)
    with pytest.raises(NoSuchCreditNote):
        issue_credit_note(credit_note_id=first.pk, seen=first.fingerprint, actor=None, at=AT)
    assert not broken_promises()


def test_a_stale_page_credits_nothing(october: Invoice) -> None:
    credit(october, {"regularization": 100})

    with pytest.raises(CreditedMeanwhile):
        prepare_credit_note(invoice_id=october.pk, reason="Outage", seen_credited_cents=0, actor=None, at=AT)
    note = prepare(october)
    with pytest.raises(CreditedMeanwhile):
        issue_credit_note(credit_note_id=note.pk, seen="another", actor=None, at=AT)


def test_a_double_click_issues_once(october: Invoice) -> None:
    note = prepare(october)
    issue_credit_note(credit_note_id=note.pk, seen=note.fingerprint, actor=None, at=AT)

    with pytest.raises(UnableToSettle):
        issue_credit_note(credit_note_id=note.pk, seen=note.fingerprint, actor=None, at=AT)

    assert not broken_promises()


@pytest.mark.parametrize(
    ("day", "sentence"),
    [
        (date(2026, 11, 21), "is in the future"),
        (date(2026, 11, 18), "before 19 Nov 2026"),
        (date(2026, 10, 31), r"before \d+ Nov "),
    ],
)
def test_dates_follow_their_series(october: Invoice, day: date, sentence: str) -> None:
    credit(make_invoice(status="pending", fees_cents=100), at=datetime(2026, 11, 19, 9, 0, tzinfo=UTC))
    note = prepare(october)

    with pytest.raises(WrongIssueDate, match=sentence):
        issue_credit_note(credit_note_id=note.pk, seen=note.fingerprint, issue_date=day, actor=None, at=AT)

    note.refresh_from_db()
    assert (note.document_state, note.number) == ("draft", None)
    assert credits_of(october) == ("pending", 0, 10_000)


def test_a_second_person_approves_from_an_amount_on(october: Invoice) -> None:
    ApprovalPolicy.objects.update(credit_note_cents=24_000)
    max_, clara = make_staff("Billing manager"), make_staff("Controller")
    note = prepare(october, actor=max_)

    def issue() -> Invoice:
        return issue_credit_note(credit_note_id=note.pk, seen=note.fingerprint, actor=max_, at=AT)

    with pytest.raises(NeedsApproval, match=r"approve a credit note of 240\.00 \(from 240\.00 on\)"):
        issue()
    with pytest.raises((UnableToApprove, NotAllowed)):
        approve_invoice(invoice_id=note.pk, seen=note.fingerprint, parties="", actor=max_, at=AT)
    approve_invoice(invoice_id=note.pk, seen=note.fingerprint, parties="", actor=clara, at=AT)
    issue()

    assert stands(october) == ("canceled", 0)
    assert not broken_promises()


def test_an_amount_is_not_passed_in_small_notes(october: Invoice) -> None:
    ApprovalPolicy.objects.update(credit_note_cents=10_000)
    max_, clara = make_staff("Billing manager"), make_staff("Controller")
    credit(october, {"regularization": 5_000})  # 60.00 with VAT

    second = prepare(october, {"regularization": 4_000}, actor=max_)  # 48.00 more
    with pytest.raises(NeedsApproval, match=r"approve a credit note of 108\.00 \(from 100\.00 on\)"):
        issue_credit_note(credit_note_id=second.pk, seen=second.fingerprint, actor=max_, at=AT)
    approve_invoice(invoice_id=second.pk, seen=second.fingerprint, parties="", actor=clara, at=AT)
    issue_credit_note(credit_note_id=second.pk, seen=second.fingerprint, actor=max_, at=AT)

    # What was approved is known: 60.00 + 12.00 are below the amount.
    third = prepare(october, {"regularization": 1_000}, actor=max_)
    issue_credit_note(credit_note_id=third.pk, seen=third.fingerprint, actor=max_, at=AT)
    assert broken_promises() == []


def test_below_the_amount_nobody_is_asked(october: Invoice) -> None:
    ApprovalPolicy.objects.update(credit_note_cents=24_001)
    credit(october)
    assert stands(october) == ("canceled", 0)


def test_both_documents_tell_who_did_what(atlas: Organization, october: Invoice) -> None:
    payment = receive(atlas, 24_000)
    manager = make_staff("Billing manager")

    note = credit(october, {"regularization": 5_000}, actor=manager)

    for document in (note, october):
        event = Event.objects.get(kind="credit_note.issued", invoice=document)
        assert (event.actor, event.reason) == (manager, "Outage on 12 October")
        assert event.values == {
            "number": note.number,
            "refers_to": october.number,
            "cents": 6_000,
            "currency": "EUR",
            "released": [{"payment": payment.reference, "cents": 6_000}],
            "before": {"payment_state": "paid", "left_cents": 0},
            "after": {"payment_state": "paid", "left_cents": 0},
        }
    assert Event.objects.filter(kind="credit_note.prepared").count() == 2


def test_the_export_shows_it_after_its_invoice(atlas: Organization, october: Invoice) -> None:
    credit(october, {"regularization": 2_500})

    invoice, note = export_documents(month("2026-10"))

    assert (invoice.type, invoice.amount_due, invoice.status) == ("invoice", "210.00", "pending")
    assert (note.type, note.amount_due, note.status, note.refers_to) == ("credit_note", "0.00", "paid", invoice.number)
    assert (note.subtotal, note.vat, note.total, note.statement) == ("25.00", "5.00", "30.00", None)
    assert [(line.kind, line.quantity, line.unit_price, line.net_amount) for line in note.lines] == [
        ("regularization", "1", "25.00", "25.00")
    ]


def test_credits_revoked_are_a_movement_before_the_next_statement(atlas: Organization, october: Invoice) -> None:
    receive(atlas, 24_000)
    credit(october, {"provision": 4_000})

    november = make_invoice(organization=atlas, month=date(2026, 11, 1), status="paid", fees_cents=3_000)

    # b is what was left of the provision: 100.00 - 40.00.
    assert november.statement.prepaid_balance_cents == 6_000
    assert CreditEntry.objects.get(kind="revocation").booked_at == AT
    assert not broken_promises()
