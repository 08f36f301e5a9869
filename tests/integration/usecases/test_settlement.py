"""The functions that every use case of money shares, where no use case of its own shows it."""

from datetime import date

import pytest
from django.db import transaction

from billing.models import Allocation, CreditEntry, CreditGrant, Invoice, Payment
from billing.usecases._settlement import TooMuchMoney, after_change, release, return_credits
from organizations.models import Organization
from tests.builders.closing import broken_promises
from tests.builders.credits import make_grant
from tests.builders.invoices import make_invoice
from tests.builders.money import AT, charge_back, credits_of, ledger_of, money_of, receive, stands, write_off
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db


@pytest.fixture
def atlas() -> Organization:
    return make_organization(external_id="orga_atlas")


@pytest.fixture
def october(atlas: Organization) -> Invoice:
    # U 100.00: regularization 100.00 + provision 100.00, 20 % VAT: 240.00
    return make_invoice(organization=atlas, status="pending", fees_cents=10_000)


def locked(invoice: Invoice) -> Invoice:
    with transaction.atomic():
        return Invoice.objects.select_for_update().get(pk=invoice.pk)


class TestRelease:
    def test_the_newest_money_is_free_first(self, atlas: Organization, october: Invoice) -> None:
        first, second = receive(atlas, 14_000), receive(atlas, 10_000)
        invoice = locked(october)

        freed = release(invoice, 12_000, AT, reason="Credited")
        after_change(invoice, AT)

        assert [(payment.pk, cents) for payment, cents in freed] == [(second.pk, 10_000), (first.pk, 2_000)]
        assert (money_of(first), money_of(second)) == ((12_000, 0, 2_000), (0, 0, 10_000))
        assert stands(october) == ("pending", 12_000)
        rows = Allocation.objects.order_by("pk").values_list("payment", "amount_cents", "undone_reason")
        assert list(rows) == [
            (first.pk, 14_000, "Credited"),
            (second.pk, 10_000, "Credited"),
            (first.pk, 12_000, ""),  # 140.00 - 20.00
        ]
        assert not broken_promises()

    def test_with_a_credit_of_as_much_the_invoice_stays_paid_and_its_credits_usable(
        self, atlas: Organization, october: Invoice
    ) -> None:
        payment = receive(atlas, 24_000)
        invoice = locked(october)

        release(invoice, 6_000, AT)
        invoice.credited_cents += 6_000
        after_change(invoice, AT)

        assert stands(october) == ("paid", 18_000)
        assert money_of(payment) == (18_000, 0, 6_000)
        assert ledger_of(october) == ["grant 10000"]

    def test_credited_as_a_whole(self, atlas: Organization, october: Invoice) -> None:
        other = make_invoice(organization=atlas, status="pending", month=date(2026, 11, 1), fees_cents=20_000)
        receive(atlas, 24_000, for_invoice=october)
        for document, state in ((october, "refunded"), (other, "canceled")):
            invoice = locked(document)
            release(invoice, invoice.paid_cents, AT)
            invoice.credited_cents = invoice.total_cents
            after_change(invoice, AT)
            assert stands(document) == (state, 0)
        assert Payment.objects.get().allocated_cents == 0

    def test_nothing_and_too_much(self, atlas: Organization, october: Invoice) -> None:
        receive(atlas, 100)
        invoice = locked(october)

        assert release(invoice, 0, AT) == []
        for cents in (101, -1):
            with pytest.raises(TooMuchMoney, match=r"1\.00 of invoice .* are paid"):
                release(invoice, cents, AT)


class TestAfterChange:
    def test_again_changes_nothing(self, atlas: Organization, october: Invoice) -> None:
        payment = receive(atlas, 24_000)
        for _ in range(2):
            after_change(locked(october), AT)
        assert ledger_of(october) == ["grant 10000"]

        charge_back(payment)
        for _ in range(2):
            after_change(locked(october), AT)
        assert ledger_of(october) == ["grant 10000", "suspension -10000"]
        assert stands(october) == ("pending", 0)


def returned(grant: CreditGrant, cents: int) -> CreditEntry:
    return CreditEntry(grant=grant, kind="return", amount_cents=cents, booked_at=AT)


class TestReturnedCredits:
    """October sold 100.00, November used 40.00 of them, and that is given back."""

    @pytest.fixture
    def payment(self, atlas: Organization, october: Invoice) -> Payment:
        payment = receive(atlas, 24_000)
        make_invoice(organization=atlas, status="paid", month=date(2026, 11, 1), fees_cents=4_000, refill_cents=0)
        return payment

    def test_they_are_usable_where_the_invoice_is_paid(self, october: Invoice, payment: Payment) -> None:
        return_credits([returned(CreditGrant.objects.get(), 4_000)], AT)

        assert credits_of(october) == ("active", 10_000, 0)

    def test_they_wait_where_it_is_not(self, october: Invoice, payment: Payment) -> None:
        charge_back(payment)

        return_credits([returned(CreditGrant.objects.get(), 4_000)], AT)

        assert credits_of(october) == ("pending", 0, 10_000)
        assert ledger_of(october)[-2:] == ["return 4000", "suspension -4000"]
        assert not broken_promises()

    def test_they_wait_also_where_everything_was_used(
        self, atlas: Organization, october: Invoice, payment: Payment
    ) -> None:
        make_invoice(organization=atlas, status="paid", month=date(2026, 12, 1), fees_cents=6_000, refill_cents=0)
        charge_back(payment)
        assert credits_of(october) == ("active", 0, 0)

        return_credits([returned(CreditGrant.objects.get(), 4_000)], AT)

        assert credits_of(october) == ("pending", 0, 4_000)
        assert not broken_promises()

    def test_they_are_remembered_where_it_is_written_off(self, october: Invoice, payment: Payment) -> None:
        charge_back(payment)
        write_off(october)

        return_credits([returned(CreditGrant.objects.get(), 4_000)], AT)

        assert credits_of(october) == ("cancelled", 0, 10_000)
        assert not broken_promises()

    def test_free_credits_are_simply_there_again(self, atlas: Organization) -> None:
        grant = make_grant(organization=atlas, type="free", amount_cents=500)
        make_invoice(organization=atlas, status="paid", fees_cents=300, refill_cents=0)

        return_credits([returned(grant, 300)], AT)

        grant.refresh_from_db()
        assert grant.remaining_cents == 500
        return_credits([], AT)
