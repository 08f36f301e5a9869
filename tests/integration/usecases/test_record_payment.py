"""Money received settles what it names or the oldest invoices, exactly once."""

from datetime import UTC, date, datetime

import pytest

from billing.models import Allocation, CreditEntry, CreditGrant, Event, Invoice, Payment
from billing.usecases._permissions import NotAllowed
from billing.usecases.record_payment import (
    InvalidPayment,
    NotThisOrganizationsInvoice,
    PaymentConflict,
    Recorded,
    UnableToRecordPayment,
    UnknownInvoice,
    UnknownOrganization,
    record_payment,
)
from organizations.models import Organization, User
from tests.builders.desk import make_staff
from tests.builders.invoices import make_credit_note, make_invoice
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 5, 10, 0, tzinfo=UTC)
AUGUST, SEPTEMBER, OCTOBER = date(2026, 8, 1), date(2026, 9, 1), date(2026, 10, 1)


@pytest.fixture
def atlas() -> Organization:
    return make_organization(external_id="orga_atlas")


def pay(
    organization: Organization | int,
    amount_cents: int,
    *,
    reference: str = "PAY-1",
    invoice: Invoice | str | None = None,
    day: date = date(2026, 11, 4),
    method: str = "bank_transfer",
    actor: User | None = None,
    at: datetime = AT,
) -> Recorded:
    return record_payment(
        reference=reference,
        organization_id=organization if isinstance(organization, int) else organization.pk,
        amount_cents=amount_cents,
        date=day,
        method=method,
        invoice_number=invoice.number if isinstance(invoice, Invoice) else invoice,
        actor=actor,
        at=at,
    )


def state(invoice: Invoice) -> tuple[str, int]:
    invoice.refresh_from_db()
    return invoice.payment_state, invoice.paid_cents


class TestOneInvoice:
    def test_full_payment_pays_it_and_makes_its_credits_usable(self, atlas: Organization) -> None:
        # U 100.00: regularization 100.00 + provision 100.00, 20 % VAT: 240.00
        invoice = make_invoice(organization=atlas, status="pending", fees_cents=10_000)

        payment, is_new = pay(atlas, 24_000, invoice=invoice)

        assert is_new
        assert (payment.allocated_cents, payment.currency, payment.recorded_at) == (24_000, "EUR", AT)
        assert state(invoice) == ("paid", 24_000)
        grant = CreditGrant.objects.get(sold_by=invoice)
        assert (grant.state, grant.amount_cents, grant.remaining_cents) == ("active", 10_000, 10_000)
        entry = CreditEntry.objects.get(grant=grant)
        assert (entry.kind, entry.amount_cents, entry.booked_at) == ("grant", 10_000, AT)

    def test_partial_payment_leaves_it_pending_and_its_credits_too(self, atlas: Organization) -> None:
        invoice = make_invoice(organization=atlas, status="pending", fees_cents=10_000)

        pay(atlas, 23_999, invoice=invoice)

        assert state(invoice) == ("pending", 23_999)
        assert CreditGrant.objects.get(sold_by=invoice).state == "pending"
        assert not CreditEntry.objects.exists()

    def test_two_parts_pay_it(self, atlas: Organization) -> None:
        invoice = make_invoice(organization=atlas, status="pending", fees_cents=10_000)

        pay(atlas, 10_000, reference="PAY-1", invoice=invoice)
        second = pay(atlas, 15_000, reference="PAY-2", invoice=invoice).payment

        assert state(invoice) == ("paid", 24_000)
        assert second.allocated_cents == 14_000  # 240.00 - 100.00; 10.00 stay unallocated
        assert CreditEntry.objects.count() == 1

    def test_too_much_stays_on_the_account_and_never_becomes_credits(self, atlas: Organization) -> None:
        invoice = make_invoice(organization=atlas, status="pending", fees_cents=10_000)
        other = make_invoice(organization=atlas, status="pending", month=date(2026, 11, 1), fees_cents=10_000)

        payment = pay(atlas, 30_000, invoice=invoice).payment

        assert payment.allocated_cents == 24_000
        assert state(other) == ("pending", 0)  # the payer named another
        assert CreditGrant.objects.filter(state="active").count() == 1

    @pytest.mark.parametrize("status", ["processing", "payment_held", "wont_pay"])
    def test_money_for_it_pays_whatever_was_planned(self, atlas: Organization, status: str) -> None:
        invoice = make_invoice(organization=atlas, status=status, fees_cents=10_000)  # type: ignore[arg-type]

        pay(atlas, 24_000, invoice=invoice)

        assert state(invoice)[0] == "paid"

    @pytest.mark.parametrize("status", ["paid", "canceled", "refunded"])
    def test_money_for_what_is_over_is_kept_unallocated(self, atlas: Organization, status: str) -> None:
        invoice = make_invoice(organization=atlas, status=status, fees_cents=10_000)  # type: ignore[arg-type]
        before = state(invoice)

        payment, is_new = pay(atlas, 24_000, invoice=invoice)

        assert (is_new, payment.allocated_cents) == (True, 0)
        assert state(invoice) == before

    def test_payment_may_be_older_than_the_invoice(self, atlas: Organization) -> None:
        invoice = make_invoice(organization=atlas, status="pending", fees_cents=10_000)

        pay(atlas, 24_000, invoice=invoice, day=date(2026, 10, 1))

        assert state(invoice)[0] == "paid"


