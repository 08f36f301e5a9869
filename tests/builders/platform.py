"""A small platform whose stored data keeps every promise: something of each kind."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime

from django.db import transaction
from pytest_django import DjangoDbBlocker

from billing.domain.direct_lines import DirectLine
from billing.domain.taxation import REVERSE_CHARGE
from billing.models import AddOn, AddOnPlan, AddOnPlanPrice, Charge, Coupon, CouponUse, VendorCharge
from organizations.models import BillingProfile, Organization
from tests.builders.archive import store
from tests.builders.credits import book_entry, make_grant
from tests.builders.invoices import make_credit_note, make_invoice, make_line, make_outcome
from tests.builders.organizations import make_organization
from tests.builders.payments import make_payment, make_refund
from tests.builders.usage import make_meter, make_resource, make_usage_record

SEPTEMBER = date(2026, 9, 1)


@contextmanager
def platform_stored(blocker: DjangoDbBlocker) -> Iterator[Organization]:
    """Have the platform in the database meanwhile, for all tests of a module: making it takes longer than most tests.

    What a test changes is undone after it, as everywhere.
    """
    with blocker.unblock(), transaction.atomic():
        yield make_platform()
        transaction.set_rollback(True)


def make_platform() -> Organization:
    """Store two closed months of some organizations; returns the one that has everything.

    Its September invoice is paid, its October invoice is partly paid, uses free and prepaid credits, lets others
    expire, and bills an add-on and a charge.
    """
    atlas = make_organization(external_id="orga_atlas")
    make_invoice(organization=atlas, status="paid", month=SEPTEMBER, fees_cents=10_000)
    trial = make_grant(organization=atlas, type="free", amount_cents=500, expires_on=date(2026, 12, 31), priority=1)
    make_grant(organization=atlas, type="free", amount_cents=300, expires_on=date(2026, 8, 31), reason="lapsed")
    _use_coupon(atlas, trial.pk)
    october = make_invoice(
        organization=atlas,
        status="pending",
        fees_cents=12_000,
        discount_cents=1_000,
        direct=[_support(atlas), _migration(atlas)],
    )
    Charge.objects.update(invoice=october)
    AddOn.objects.update(billed_until=date(2026, 12, 1))
    part = make_payment(organization=atlas, amount_cents=700, settles={october: 500}, reference="PAY-PART")
    make_refund(payment=part, amount_cents=150, reference="BACK-PART")
    make_credit_note(refers_to=october, net_cents=1_000)
    _others(atlas)
    BillingProfile.objects.filter(organization=atlas).update(email="billing@example.org")
    store(october, at=datetime(2026, 11, 1, 12, tzinfo=UTC))
    return atlas


def _others(atlas: Organization) -> None:
    child = make_organization(external_id="orga_atlas_lab", parent=atlas)
    make_outcome(
        organization=child, kind="on_parent", payer=atlas, invoice=atlas.invoices.filter(kind="invoice").first()
    )
    quiet = make_organization(external_id="orga_quiet")
    expired = make_grant(organization=quiet, type="free", amount_cents=900, expires_on=date(2026, 10, 31))
    nil = make_outcome(organization=quiet)
    at = datetime(2026, 11, 1, tzinfo=UTC)
    book_entry(grant=expired, kind="expiry", amount_cents=-900, outcome=nil, at=at)
    berlin = make_organization(external_id="orga_berlin")
    make_grant(organization=berlin, type="free", amount_cents=2_000, expires_on=date(2026, 10, 31))
    make_invoice(organization=berlin, status="payment_held", fees_cents=1_500, tax=REVERSE_CHARGE)
    make_invoice(organization=make_organization(external_id="orga_draft"), fees_cents=4_200)
    blocked = make_organization(external_id="orga_blocked")
    make_outcome(organization=blocked, kind="blocked", reason_code="no_price")
    _vendor_charge(blocked)


def _vendor_charge(organization: Organization) -> None:
    """0.40 consumed at another provider."""
    record = make_usage_record(
        resource=make_resource(organization=organization),
        meter=make_meter(),
        source="focus:AWS",
        event_id="0123456789abcdef",
        quantity_micro=4 * 10**11,
    )
    VendorCharge.objects.create(
        source=record.source,
        event_id=record.event_id,
        organization=organization,
        vendor="AWS",
        service="Queues",
        charge_category="Usage",
        started_at=record.started_at,
        ended_at=record.ended_at,
        currency="EUR",
        list_cost="0.40000000000",
        row={},
        received_at=record.received_at,
    )


def _use_coupon(organization: Organization, grant_id: int) -> None:
    coupon = Coupon.objects.create(name="WELCOME", amount_cents=500)
    CouponUse.objects.create(
        coupon=coupon, organization=organization, grant_id=grant_id, used_at=datetime(2026, 9, 15, tzinfo=UTC)
    )


def _support(organization: Organization) -> DirectLine:
    plan = AddOnPlan.objects.create(code="support", name="Support")
    AddOnPlanPrice.objects.create(plan=plan, monthly_price_cents=4_900)
    add_on = AddOn.objects.create(
        external_id="addon_1", organization=organization, plan=plan, name="Support", started_on=date(2026, 11, 1)
    )
    return make_line(
        kind="add_on",
        name="Support",
        net_cents=4_900,
        source_id=add_on.pk,
        period_start=date(2026, 11, 1),
        period_end=date(2026, 12, 1),
    )


def _migration(organization: Organization) -> DirectLine:
    charge = Charge.objects.create(
        reference="MIG-7",
        organization=organization,
        type="one_shot",
        description="Database migration",
        quantity_micro=1_000_000,
        unit_price_micro=800_000_000,
        date=date(2026, 10, 20),
    )
    return make_line(kind="one_shot", net_cents=80_000, source_id=charge.pk)
