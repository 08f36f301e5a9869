"""Months with nothing to bill: no invoice, no number, a reason; what expired is booked all the same.

Requests are free up to 1000 and then cost 1.00 each; apps.S costs 0.01 a second.
"""

from datetime import date
from decimal import Decimal

import pytest

from billing.domain.pricing import Tier
from billing.domain.quantities import MICRO
from billing.models import CloseOutcome, CreditEntry, CreditGrant, Invoice, Meter, UsageMonth
from billing.queries.months import midnight
from billing.usecases.set_price import MonthAlreadyIssued, PriceKey, PriceTerms, set_price
from organizations.models import Organization
from tests.builders.closing import (
    bill_of,
    broken_promises,
    close,
    close_and_issue,
    consume,
    issue,
    letters_of,
    lines_of,
    local,
    make_charge,
    make_metered_price,
    outcome_of,
    remaining_of,
    usage_of,
)
from tests.builders.credits import make_grant
from tests.builders.organizations import make_billing_profile, make_organization

pytestmark = pytest.mark.django_db


@pytest.fixture
def atlas() -> Organization:
    make_metered_price()
    make_metered_price(code="requests", unit="request", tiers=[(1000, "0"), (None, "1")])
    return make_organization(external_id="orga_atlas", name="Atlas", opened_on=date(2026, 8, 1))


@pytest.fixture
def trial(atlas: Organization) -> CreditGrant:
    return make_grant(
        organization=atlas, type="free", amount_cents=20_00, starts_on=date(2026, 9, 15), expires_on=date(2026, 10, 31)
    )


def expiries(grant: CreditGrant) -> list[int]:
    return list(
        CreditEntry.objects.filter(grant=grant, kind="expiry").order_by("id").values_list("amount_cents", flat=True)
    )


@pytest.mark.parametrize(("free", "reason"), [(0, "no_activity"), (1000, "free_usage_only")])
def test_nothing_to_bill_is_nil_with_its_reason(atlas: Organization, free: int, reason: str) -> None:
    if free:
        consume(atlas, quantity=free, on="2026-10-03", meter="requests")

    report = close("2026-10")

    assert (report.invoices, report.nil, report.blocked) == (0, 1, 0)
    assert (outcome_of(atlas, "2026-10").kind, outcome_of(atlas, "2026-10").reason_code) == ("nil", reason)
    assert not Invoice.objects.exists()
    assert not UsageMonth.objects.filter(unbilled=True).exists()


def test_a_nil_month_is_not_issued(atlas: Organization) -> None:
    close("2026-10")

    report = issue("2026-10")

    assert (report.numbers, report.not_issued) == ([], [])


def test_usage_that_arrives_after_a_nil_month_refreshes_it_until_the_next_is_closed(atlas: Organization) -> None:
    close("2026-10")
    consume(atlas, quantity=100, on="2026-10-03", at=local("2026-11-02"))

    close_and_issue("2026-10")

    assert lines_of(bill_of(atlas, "2026-10")) == ["provision 2026-11 1.00", "regularization 2026-10 1.00"]
    assert not UsageMonth.objects.filter(unbilled=True).exists()
    assert broken_promises() == []


def test_usage_that_arrives_after_a_nil_month_is_late_once_the_next_is_closed(atlas: Organization) -> None:
    consume(atlas, quantity=900, on="2026-10-03", meter="requests")
    close("2026-10")
    close("2026-11")
    consume(atlas, quantity=102, on="2026-10-04", meter="requests", at=local("2026-12-02"))

    close("2026-10", at=local("2026-12-02"))
    assert outcome_of(atlas, "2026-10").kind == "nil"
    close("2026-11", at=local("2026-12-02"))

    # 900 + 102 = 1002, of which 1000 are free
    assert usage_of(bill_of(atlas, "2026-11")) == ["2026-10 app_orga_atlas requests 102 2.00"]


def test_closing_a_nil_month_again_changes_nothing(atlas: Organization, trial: CreditGrant) -> None:
    consume(atlas, quantity=900, on="2026-10-03", meter="requests")
    consume(atlas, quantity=70, on="2026-09-03", meter="requests")  # older than the first close: late
    close("2026-10")
    before = CloseOutcome.objects.values_list().get()

    close("2026-10", at=local("2026-11-05"))
    close("2026-10", at=local("2026-11-06"))

    assert CloseOutcome.objects.values_list().get() == before
    assert sorted(line[6] for line in outcome_of(atlas, "2026-10").settled_usage) == [70_000_000, 900_000_000]
    assert (expiries(trial), remaining_of(trial)) == ([-20_00], 0)


def test_late_usage_that_a_nil_month_settled_is_on_the_draft_it_becomes(atlas: Organization) -> None:
    consume(atlas, quantity=900, on="2026-09-03", meter="requests")
    close("2026-10")
    consume(atlas, quantity=100, on="2026-10-03", at=local("2026-11-02"))

    close_and_issue("2026-10")

    assert usage_of(bill_of(atlas, "2026-10")) == [
        "2026-10 app_orga_atlas apps.S 100 1.00",
        "2026-09 app_orga_atlas requests 900 0.00",
    ]
    assert not UsageMonth.objects.filter(unbilled=True).exists()
    assert broken_promises() == []