class TestOldestFirst:
    def test_goes_from_the_oldest_to_the_newest_until_it_is_used_up(self, atlas: Organization) -> None:
        # 120.00 each: nothing but a regularization of 100.00 and VAT
        months = (SEPTEMBER, AUGUST, OCTOBER)  # not in the order of their ids
        invoices = {
            month: make_invoice(organization=atlas, status="pending", month=month, fees_cents=10_000, refill_cents=0)
            for month in months
        }

        payment = pay(atlas, 30_000).payment

        assert [state(invoices[month]) for month in sorted(months)] == [
            ("paid", 12_000),
            ("paid", 12_000),
            ("pending", 6_000),  # 300.00 - 2 x 120.00
        ]
        assert payment.allocated_cents == 30_000

    def test_one_day_by_counter(self, atlas: Organization) -> None:
        first = make_invoice(organization=atlas, status="pending", month=OCTOBER, fees_cents=10_000)
        second = make_invoice(
            organization=atlas, status="pending", month=SEPTEMBER, fees_cents=10_000, issue_date=first.issue_date
        )

        pay(atlas, 24_000)

        assert (state(first)[0], state(second)[0]) == ("paid", "pending")

    def test_ignores_drafts_settled_ones_credit_notes_write_offs_and_other_customers(self, atlas: Organization) -> None:
        paid = make_invoice(organization=atlas, status="paid", month=AUGUST, fees_cents=10_000, refill_cents=0)
        lost = make_invoice(organization=atlas, status="wont_pay", month=SEPTEMBER, fees_cents=10_000, refill_cents=0)
        draft = make_invoice(organization=atlas, month=OCTOBER, fees_cents=10_000, refill_cents=0)
        note = make_credit_note(refers_to=paid, net_cents=500)
        foreign = make_invoice(status="pending", fees_cents=10_000)

        payment = pay(atlas, 50_000).payment

        assert payment.allocated_cents == 0
        assert [state(invoice)[0] for invoice in (lost, draft, note, foreign)] == [
            "wont_pay", "pending", "paid", "pending",
        ]  # fmt: skip


class TestAgain:
    def test_equal_payment_changes_nothing(self, atlas: Organization) -> None:
        invoice = make_invoice(organization=atlas, status="pending", fees_cents=10_000)
        first = pay(atlas, 24_000, invoice=invoice).payment

        again, is_new = pay(atlas, 24_000, invoice=invoice, at=datetime(2026, 11, 20, tzinfo=UTC))

        assert (again, is_new) == (first, False)
        assert again.recorded_at == AT
        assert state(invoice) == ("paid", 24_000)
        assert (Payment.objects.count(), Allocation.objects.count(), CreditEntry.objects.count()) == (1, 1, 1)

    @pytest.mark.parametrize(
        "other",
        [
            {"amount_cents": 24_001},
            {"day": date(2026, 11, 3)},
            {"method": "card"},
            {"invoice": None},
        ],
    )
    def test_same_reference_with_other_content_is_refused(self, atlas: Organization, other: dict[str, object]) -> None:
        invoice = make_invoice(organization=atlas, status="pending", fees_cents=10_000)
        pay(atlas, 24_000, invoice=invoice)

        with pytest.raises(PaymentConflict, match=r"PAY-1 is already recorded with other content: 240\.00 EUR"):
            pay(atlas, **{"amount_cents": 24_000, "invoice": invoice, **other})  # type: ignore[arg-type]

        assert Payment.objects.get().amount_cents == 24_000

    def test_same_reference_of_another_organization_is_refused(self, atlas: Organization) -> None:
        pay(atlas, 24_000)

        with pytest.raises(PaymentConflict):
            pay(make_organization(), 24_000)


