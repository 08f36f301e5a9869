"""Whatever happens to money, in whatever order: invoices, payments, credits and `verify` agree with a plain ledger."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.models import Allocation, CreditGrant, Invoice, Payment
from billing.queries.organizations import load_account
from billing.queries.verification import PROMISES, ledger, payments
from billing.usecases._accounts import UnableToSettle
from tests.builders import money
from tests.builders.invoices import make_credit_note, make_invoice
from tests.builders.organizations import make_organization
from tests.integration.usecases.money_model import Model, Part, Refused

pytestmark = pytest.mark.django_db

MOST_INVOICES = 6
cents = st.one_of(st.sampled_from([1, 1_200, 6_000, 12_000, 24_000]), st.integers(1, 30_000))
which = st.integers(0, 5)

steps = st.one_of(
    st.tuples(st.just("bill"), st.sampled_from([0, 3_333, 5_000, 10_000])),
    st.tuples(st.just("receive"), cents, st.none() | which),
    st.tuples(st.just("allocate"), which, st.lists(st.tuples(which, st.none() | cents), min_size=1, max_size=3)),
    st.tuples(st.just("undo"), which),
    st.tuples(st.just("charge_back"), which),
    st.tuples(st.just("refund"), which, cents),
    st.tuples(st.just("write_off"), which),
    st.tuples(st.just("take_back"), which),
    st.tuples(st.just("credit"), which, st.integers(1, 20)),
)


class Both:
    """The product and the model, doing the same."""

    def __init__(self) -> None:
        self.model = Model()
        self.organization = make_organization()
        self.invoices: list[Invoice] = []
        self.payments: list[Payment] = []

    def do(self, name: str, *values: Any) -> None:
        """One step, if there is something to do it to."""
        getattr(self, name)(*values)

    def bill(self, consumption: int) -> None:
        if len(self.invoices) == MOST_INVOICES:
            return
        total = self.model.bill(consumption)
        invoice = make_invoice(
            organization=self.organization,
            status="pending" if total else "paid",
            month=date(2026, 1 + len(self.invoices), 1),
            fees_cents=consumption,
        )
        assert invoice.total_cents == total
        self.invoices.append(invoice)

    def receive(self, amount: int, which: int | None) -> None:
        at = None if which is None or not self.invoices else which % len(self.invoices)
        self.model.receive(amount, at)
        invoice = None if at is None else self.invoices[at]
        self.payments.append(money.receive(self.organization, amount, for_invoice=invoice))

    def allocate(self, which: int, shares: list[tuple[int, int | None]]) -> None:
        if not self.payments or not self.invoices:
            return
        payment = which % len(self.payments)
        wanted = list({invoice % len(self.invoices): share for invoice, share in shares}.items())
        real = [(self.invoices[invoice], share) for invoice, share in wanted]
        self.same(lambda: self.model.allocate(payment, wanted), lambda: money.allocate(self.payments[payment], *real))

    def undo(self, which: int) -> None:
        if not self.model.parts:
            return
        part: Part = self.model.parts[which % len(self.model.parts)]
        self.same(
            lambda: self.model.undo(part),
            lambda: money.undo(self.payments[part.payment], self.invoices[part.invoice]),
        )

    def charge_back(self, which: int) -> None:
        if self.payments:
            at = which % len(self.payments)
            self.same(lambda: self.model.charge_back(at), lambda: money.charge_back(self.payments[at]))

    def refund(self, which: int, amount: int) -> None:
        if self.payments:
            at = which % len(self.payments)
            self.same(lambda: self.model.refund(at, amount), lambda: money.refund(self.payments[at], amount))

    def write_off(self, which: int) -> None:
        if self.invoices:
            at = which % len(self.invoices)
            self.same(lambda: self.model.write_off(at), lambda: money.write_off(self.invoices[at]))

    def take_back(self, which: int) -> None:
        if self.invoices:
            at = which % len(self.invoices)
            self.same(lambda: self.model.take_back(at), lambda: money.take_back(self.invoices[at]))

    def credit(self, which: int, fives: int) -> None:
        """A credit note of a few times 5.00 and 20 % VAT, which leaves something of what is no provision."""
        if not self.invoices:
            return
        at = which % len(self.invoices)
        invoice = self.model.invoices[at]
        if fives * 600 < invoice.total - invoice.sold * 6 // 5 - invoice.credited:
            self.model.credit(at, fives * 600)
            make_credit_note(refers_to=self.invoices[at], net_cents=fives * 500)

    def same(self, model: Callable[[], object], real: Callable[[], object]) -> None:
        """Both do it, or both refuse."""
        try:
            model()
        except Refused:
            with pytest.raises(UnableToSettle):
                real()
        else:
            real()

    def compare(self) -> None:
        """Every amount and state, and what the organization's page says of them."""
        model = self.model
        for i, invoice in enumerate(self.invoices):
            invoice.refresh_from_db()
            left = invoice.total_cents - invoice.paid_cents - invoice.credited_cents
            assert (invoice.payment_state, invoice.paid_cents, left) == (
                model.state(i), model.paid(i), model.left(i),
            )  # fmt: skip
            self.compare_credits(i, invoice)
        for i, payment in enumerate(self.payments):
            assert money.money_of(payment) == (model.allocated(i), model.payments[i].refunded, model.unallocated(i))
        rows = Allocation.objects.filter(undone_at=None, invoice__organization=self.organization)
        assert sorted(rows.values_list("payment", "invoice", "amount_cents")) == sorted(
            (self.payments[part.payment].pk, self.invoices[part.invoice].pk, part.cents) for part in model.parts
        )
        account = load_account(self.organization.pk, today=date(2026, 11, 20))
        assert account is not None
        assert (account.pending_cents, account.due_cents, account.unallocated_cents) == (
            model.g(), model.due(), model.free_money(),
        )  # fmt: skip

    def compare_credits(self, i: int, invoice: Invoice) -> None:
        grant = CreditGrant.objects.filter(sold_by=invoice).first()
        if grant is None:
            assert self.model.invoices[i].sold == 0
            return
        states = {"paid": "active", "pending": "pending", "wont_pay": "cancelled"}
        expected = states[self.model.state(i)] if self.model.unused(i) else "active"
        assert (grant.state, grant.remaining_cents, grant.pending_cents) == (
            expected, self.model.remaining(i), self.model.pending(i),
        )  # fmt: skip


MONEY = (*ledger.PROMISES, *payments.PROMISES)


sequences = st.lists(steps, min_size=4, max_size=14)


def compare_after_each(sequence: list[tuple[Any, ...]]) -> None:
    """Do the steps with both, in an organization whose first invoice sells credits."""
    with transaction.atomic():
        both = Both()
        both.bill(10_000)
        for name, *values in sequence:
            both.do(name, *values)
            both.compare()
            assert [broken for promise in MONEY for broken in promise.find()] == [], (name, values)
        assert [broken for promise in PROMISES for broken in promise.find()] == []
        transaction.set_rollback(True)


@settings(max_examples=3)
@given(sequence=sequences)
def test_some_sequences_agree_with_a_plain_ledger(sequence: list[tuple[Any, ...]]) -> None:
    compare_after_each(sequence)


@pytest.mark.long
@settings(max_examples=50)
@given(sequence=sequences)
def test_many_sequences_agree_with_a_plain_ledger(sequence: list[tuple[Any, ...]]) -> None:
    compare_after_each(sequence)
