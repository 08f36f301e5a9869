"""`manage.py demo`: every feature of the product is to be seen at one of its customers."""

from datetime import UTC, date, datetime
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db.models import F, Max, Model

from billing.demo.logo import LOGO
from billing.demo.story import CAST, organization_id
from billing.documents.pdf.logos import checked_logo
from billing.models import (
    AddOn,
    ArchivedDocument,
    CloseOutcome,
    Coupon,
    CouponUse,
    CreditEntry,
    CreditStatement,
    Invoice,
    InvoiceLine,
    OutgoingMail,
    Payment,
    Price,
    SellerLogo,
    TaxSubtotal,
    UsageDetail,
    UsageRecord,
)
from billing.queries.customer_invoices import load_invoice_list
from billing.queries.forecast import load_forecast
from organizations.models import Membership, Organization, User
from tests.builders.demo import AUGUST, JULY, NOVEMBER, NOW, OCTOBER, SEPTEMBER, draft, invoice, run_demo

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("demo")]


def statement(name: str, month: date = OCTOBER) -> CreditStatement:
    return CreditStatement.objects.get(invoice=invoice(name, month))


def outcome(name: str, month: date = OCTOBER) -> CloseOutcome:
    return CloseOutcome.objects.get(organization__external_id=organization_id(name), month=month)


def tax(name: str) -> tuple[str, int]:
    subtotal = TaxSubtotal.objects.get(invoice=draft(name))
    return subtotal.category, subtotal.rate_bp


