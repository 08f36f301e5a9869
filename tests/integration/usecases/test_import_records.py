"""What is recorded once: charges, credit grants, coupons, payments; and the add-ons and resources beside them."""

from datetime import date

import pytest

from billing.models import AddOn, Charge, Coupon, CreditEntry, CreditGrant, Payment, Resource
from tests.builders.imports import (
    AT,
    Object,
    add_on_line,
    charge_line,
    counts,
    coupon_line,
    grant_line,
    import_lines,
    organization_line,
    payment_line,
    plan_line,
    reasons,
    resource_line,
)
from tests.builders.invoices import make_invoice

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _organizations() -> None:
    import_lines(organization_line(), organization_line("orga_borealis"), plan_line(), plan_line("usd", currency="USD"))


class TestResources:
    def test_a_resource_is_created_then_renamed(self) -> None:
        assert counts(import_lines(resource_line())) == (1, 0, 0)
        assert counts(import_lines(resource_line())) == (0, 1, 0)
        assert counts(import_lines(resource_line(name="api"))) == (1, 0, 0)
        assert Resource.objects.get().name == "api"

    def test_it_belongs_to_its_organization_for_good(self) -> None:
        import_lines(resource_line())

        report = import_lines(resource_line(organization="orga_borealis", name="mine"))

        assert reasons(report) == {1: "Resource app_api belongs to another organization, and does so for good."}
        assert Resource.objects.get().name == "api-prod-ruby"

    def test_nor_may_two_lines_of_a_file_disagree(self) -> None:
        report = import_lines(resource_line(), resource_line(organization="orga_borealis"))

        assert counts(report) == (1, 0, 1)

    def test_of_nobody(self) -> None:
        assert reasons(import_lines(resource_line(organization="orga_x"))) == {1: "Unknown organization: 'orga_x'."}


class TestAddOns:
    def test_an_add_on_is_created_then_ended(self) -> None:
        assert counts(import_lines(add_on_line())) == (1, 0, 0)
        assert counts(import_lines(add_on_line())) == (0, 1, 0)
        assert counts(import_lines(add_on_line(ended_on="2026-11-15", quantity=2))) == (1, 0, 0)

        add_on = AddOn.objects.get()
        assert (add_on.started_on, add_on.ended_on, add_on.quantity) == (date(2026, 9, 12), date(2026, 11, 15), 2)
        assert (add_on.organization.external_id, add_on.plan.code) == ("orga_atlas", "support")

    def test_its_days_may_change_after_it_was_billed(self) -> None:
        import_lines(add_on_line())
        AddOn.objects.update(billed_until=date(2026, 12, 1))

        assert counts(import_lines(add_on_line(ended_on="2026-11-15"))) == (1, 0, 0)
        assert AddOn.objects.get().billed_until == date(2026, 12, 1)

    def test_but_not_whose_it_is(self) -> None:
        import_lines(add_on_line())
        assert counts(import_lines(add_on_line(organization="orga_borealis"))) == (1, 0, 0)
        AddOn.objects.update(billed_until=date(2026, 12, 1))

        assert reasons(import_lines(add_on_line())) == {1: "Add-on addon_1 is billed to another organization already."}

    @pytest.mark.parametrize(
        ("fields", "sentence"),
        [
            ({"organization": "orga_x"}, "Unknown organization: 'orga_x'."),
            ({"plan": "gold"}, "Unknown add-on plan: 'gold'."),
            ({"plan": "usd"}, "Plan usd is priced in USD, orga_atlas pays in EUR."),
            ({"ended_on": "2026-09-11"}, "The add-on cannot end on 2026-09-11, before it starts on 2026-09-12."),
            ({"quantity": -1}, "quantity: a number >= 0 is expected."),
            ({"quantity": "1"}, "quantity: a whole number is expected, not text in quotes."),
        ],
    )
    def test_what_an_add_on_cannot_be(self, fields: Object, sentence: str) -> None:
        assert reasons(import_lines(add_on_line(**fields))) == {1: sentence}
        assert not AddOn.objects.exists()


