"""Money that goes back: taken by the bank, or given by finance."""

from datetime import date

import pytest

from billing.models import Allocation, CreditGrant, Event, Invoice, Refund
from billing.usecases._permissions import NotAllowed
from billing.usecases.record_chargeback import NoReason, NothingToTakeBack, RefundConflict, record_chargeback
from billing.usecases.refund_payment import (
    InvalidRefund,
    NotThatMuchUnallocated,
    UnableToSettle,
    refund_payment,
)
from organizations.models import Organization
from tests.builders.closing import broken_promises
from tests.builders.desk import make_staff
from tests.builders.invoices import make_credit_note, make_invoice
from tests.builders.money import AT, allocate, charge_back, credits_of, ledger_of, money_of, receive, refund, stands
from tests.builders.organizations import make_organization
from tests.builders.payments import make_payment

pytestmark = pytest.mark.django_db


@pytest.fixture
def atlas() -> Organization:
    return make_organization(external_id="orga_atlas")


@pytest.fixture
def october(atlas: Organization) -> Invoice:
    # U 100.00: regularization 100.00 + provision 100.00, 20 % VAT: 240.00
    return make_invoice(organization=atlas, status="pending", fees_cents=10_000)


def use(invoice: Invoice, cents: int) -> Invoice:
    """The next month uses some of the credits that an invoice sold, and sells no others."""
    grant = CreditGrant.objects.get(sold_by=invoice)
    november = make_invoice(
        organization=invoice.organization, status="paid", month=date(2026, 11, 1), fees_cents=cents, refill_cents=0
    )
    grant.refresh_from_db()
    assert grant.amount_cents - grant.remaining_cents == cents
    return november


class TestChargeback:
    def test_the_money_is_gone_and_the_invoice_unpaid_again(self, atlas: Organization, october: Invoice) -> None:
        payment = receive(atlas, 25_000)

        back = charge_back(payment)

        assert (back.kind, back.amount_cents, back.method, back.reason) == (
            "chargeback", 25_000, "bank_transfer", "Insufficient funds",
        )  # fmt: skip
        assert money_of(payment) == (0, 25_000, 0)
        assert stands(october) == ("pending", 0)
        assert credits_of(october) == ("pending", 0, 10_000)
        assert not broken_promises()

    def test_what_is_used_stays_used_and_the_rest_waits(self, atlas: Organization, october: Invoice) -> None:
        payment = receive(atlas, 24_000)
        use(october, 4_000)

        charge_back(payment)

        assert credits_of(october) == ("pending", 0, 6_000)  # g: 100.00 - 40.00
        assert ledger_of(october) == ["grant 10000", "use -4000", "suspension -6000"]
        assert not broken_promises()

        allocate(make_payment(organization=atlas, amount_cents=24_000), (october, None))
        assert credits_of(october) == ("active", 6_000, 0)
        assert not broken_promises()

    def test_credits_that_are_used_up_leave_nothing_to_suspend(self, atlas: Organization, october: Invoice) -> None:
        payment = receive(atlas, 24_000)
        use(october, 10_000)

        charge_back(payment)

        assert stands(october) == ("pending", 0)
        assert credits_of(october) == ("active", 0, 0)
        assert ledger_of(october) == ["grant 10000", "use -10000"]
        assert not broken_promises()

    def test_every_invoice_of_the_payment_is_unpaid_again(self, atlas: Organization, october: Invoice) -> None:
        september = make_invoice(
            organization=atlas, status="pending", month=date(2026, 9, 1), fees_cents=10_000, refill_cents=0
        )
        payment = receive(atlas, 30_000)  # 120.00 and 180.00 of 240.00

        charge_back(payment)

        assert (stands(september), stands(october)) == (("pending", 0), ("pending", 0))
        assert Allocation.objects.filter(undone_at=None).count() == 0
        kinds = Event.objects.order_by("pk").values_list("kind", "invoice__number")
        assert list(kinds)[-3:] == [
            ("allocation.undone", september.number),
            ("allocation.undone", october.number),
            ("payment.charged_back", None),
        ]

    def test_what_was_refunded_before_is_not_taken_back_again(self, atlas: Organization, october: Invoice) -> None:
        payment = receive(atlas, 30_000)
        refund(payment, 6_000)

        assert charge_back(payment).amount_cents == 24_000
        assert money_of(payment) == (0, 30_000, 0)
        with pytest.raises(NothingToTakeBack, match="went back already"):
            charge_back(payment)

    def test_a_credited_part_stays_credited(self, atlas: Organization, october: Invoice) -> None:
        payment = receive(atlas, 24_000)
        make_credit_note(refers_to=october, net_cents=5_000)  # 60.00, which is unallocated again
        assert (stands(october), money_of(payment)) == (("paid", 18_000), (18_000, 0, 6_000))

        charge_back(payment)

        assert stands(october) == ("pending", 0)
        october.refresh_from_db()
        assert october.credited_cents == 6_000
        assert not broken_promises()

    def test_the_same_again_changes_nothing(self, atlas: Organization, october: Invoice) -> None:
        payment = receive(atlas, 24_000)
        first = charge_back(payment, reference="BACK")
        events = Event.objects.count()

        assert charge_back(payment, reference="BACK") == first
        assert (Refund.objects.count(), Event.objects.count()) == (1, events)
        with pytest.raises(RefundConflict, match=r"BACK is taken: 240\.00 went back on 18 Nov 2026"):
            charge_back(receive(atlas, 100), reference="BACK")

    def test_who_may_and_why(self, atlas: Organization, october: Invoice) -> None:
        payment = receive(atlas, 24_000)

        with pytest.raises(NoReason):
            charge_back(payment, reason="")
        with pytest.raises(NotAllowed):
            charge_back(payment, actor=make_staff("Controller"))
        assert stands(october) == ("paid", 24_000)

        charge_back(payment, actor=make_staff("Accountant"))

    @pytest.mark.parametrize(
        ("day", "refusal"),
        [(date(2026, 11, 14), "before it came, on 15 Nov 2026"), (date(2026, 11, 21), "in the future: 21 Nov 2026")],
    )
    def test_its_day(self, atlas: Organization, october: Invoice, day: date, refusal: str) -> None:
        payment = receive(atlas, 24_000)

        with pytest.raises(InvalidRefund, match=refusal):
            record_chargeback(payment_id=payment.pk, reference="BACK", date=day, reason="Fraud", actor=None, at=AT)
        assert not Refund.objects.exists()