def everything() -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, as far as the demo and its repetition may touch it."""
    models: list[type[Model]] = [*apps.get_app_config("billing").get_models(), Organization, Membership, User]
    return {
        model.__name__: sorted((tuple(map(str, row)) for row in model._default_manager.values_list()), key=str)
        for model in models
    }


def test_it_prints_who_may_sign_in(output: str) -> None:
    for email in ("max", "fiona", "clara", "alice", "bob", "dave"):
        assert f"{email}@example.com" in output
    assert "password: a-password-of-the-demo" in output
    assert "http://127.0.0.1:8000/admin/" in output
    assert "http://127.0.0.1:8000/\n" in output


def test_running_it_again_changes_nothing() -> None:
    before = everything()
    assert "nothing was changed" in run_demo()
    assert everything() == before


def test_another_password_is_all_that_a_second_run_changes() -> None:
    before = everything()
    run_demo(password="another password")
    after = everything()
    assert User.objects.get(email="bob@example.com").check_password("another password")
    assert {name for name, rows in after.items() if rows != before[name]} == {"User"}


def test_nothing_that_must_hold_is_broken() -> None:
    out = StringIO()
    call_command("verify", stdout=out)
    assert "broken things: 0" in out.getvalue()


def test_three_months_are_issued_in_order_and_the_last_is_left_as_drafts() -> None:
    issued = Invoice.objects.filter(document_state="issued", kind=Invoice.Kind.INVOICE)
    dates = issued.order_by("consumption_month").values_list("consumption_month", "issue_date").distinct()
    assert list(dates) == [(JULY, date(2026, 8, 3)), (AUGUST, date(2026, 9, 3)), (SEPTEMBER, date(2026, 10, 3))]
    assert set(Invoice.objects.filter(document_state="draft").values_list("consumption_month", flat=True)) == {OCTOBER}
    assert issued.filter(payment_state="paid").count() > 0.85 * issued.count()


def test_finance_signs_in_with_its_roles() -> None:
    staff = User.objects.filter(is_staff=True).values_list("email", "groups__name")
    assert set(staff) == {
        ("max@example.com", "Billing manager"),
        ("fiona@example.com", "Accountant"),
        ("clara@example.com", "Controller"),
    }
    assert not User.objects.filter(is_superuser=True).exists()
    assert User.objects.get(email="max@example.com").check_password("a-password-of-the-demo")


def test_three_people_belong_to_one_customer() -> None:
    members = Membership.objects.filter(organization__external_id=organization_id(CAST))
    assert set(members.values_list("user__email", "role")) == {
        ("alice@example.com", "admin"),
        ("bob@example.com", "accountant"),
        ("dave@example.com", "developer"),
    }


def test_a_parent_pays_for_two_sub_organizations() -> None:
    paid_for = CloseOutcome.objects.filter(month=OCTOBER, kind="on_parent", invoice=draft(CAST))
    assert paid_for.count() == 2
    assert UsageDetail.objects.filter(invoice=draft(CAST)).values("organization").distinct().count() == 3


def test_add_ons_start_and_end_within_a_month() -> None:
    partly_billed = InvoiceLine.objects.filter(kind="add_on", invoice__organization__external_id=organization_id(CAST))
    assert partly_billed.filter(name="Premium support", period_start=date(2026, 8, 12)).exists()
    ended = AddOn.objects.get(name="Static IP address", organization__external_id=organization_id(CAST))
    assert ended.ended_on == date(2026, 10, 15)


def test_one_shot_operations_and_custom_services() -> None:
    assert InvoiceLine.objects.filter(invoice=draft(CAST), kind="one_shot", net_cents=80_000).exists()
    assert InvoiceLine.objects.filter(invoice=draft("Odyssée Prévoyance"), kind="custom_service").exists()


def test_over_consumption() -> None:
    over = statement("Kanopée Billetterie")
    assert over.regularization_cents > over.fees_cents // 3


def test_a_clamped_refill_leaves_nothing_to_pay() -> None:
    clamped = statement("Les Cabines d'Ormeau")
    left = clamped.free_balance_cents + clamped.prepaid_balance_cents + clamped.used_prepaid_cents
    assert clamped.refill_cents == 0
    assert left > -clamped.estimate_cents > 0
    assert draft("Les Cabines d'Ormeau").total_cents == 0


def test_reverse_charge_with_a_discount_on_consumption_and_tiers() -> None:
    assert tax("Nordlicht Bildarchiv") == ("AE", 0)
    details = UsageDetail.objects.filter(invoice=draft("Nordlicht Bildarchiv"))
    assert details.filter(meter__isnull=True, amount_cents__lt=0).exists()
    # 2,900 GB and more, kept for 745 hours: above the last bound of 1,000 GB.
    assert details.get(meter__code="storage.object").quantity_micro > 2_900 * 745 * 10**6  # type: ignore[operator]


def test_a_negotiated_refill_and_a_negotiated_price() -> None:
    assert statement("Odyssée Prévoyance").refill_cents == 90_000
    price = Price.objects.get(organization__external_id=organization_id("Odyssée Prévoyance"))
    assert UsageDetail.objects.filter(invoice=draft("Odyssée Prévoyance"), price=price).exists()


def test_credits_expire() -> None:
    assert statement("Potager Collectif", AUGUST).expired_cents < 0
    assert CreditEntry.objects.filter(kind="expiry", invoice=invoice("Potager Collectif", AUGUST)).exists()
    assert statement("Potager Collectif").expired_cents < 0


def test_a_coupon_that_is_no_longer_valid() -> None:
    coupon = Coupon.objects.get(name="EARLY-BIRD")
    assert coupon.valid_until == date(2026, 8, 31)
    use = CouponUse.objects.get(coupon=coupon, organization__name="Potager Collectif")
    assert use.grant.expires_on == date(2026, 10, 31)


def test_the_month_in_progress_is_used_up_to_yesterday() -> None:
    usage = UsageRecord.objects.filter(month=NOVEMBER)
    assert usage.aggregate(last=Max("ended_at"))["last"] == datetime(2026, 11, 21, 23, tzinfo=UTC)  # midnight in Paris
    forecast = load_forecast(Organization.objects.get(name=CAST), at=NOW)
    assert forecast is not None
    assert forecast.expected.gross_cents > forecast.so_far.gross_cents > 0
    assert {line.organization_id for line in forecast.so_far.lines} == set(forecast.organizations)
    assert len(forecast.organizations) == 3


def test_what_the_portal_shows_to_the_cast() -> None:
    """A part of the newest invoice is left to pay, and late; a coupon is used; the seller has a logo."""
    cast = Organization.objects.get(name=CAST)
    due = invoice(CAST, SEPTEMBER)
    assert 0 < due.paid_cents < due.total_cents
    (listed,) = load_invoice_list(cast.pk, today=NOW.date()).pending
    assert (listed.invoice, listed.is_overdue) == (due, True)
    assert CouponUse.objects.get(organization=cast).coupon.name == "EARLY-BIRD"
    assert SellerLogo.objects.get().svg == checked_logo(LOGO.encode())


def test_late_usage_is_on_the_next_draft() -> None:
    late = UsageDetail.objects.filter(invoice=draft("Transports Ligérix"), month=SEPTEMBER)
    assert late.exists()
    received = UsageRecord.objects.filter(month=SEPTEMBER, received_at__gt=datetime(2026, 10, 10, tzinfo=UTC))
    assert received.filter(organization__external_id=organization_id("Transports Ligérix")).count() == 4 * 3


def test_blocked_for_want_of_a_price_and_of_an_address() -> None:
    assert outcome("Cortexa Diagnostics").reason_code == "no_price"
    assert outcome("Brume Studio").reason_code == "incomplete_billing_profile"
    assert CloseOutcome.objects.filter(kind="blocked").exclude(month=OCTOBER).count() == 0


def test_an_unpaid_invoice_keeps_its_credits_pending() -> None:
    assert invoice("Fonderie Garance", SEPTEMBER).payment_state == "pending"
    assert statement("Fonderie Garance").pending_cents > 0


def test_a_part_of_an_invoice_is_paid_and_somebody_paid_too_much() -> None:
    assert (
        0 < invoice("Transports Ligérix", SEPTEMBER).paid_cents < invoice("Transports Ligérix", SEPTEMBER).total_cents
    )
    assert Payment.objects.filter(allocated_cents__lt=F("amount_cents")).exists()


def test_a_trial_pays_the_first_month() -> None:
    assert statement("Zéphyr Mobilité", AUGUST).used_free_cents < 0


def test_nothing_to_bill() -> None:
    assert {row.kind for row in CloseOutcome.objects.filter(organization__name="Veille & Marées")} == {"nil"}


def test_vat_by_the_place_of_the_customer() -> None:
    assert tax(CAST) == ("S", 2000)
    assert tax("Lagon Énergie") == ("S", 850)
    assert tax("Alpenrot Kartografie") == ("O", 0)
    assert tax("Nerea Valdeluz") == ("S", 2000)
    assert draft("Polder Optiek").review_notes


def test_the_last_month_of_an_account() -> None:
    assert Organization.objects.get(name="Comète Événements").closed_on == date(2026, 10, 24)
    assert statement("Comète Événements").refill_cents == 0


def test_users_in_packages_of_five() -> None:
    # 27 users: 6 packages of 5; the first 10 users at 9.00 per 5, 20 more at 7.50 per 5: 18.00 + 30.00.
    seats = UsageDetail.objects.get(invoice=draft("Scriptorium Numérique"), meter__code="git.seats")
    assert (seats.quantity_micro, seats.amount_cents) == (27_000_000, 4_800)


def test_a_price_that_falls_within_a_month() -> None:
    lines = UsageDetail.objects.filter(invoice=invoice("Nordlicht Bildarchiv", SEPTEMBER), meter__code="search.m")
    assert lines.count() == 2


def test_what_is_issued_has_files_and_was_sent_to_nobody_real(output: str) -> None:
    issued = Invoice.objects.filter(document_state="issued").count()
    assert ArchivedDocument.objects.filter(state="stored").count() == issued
    mails = OutgoingMail.objects.all()
    assert {mail.state for mail in mails} == {"sent"}
    assert {mail.recipient.rpartition(".")[2] for mail in mails} == {"example"}
    assert {f"{mail.sent_at:%Y-%m}" for mail in mails} == {"2026-08", "2026-09", "2026-10"}
    assert "no e-mail reaches anybody" in output