class TestCharges:
    def test_a_charge(self) -> None:
        import_lines(charge_line(quantity="2.5", unit_price="0.123456", type="custom_service"))

        charge = Charge.objects.get()
        assert (charge.quantity_micro, charge.unit_price_micro) == (2_500_000, 123_456)
        assert (charge.type, charge.description) == ("custom_service", "Database migration")
        assert (charge.date, charge.invoice) == (date(2026, 10, 20), None)

    def test_the_same_again_is_unchanged_however_the_numbers_are_written(self) -> None:
        import_lines(charge_line(unit_price="800.00"))

        assert counts(import_lines(charge_line(unit_price="800"), charge_line(quantity="1.0"))) == (0, 2, 0)

    @pytest.mark.parametrize(
        ("fields", "difference"),
        [
            ({"unit_price": "900.00"}, "unit_price"),
            ({"organization": "orga_borealis", "date": "2026-10-21"}, "organization, date"),
        ],
    )
    def test_a_reference_has_one_content(self, fields: Object, difference: str) -> None:
        import_lines(charge_line())

        assert reasons(import_lines(charge_line(**fields))) == {
            1: f"The charge MIG-7 was recorded before with other content ({difference})."
        }
        assert Charge.objects.get().unit_price_micro == 800_000_000

    def test_also_within_a_file(self) -> None:
        assert counts(import_lines(charge_line(), charge_line(), charge_line(description="Other"))) == (1, 1, 1)

    def test_a_charge_that_was_billed_is_still_the_same(self) -> None:
        import_lines(charge_line())
        Charge.objects.update(invoice=make_invoice(status="pending"))

        assert counts(import_lines(charge_line())) == (0, 1, 0)

    @pytest.mark.parametrize(
        ("fields", "sentence"),
        [
            ({"quantity": "-1"}, "quantity: '-1' is not a quantity"),
            ({"quantity": "１"}, "quantity: '１' is not a quantity"),
            ({"unit_price": "-1.00"}, "unit_price: '-1.00' is not a quantity"),
            ({"unit_price": "1.1234567"}, "unit_price: '1.1234567' is not a quantity: it has more than six"),
            ({"unit_price": "NaN"}, "unit_price: 'NaN' is not a quantity"),
            ({"quantity": "1000000", "unit_price": "1000000000"}, "The charge is above 10000000000000.00"),
            ({"organization": "orga_x"}, "Unknown organization: 'orga_x'."),
        ],
    )
    def test_what_a_charge_cannot_be(self, fields: Object, sentence: str) -> None:
        assert reasons(import_lines(charge_line(**fields)))[1].startswith(sentence)
        assert not Charge.objects.exists()


class TestCredits:
    def test_a_grant_is_usable_at_once_and_begins_its_ledger(self) -> None:
        import_lines(grant_line(priority=-3))

        grant = CreditGrant.objects.get()
        assert (grant.type, grant.state, grant.currency) == ("free", "active", "EUR")
        assert (grant.amount_cents, grant.remaining_cents) == (2_000, 2_000)
        assert (grant.starts_on, grant.expires_on) == (date(2026, 10, 1), date(2026, 10, 31))
        assert (grant.priority, grant.reason) == (-3, "trial")
        entry = CreditEntry.objects.get()
        assert (entry.grant, entry.kind, entry.amount_cents, entry.booked_at) == (grant, "grant", 2_000, AT)

    def test_the_same_again_is_unchanged_also_when_it_is_used_up(self) -> None:
        import_lines(grant_line())
        CreditGrant.objects.update(remaining_cents=0)

        assert counts(import_lines(grant_line())) == (0, 1, 0)
        assert CreditEntry.objects.count() == 1

    def test_prepaid_credits_without_expiry(self) -> None:
        line = grant_line(type="prepaid", expires_on=None, starts_on=None)
        del line["reason"], line["priority"]

        assert counts(import_lines(line)) == (1, 0, 0)

    def test_a_reference_has_one_content(self) -> None:
        import_lines(grant_line())

        assert reasons(import_lines(grant_line(amount="30.00"))) == {
            1: "The credit grant TRIAL-1 was recorded before with other content (amount)."
        }

    @pytest.mark.parametrize(
        ("fields", "sentence"),
        [
            ({"type": "prepaid"}, "Prepaid credits do not expire."),
            ({"amount": "0.00"}, "A grant gives more than nothing."),
            ({"amount": "-5.00"}, "amount: '-5.00' is not an amount"),
            ({"amount": "5.001"}, "amount: '5.001' is not an amount"),
            ({"expires_on": "2026-09-30"}, "The credits cannot expire on 30 Sep 2026, before they start on 1 Oct"),
            ({"organization": "orga_x"}, "Unknown organization: 'orga_x'."),
            ({"priority": 2**31}, "priority: a number <= 2147483647 is expected."),
        ],
    )
    def test_what_a_grant_cannot_be(self, fields: Object, sentence: str) -> None:
        assert reasons(import_lines(grant_line(**fields)))[1].startswith(sentence)
        assert not CreditGrant.objects.exists()
        assert not CreditEntry.objects.exists()