def test_late_usage_that_a_nil_month_settled_counts_once_when_more_arrives(atlas: Organization) -> None:
    consume(atlas, quantity=900, on="2026-09-03", meter="requests")
    close("2026-10")
    consume(atlas, quantity=90, on="2026-09-04", meter="requests", at=local("2026-11-02"))
    close("2026-10")
    assert [line[6] for line in outcome_of(atlas, "2026-10").settled_usage] == [990_000_000]
    consume(atlas, quantity=15, on="2026-09-05", meter="requests", at=local("2026-12-02"))

    close("2026-11")

    # 990 were settled free of charge; 1005 - 1000 = 5
    assert usage_of(bill_of(atlas, "2026-11")) == ["2026-09 app_orga_atlas requests 15 5.00"]


def test_what_a_full_discount_gave_away_is_not_billed_later(atlas: Organization) -> None:
    atlas.consumption_discount_ppm = 1_000_000
    atlas.save()
    consume(atlas, quantity=500, on="2026-09-03")
    consume(atlas, quantity=500, on="2026-10-03")
    close("2026-10")
    close("2026-10")
    close("2026-11")
    atlas.consumption_discount_ppm = 0
    atlas.save()
    for day in ("2026-09-04", "2026-10-04"):
        consume(atlas, quantity=100, on=day, at=local("2026-12-02"))

    close("2026-11")

    # 6.00 - 5.00 each, and not the 5.00 again
    assert [line.amount for line in bill_of(atlas, "2026-11").usage] == ["1.00", "1.00"]


# --- Expiry -----------------------------------------------------------------------------------------------------------


def charge_requests_since(day: date) -> None:
    """From a day on, requests cost 1.00 from the first one on."""
    key = PriceKey(meter_id=Meter.objects.get(code="requests").pk, zone="par", currency="EUR")
    terms = PriceTerms(per_quantity_micro=MICRO, tiers=(Tier(None, Decimal(1)),))
    set_price(key=key, valid_from=midnight(day), terms=terms)


def test_what_a_free_tier_gave_away_is_not_repriced_once_the_next_month_is_closed(atlas: Organization) -> None:
    consume(atlas, quantity=900, on="2026-10-20", meter="requests")
    close("2026-10")
    close("2026-11")

    with pytest.raises(MonthAlreadyIssued, match="2026-10 is already issued or settled"):
        charge_requests_since(date(2026, 10, 15))

    charge_requests_since(date(2026, 11, 1))
    consume(atlas, quantity=102, on="2026-10-21", meter="requests", at=local("2026-12-02"))
    close("2026-11", at=local("2026-12-02"))
    assert usage_of(bill_of(atlas, "2026-11")) == ["2026-10 app_orga_atlas requests 102 2.00"]
    assert broken_promises() == []


def test_a_nil_month_that_can_be_closed_again_may_be_repriced(atlas: Organization) -> None:
    consume(atlas, quantity=900, on="2026-10-20", meter="requests")
    close("2026-10")

    charge_requests_since(date(2026, 10, 15))
    close_and_issue("2026-10")

    assert usage_of(bill_of(atlas, "2026-10")) == ["2026-10 app_orga_atlas requests 900 900.00"]
    assert broken_promises() == []


def test_an_expiry_in_a_nil_month_is_booked_once(atlas: Organization, trial: CreditGrant) -> None:
    close_and_issue("2026-09")
    assert remaining_of(trial) == 20_00

    close("2026-10")
    close("2026-10")

    entry = CreditEntry.objects.get(kind="expiry")
    assert (entry.amount_cents, entry.month, entry.outcome) == (-20_00, date(2026, 10, 1), outcome_of(atlas, "2026-10"))
    assert remaining_of(trial) == 0
    assert broken_promises() == []


def test_the_statement_after_a_nil_month_begins_without_what_expired(atlas: Organization, trial: CreditGrant) -> None:
    close("2026-10")
    consume(atlas, quantity=100, on="2026-11-03")

    close("2026-11")

    assert letters_of(bill_of(atlas, "2026-11"), "a c d") == "a 0.00 c 0.00 d 0.00"


def test_a_grant_that_expired_before_the_first_close_is_booked_and_never_in_a(
    atlas: Organization, trial: CreditGrant
) -> None:
    consume(atlas, quantity=100, on="2026-11-03")

    close_and_issue("2026-11")

    assert letters_of(bill_of(atlas, "2026-11"), "a c d") == "a 0.00 c 0.00 d 0.00"
    assert (expiries(trial), remaining_of(trial)) == ([-20_00], 0)
    assert broken_promises() == []


