"""Every pair of states, allowed or not."""

from itertools import product

import pytest

from billing.domain.lifecycle import (
    DOCUMENT_TRANSITIONS,
    PAYMENT_TRANSITIONS,
    DocumentState,
    ForbiddenTransition,
    PaymentState,
    check_transition,
    state_by_amounts,
)

ALLOWED_DOCUMENT_STEPS = {("draft", "issued"), ("draft", "discarded")}

ALLOWED_PAYMENT_STEPS = {
    ("pending", "processing"),
    ("pending", "payment_held"),
    ("pending", "paid"),
    ("pending", "canceled"),
    ("pending", "wont_pay"),
    ("processing", "pending"),
    ("processing", "payment_held"),
    ("processing", "paid"),
    ("processing", "canceled"),
    ("payment_held", "pending"),
    ("payment_held", "processing"),
    ("payment_held", "paid"),
    ("payment_held", "canceled"),
    ("payment_held", "wont_pay"),
    ("paid", "pending"),  # chargeback
    ("paid", "refunded"),
    ("paid", "canceled"),
    ("wont_pay", "pending"),
    ("wont_pay", "paid"),
    ("wont_pay", "canceled"),
}


@pytest.mark.parametrize(("current", "new"), list(product(DocumentState, repeat=2)))
def test_document_steps(current: DocumentState, new: DocumentState) -> None:
    if (current.value, new.value) in ALLOWED_DOCUMENT_STEPS:
        check_transition(current, new)
    else:
        with pytest.raises(ForbiddenTransition):
            check_transition(current, new)


@pytest.mark.parametrize(("current", "new"), list(product(PaymentState, repeat=2)))
def test_payment_steps(current: PaymentState, new: PaymentState) -> None:
    if (current.value, new.value) in ALLOWED_PAYMENT_STEPS:
        check_transition(current, new)
    else:
        with pytest.raises(ForbiddenTransition):
            check_transition(current, new)


@pytest.mark.parametrize(("document", "payment"), list(product(DocumentState, PaymentState)))
def test_a_document_state_never_becomes_a_payment_state(document: DocumentState, payment: PaymentState) -> None:
    with pytest.raises(ForbiddenTransition):
        check_transition(document, payment)  # type: ignore[call-overload]  # on purpose
    with pytest.raises(ForbiddenTransition):
        check_transition(payment, document)  # type: ignore[call-overload]  # on purpose


def test_every_state_has_its_row() -> None:
    assert set(DOCUMENT_TRANSITIONS) == set(DocumentState)
    assert set(PAYMENT_TRANSITIONS) == set(PaymentState)


def test_an_issued_document_never_changes() -> None:
    assert DOCUMENT_TRANSITIONS[DocumentState.ISSUED] == frozenset()


def test_the_final_states_of_a_payment() -> None:
    assert {state for state, following in PAYMENT_TRANSITIONS.items() if not following} == {
        PaymentState.CANCELED,
        PaymentState.REFUNDED,
    }


def test_the_refusal_is_a_sentence() -> None:
    with pytest.raises(ForbiddenTransition, match=r"^A payment that is refunded cannot become payment held\.$"):
        check_transition(PaymentState.REFUNDED, PaymentState.PAYMENT_HELD)
    with pytest.raises(ForbiddenTransition, match=r"^A document that is issued cannot become draft\.$"):
        check_transition(DocumentState.ISSUED, DocumentState.DRAFT)


def test_states_are_written_as_the_export_writes_them() -> None:
    assert [state.value for state in DocumentState] == ["draft", "issued", "discarded"]
    assert [state.value for state in PaymentState] == [
        "pending",
        "processing",
        "payment_held",
        "paid",
        "canceled",
        "refunded",
        "wont_pay",
    ]


class TestStateByAmounts:
    """Of a total of 100: what is paid and credited decides, and where the invoice was."""

    @pytest.mark.parametrize(
        ("current", "paid", "credited", "expected"),
        [
            ("pending", 0, 0, "pending"),
            ("pending", 99, 0, "pending"),
            ("pending", 100, 0, "paid"),
            ("pending", 60, 40, "paid"),
            ("pending", 0, 100, "canceled"),
            ("processing", 99, 0, "processing"),
            ("processing", 100, 0, "paid"),
            ("payment_held", 99, 0, "payment_held"),
            ("payment_held", 100, 0, "paid"),
            ("paid", 100, 0, "paid"),
            ("paid", 99, 0, "pending"),
            ("paid", 99, 1, "paid"),
            ("paid", 0, 100, "refunded"),
            ("wont_pay", 99, 0, "wont_pay"),
            ("wont_pay", 100, 0, "paid"),
            ("wont_pay", 0, 100, "canceled"),
            ("canceled", 0, 100, "canceled"),
            ("refunded", 0, 100, "refunded"),
        ],
    )
    def test_it_follows_the_money(self, current: str, paid: int, credited: int, expected: str) -> None:
        new = state_by_amounts(PaymentState(current), total_cents=100, paid_cents=paid, credited_cents=credited)

        assert new == expected
        if new != current:
            check_transition(PaymentState(current), new)

    def test_an_invoice_of_nothing_is_paid(self) -> None:
        assert state_by_amounts(PaymentState.PAID, total_cents=0, paid_cents=0, credited_cents=0) == "paid"