class TestCoupons:
    def test_a_coupon(self) -> None:
        import_lines(coupon_line())

        coupon = Coupon.objects.get()
        assert (coupon.name, coupon.amount_cents, coupon.currency) == ("WELCOME", 2_000, "EUR")
        assert (coupon.valid_from, coupon.valid_until) == (date(2026, 1, 1), date(2026, 12, 31))
        assert (coupon.credits_last_days, coupon.maximum_uses) == (60, 100)

    def test_what_is_left_out_is_no_limit(self) -> None:
        assert counts(import_lines({"kind": "coupon", "name": "X", "amount": "1", "currency": "EUR"})) == (1, 0, 0)
        assert Coupon.objects.get().credits_last_days is None

    def test_equal_or_refused(self) -> None:
        import_lines(coupon_line())

        assert counts(import_lines(coupon_line(amount="20"))) == (0, 1, 0)
        assert reasons(import_lines(coupon_line(maximum_uses=5))) == {
            1: "The coupon WELCOME was recorded before with other content (maximum_uses)."
        }

    @pytest.mark.parametrize(
        ("fields", "sentence"),
        [
            ({"amount": "0"}, "amount: a coupon gives more than nothing."),
            ({"currency": "JPY"}, "'JPY' is not the code of a currency with two decimals, such as EUR."),
            ({"valid_until": "2025-12-31"}, "The coupon cannot end on 2025-12-31, before it starts on 2026-01-01."),
            ({"credits_last_days": 10**9}, "credits_last_days: a number <= 36500 is expected."),
            ({"maximum_uses": -1}, "maximum_uses: a number >= 0 is expected."),
        ],
    )
    def test_what_a_coupon_cannot_be(self, fields: Object, sentence: str) -> None:
        assert reasons(import_lines(coupon_line(**fields))) == {1: sentence}
        assert not Coupon.objects.exists()


class TestPayments:
    def test_a_payment_waits_on_the_account(self) -> None:
        assert counts(import_lines(payment_line())) == (1, 0, 0)
        assert counts(import_lines(payment_line())) == (0, 1, 0)

        payment = Payment.objects.get()
        assert (payment.amount_cents, payment.allocated_cents, payment.currency) == (10_000, 0, "EUR")
        assert (payment.date, payment.method) == (date(2026, 11, 5), "bank_transfer")

    def test_a_payment_settles_the_invoice_it_names(self) -> None:
        from organizations.models import Organization

        atlas = Organization.objects.get(external_id="orga_atlas")
        invoice = make_invoice(organization=atlas, status="pending", fees_cents=10_000)

        report = import_lines(payment_line(invoice=invoice.number, amount="12.00"))

        assert counts(report) == (1, 0, 0)
        invoice.refresh_from_db()
        assert invoice.paid_cents == 1_200

    @pytest.mark.parametrize(
        ("fields", "sentence"),
        [
            ({"invoice": "F-404"}, "There is no issued invoice F-404."),
            ({"organization": "orga_x"}, "Unknown organization: 'orga_x'."),
            ({"amount": "0.00"}, "A payment of 0.00 is not money received."),
            ({"amount": "ten"}, "amount: 'ten' is not an amount"),
            ({"method": "cash"}, "method: 'cash' is not one of card, sepa_debit, bank_transfer."),
            ({"date": "2026-11-23"}, "A payment cannot be dated in the future: 23 Nov 2026."),
            ({"invoice": "\0"}, "invoice: it holds a NUL character."),
        ],
    )
    def test_what_a_payment_cannot_be(self, fields: Object, sentence: str) -> None:
        assert reasons(import_lines(payment_line(**fields)))[1].startswith(sentence)
        assert not Payment.objects.exists()

    def test_a_reference_has_one_content(self) -> None:
        import_lines(payment_line())

        report = import_lines(payment_line(amount="99.00"))

        assert counts(report) == (0, 0, 1)
        assert Payment.objects.get().amount_cents == 10_000