class TestRefused:
    @pytest.fixture(autouse=True)
    def nothing_is_stored(self) -> object:
        yield
        assert not Payment.objects.exists()
        assert not Allocation.objects.exists()

    def test_unknown_invoice(self, atlas: Organization) -> None:
        make_invoice(organization=atlas, fees_cents=10_000)  # a draft has no number

        with pytest.raises(UnknownInvoice, match="There is no issued invoice F20261101-000099"):
            pay(atlas, 100, invoice="F20261101-000099")

    def test_invoice_of_another_organization(self, atlas: Organization) -> None:
        foreign = make_invoice(status="pending", fees_cents=10_000)

        with pytest.raises(NotThisOrganizationsInvoice, match="is not an invoice of orga_atlas"):
            pay(atlas, 100, invoice=foreign)

    def test_credit_note(self, atlas: Organization) -> None:
        note = make_credit_note(
            refers_to=make_invoice(organization=atlas, status="pending", fees_cents=10_000), net_cents=500
        )

        with pytest.raises(UnknownInvoice):
            pay(atlas, 100, invoice=note)

    def test_unknown_organization(self) -> None:
        with pytest.raises(UnknownOrganization):
            pay(10**9, 100)

    @pytest.mark.parametrize("amount_cents", [0, -1])
    def test_nothing_received(self, atlas: Organization, amount_cents: int) -> None:
        with pytest.raises(InvalidPayment, match="is not money received"):
            pay(atlas, amount_cents)

    def test_unknown_method(self, atlas: Organization) -> None:
        with pytest.raises(InvalidPayment, match="card, sepa_debit, bank_transfer"):
            pay(atlas, 100, method="cheque")

    @pytest.mark.parametrize("reference", ["", "x" * 101])
    def test_reference_that_cannot_be_kept(self, atlas: Organization, reference: str) -> None:
        with pytest.raises(InvalidPayment, match="reference"):
            pay(atlas, 100, reference=reference)

    def test_future_begins_where_the_legal_entity_is(self, atlas: Organization) -> None:
        late_evening = datetime(2026, 11, 4, 22, 59, tzinfo=UTC)  # 23:59 in Paris

        with pytest.raises(InvalidPayment, match="in the future: 5 Nov 2026"):
            pay(atlas, 100, day=date(2026, 11, 5), at=late_evening)

    def test_every_refusal_is_one_kind_of_error(self, atlas: Organization) -> None:
        with pytest.raises(UnableToRecordPayment):
            pay(atlas, 0)


def test_today_in_paris_is_not_the_future(atlas: Organization) -> None:
    after_midnight = datetime(2026, 11, 4, 23, 1, tzinfo=UTC)  # 00:01 on the 5th in Paris

    assert pay(atlas, 100, day=date(2026, 11, 5), at=after_midnight).is_new


class TestWhoDidIt:
    def test_the_payment_and_what_it_settles_are_events(self, atlas: Organization) -> None:
        fiona = make_staff("Accountant")
        invoice = make_invoice(organization=atlas, status="pending", fees_cents=10_000)

        pay(atlas, 25_000, actor=fiona)

        events = Event.objects.order_by("pk").values_list("kind", "actor__email", "organization", "invoice", "values")
        assert list(events) == [
            (
                "payment.recorded", "fiona@example.com", atlas.pk, None,
                {
                    "payment": "PAY-1", "cents": 25_000, "currency": "EUR",
                    "method": "bank_transfer", "date": "2026-11-04",
                },
            ),
            (
                "payment.allocated", "fiona@example.com", atlas.pk, invoice.pk,
                {
                    "payment": "PAY-1", "cents": 24_000, "currency": "EUR",
                    "before": {"payment_state": "pending"}, "after": {"payment_state": "paid", "left_cents": 0},
                },
            ),
        ]  # fmt: skip

    def test_again_leaves_no_event(self, atlas: Organization) -> None:
        pay(atlas, 100)
        pay(atlas, 100)

        assert Event.objects.count() == 1

    @pytest.mark.parametrize("role", ["Viewer", "Controller", "Auditor"])
    def test_a_role_without_the_permission(self, atlas: Organization, role: str) -> None:
        with pytest.raises(NotAllowed, match=r"billing\.add_payment"):
            pay(atlas, 100, actor=make_staff(role))
        assert not Payment.objects.exists()