def test_a_nil_month_that_becomes_a_draft_gives_the_expiry_back(atlas: Organization, trial: CreditGrant) -> None:
    close("2026-10")
    consume(atlas, quantity=500, on="2026-10-03", at=local("2026-11-02"))

    close("2026-10")

    assert (expiries(trial), remaining_of(trial)) == ([-20_00, 20_00], 20_00)
    # 5.00 is used, 15.00 expires, 5.00 is provisioned; nothing is booked before the invoice is issued
    assert letters_of(bill_of(atlas, "2026-10"), "a c d h") == "a 20.00 c -5.00 d -15.00 h 5.00"

    close("2026-10")
    assert remaining_of(trial) == 20_00
    issue("2026-10")
    assert (expiries(trial), remaining_of(trial)) == ([-20_00, 20_00, -15_00], 0)
    assert broken_promises() == []


def test_issuing_alone_takes_the_step_from_nil_back_too(atlas: Organization, trial: CreditGrant) -> None:
    charge = make_charge(organization=atlas)
    close("2026-10")
    assert (expiries(trial), remaining_of(trial)) == ([], 20_00)
    charge.delete()

    report = issue("2026-10")

    # nothing is left to bill when it is computed again: nil, and the expiry is booked with it
    assert report.numbers == []
    assert [(refused.external_id, refused.reason.code) for refused in report.not_issued] == [
        ("orga_atlas", "no_activity")
    ]
    assert outcome_of(atlas, "2026-10").kind == "nil"
    assert (expiries(trial), remaining_of(trial)) == ([-20_00], 0)


def test_a_draft_that_becomes_nil_books_the_expiry(atlas: Organization, trial: CreditGrant) -> None:
    charge = make_charge(organization=atlas)
    close("2026-10")
    charge.delete()

    close("2026-10")

    assert (expiries(trial), remaining_of(trial)) == ([-20_00], 0)
    assert Invoice.objects.get().document_state == "discarded"
    assert broken_promises() == []


def test_back_and_forth_books_differences_only(atlas: Organization, trial: CreditGrant) -> None:
    for _ in range(2):
        close("2026-10")
        charge = make_charge(organization=atlas)
        close("2026-10")
        charge.delete()
    close("2026-10")

    assert expiries(trial) == [-20_00, 20_00, -20_00, 20_00, -20_00]
    assert remaining_of(trial) == 0
    assert Invoice.objects.filter(document_state="draft").count() == 0


def test_a_nil_month_that_is_blocked_meanwhile_stays_booked_until_it_is_closed(
    atlas: Organization, trial: CreditGrant
) -> None:
    close("2026-10")
    consume(atlas, quantity=500, on="2026-10-03", meter="apps.S", at=local("2026-11-02"))
    atlas.billing_profile.delete()
    close("2026-10")
    assert outcome_of(atlas, "2026-10").kind == "blocked"

    consume(atlas, quantity=0, on="2026-10-04", at=local("2026-11-02"))
    make_billing_profile(organization=atlas)
    close_and_issue("2026-10")

    assert letters_of(bill_of(atlas, "2026-10"), "a c d") == "a 20.00 c -5.00 d -15.00"
    assert remaining_of(trial) == 0
    assert sum(expiries(trial)) == -15_00
    assert broken_promises() == []


def test_more_credits_in_a_nil_month_expire_with_it(atlas: Organization, trial: CreditGrant) -> None:
    close("2026-10")
    second = make_grant(organization=atlas, type="free", amount_cents=3_00, expires_on=date(2026, 10, 31))
    later = make_grant(organization=atlas, type="free", amount_cents=4_00, expires_on=date(2026, 11, 30))

    close("2026-10")

    assert (remaining_of(trial), remaining_of(second), remaining_of(later)) == (0, 0, 4_00)
    assert expiries(trial) == [-20_00]


def test_free_credits_are_used_by_priority_then_expiry_then_age(atlas: Organization) -> None:
    grants = {
        name: make_grant(
            organization=atlas, type="free", amount_cents=1_00, priority=priority, starts_on=starts, expires_on=expires
        )
        for name, priority, starts, expires in [
            ("never", 0, date(2026, 1, 1), None),
            ("soon", 0, date(2026, 9, 1), date(2026, 10, 31)),
            ("sooner but last", 5, date(2026, 1, 1), date(2026, 10, 31)),
            ("december, young", 0, date(2026, 9, 1), date(2026, 12, 31)),
            ("december, old", 0, date(2026, 8, 1), date(2026, 12, 31)),
            ("next month", 0, date(2026, 11, 1), date(2026, 11, 30)),
        ]
    }
    consume(atlas, quantity=230, on="2026-10-03")

    close_and_issue("2026-10")

    # 2.30 = 1.00 soon + 1.00 december, old + 0.30 december, young; 1.00 of priority 5 expires unused
    assert {name: remaining_of(grant) for name, grant in grants.items()} == {
        "never": 1_00,
        "soon": 0,
        "sooner but last": 0,
        "december, young": 70,
        "december, old": 0,
        "next month": 1_00,
    }
    assert letters_of(bill_of(atlas, "2026-10"), "a c d") == "a 5.00 c -2.30 d -1.00"