class TestRefund:
    def test_unallocated_money_goes_back(self, atlas: Organization, october: Invoice) -> None:
        payment, max_ = receive(atlas, 30_000), make_staff("Billing manager")

        back = refund(payment, 5_000, actor=max_)

        assert (back.kind, back.amount_cents, back.date, back.recorded_at) == (
            "refund", 5_000, date(2026, 11, 18), AT,
        )  # fmt: skip
        assert money_of(payment) == (24_000, 5_000, 1_000)
        assert stands(october) == ("paid", 24_000)
        event = Event.objects.get(kind="payment.refunded")
        assert (event.actor, event.organization, event.reason) == (max_, atlas, "Paid twice")
        assert event.values == {
            "payment": payment.reference,
            "refund": back.reference,
            "cents": 5_000,
            "currency": "EUR",
            "method": "bank_transfer",
            "date": "2026-11-18",
        }
        assert not broken_promises()

    def test_what_settles_an_invoice_does_not(self, atlas: Organization, october: Invoice) -> None:
        payment = receive(atlas, 30_000)

        with pytest.raises(NotThatMuchUnallocated, match=r"60\.01 cannot go back: 60\.00 of payment"):
            refund(payment, 6_001)
        with pytest.raises(InvalidRefund, match="more than nothing"):
            refund(payment, 0)
        assert money_of(payment) == (24_000, 0, 6_000)

    def test_the_same_again_changes_nothing(self, atlas: Organization) -> None:
        payment = receive(atlas, 30_000)

        first = refund(payment, 20_000, reference="BACK")

        assert refund(payment, 20_000, reference="BACK") == first
        assert (money_of(payment), Event.objects.filter(kind="payment.refunded").count()) == ((0, 20_000, 10_000), 1)
        for other, cents in ((payment, 20_001), (receive(atlas, 30_000), 20_000)):
            with pytest.raises(RefundConflict, match=r"BACK is taken: 200\.00"):
                refund(other, cents, reference="BACK")
        with pytest.raises(RefundConflict):
            charge_back(payment, reference="BACK")

    def test_it_needs_the_permission_to_refund(self, atlas: Organization) -> None:
        payment = receive(atlas, 100)
        for role in ("Accountant", "Controller", "Viewer", "Auditor"):
            with pytest.raises(NotAllowed, match=r"billing\.refund_invoice"):
                refund(payment, 100, actor=make_staff(role))
        assert not Refund.objects.exists()

    @pytest.mark.parametrize(
        ("values", "refusal"),
        [
            ({"reference": ""}, "needs a reference"),
            ({"reference": "x" * 101}, "needs a reference of at most 100"),
            ({"method": "cheque"}, "card, sepa_debit, bank_transfer"),
            ({"date": date(2026, 11, 1)}, "before it came"),
            ({"reason": " "}, "Give a reason"),
            ({"payment_id": 10**9}, "does not exist"),
        ],
    )
    def test_what_cannot_be(self, atlas: Organization, values: dict[str, object], refusal: str) -> None:
        terms = {
            "payment_id": receive(atlas, 100).pk,
            "reference": "BACK",
            "amount_cents": 100,
            "date": date(2026, 11, 18),
            "method": "card",
            "reason": "Paid twice",
            **values,
        }
        with pytest.raises(UnableToSettle, match=refusal):
            refund_payment(**terms, actor=None, at=AT)  # type: ignore[arg-type]  # given by the test
        assert not Refund.objects.exists()
