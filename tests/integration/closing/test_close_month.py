"""Closing a month: what a draft says, and that closing again says the same.

Usage costs 0.01 a second, so that 100 seconds are 1.00.
"""

import hashlib
from datetime import date

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import CloseOutcome, CreditEntry, Invoice, MonthClose, Price
from billing.usecases.close_month import UnableToClose
from organizations.models import Organization
from tests.builders.closing import (
    bill_of,
    broken_promises,
    close,
    close_and_issue,
    consume,
    invoice_of,
    issue,
    letters_of,
    lines_of,
    local,
    make_add_on,
    make_charge,
    make_metered_price,
    make_plan,
    outcome_of,
    pay,
    usage_of,
    why_blocked,
)
from tests.builders.credits import make_grant
from tests.builders.organizations import make_organization
from tests.builders.usage import make_resource

pytestmark = pytest.mark.django_db


@pytest.fixture
def price() -> Price:
    return make_metered_price()


@pytest.fixture
def atlas(price: Price) -> Organization:
    return make_organization(external_id="orga_atlas", name="Atlas", opened_on=date(2026, 8, 1))


def test_the_first_invoice_regularizes_the_month_and_provisions_the_next(atlas: Organization) -> None:
    consume(atlas, quantity=68_689, on="2026-10-03")

    report = close("2026-10")

    assert (report.invoices, report.nil, report.blocked) == (1, 0, 0)
    bill = bill_of(atlas, "2026-10")
    assert lines_of(bill) == ["provision 2026-11 686.89", "regularization 2026-10 686.89"]
    assert letters_of(bill, "a b c d e f g h") == "a 0.00 b 0.00 c 0.00 d 0.00 e 0.00 f -686.89 g 0.00 h 686.89"
    # 686.89 + 686.89 = 1373.78; x 20 % = 274.756 -> 274.76; together 1648.54
    assert (bill.fees, bill.subtotal, bill.vat, bill.total) == ("686.89", "1373.78", "274.76", "1648.54")
    assert report.totals["EUR"].total_cents == 1648_54


def test_the_next_month_is_paid_by_what_was_provisioned(atlas: Organization) -> None:
    consume(atlas, quantity=10_000, on="2026-09-03")
    close_and_issue("2026-09")
    pay(invoice_of(atlas, "2026-09"))  # 100.00 of prepaid credits
    consume(atlas, quantity=12_000, on="2026-10-03")

    close("2026-10")

    bill = bill_of(atlas, "2026-10")
    # b = 100.00 pays 100.00 of 120.00; f = -120.00; h = -(100 - 100 - 120) = 120.00
    assert letters_of(bill, "b e f h B i") == "b 100.00 e -100.00 f -120.00 h 120.00 B 120.00 i 20.00"
    assert lines_of(bill) == ["provision 2026-11 120.00", "regularization 2026-10 20.00"]


def test_closing_again_changes_and_writes_nothing(atlas: Organization) -> None:
    _a_bit_of_everything(atlas)
    close("2026-10", at=local("2026-11-01 03:00"))
    before = _content()
    assert broken_promises() == []

    with CaptureQueriesContext(connection) as queries:
        close("2026-10", at=local("2026-11-02 03:00"))

    assert _content() == before
    statements = [str(query["sql"]) for query in queries]
    written = [sql for sql in statements if sql.startswith(("INSERT", "UPDATE", "DELETE"))]
    run = ("billing_monthclose", "billing_closebatch")
    assert [sql for sql in written if not any(table in sql for table in run)] == []


def test_a_refresh_after_new_usage_keeps_the_invoice_and_replaces_its_parts(atlas: Organization) -> None:
    consume(atlas, quantity=100, on="2026-10-03")
    close("2026-10")
    first = invoice_of(atlas, "2026-10")
    consume(atlas, quantity=50, on="2026-10-04")

    close("2026-10", at=local("2026-11-02 03:00"))

    second = invoice_of(atlas, "2026-10")
    assert (second.pk, second.created_at) == (first.pk, first.created_at)
    assert second.computed_at == local("2026-11-02 03:00")
    # 150 x 0.01 = 1.50 consumed and as much provisioned
    assert lines_of(bill_of(atlas, "2026-10")) == ["provision 2026-11 1.50", "regularization 2026-10 1.50"]
    assert usage_of(bill_of(atlas, "2026-10")) == ["2026-10 app_orga_atlas apps.S 150 1.50"]


def test_a_refresh_after_a_changed_price_rates_again(atlas: Organization, price: Price) -> None:
    consume(atlas, quantity=100, on="2026-10-03")
    close("2026-10")
    price.tiers.update(unit_price="0.02")

    close("2026-10")

    assert bill_of(atlas, "2026-10").fees == "2.00"


def test_a_refresh_that_leaves_nothing_discards_the_draft(atlas: Organization) -> None:
    charge = make_charge(organization=atlas)
    close("2026-10")
    draft = invoice_of(atlas, "2026-10")
    charge.delete()

    report = close("2026-10")

    assert (report.invoices, report.nil) == (0, 1)
    draft.refresh_from_db()
    assert (draft.document_state, draft.number) == ("discarded", None)


def test_the_number_of_queries_depends_on_nothing(atlas: Organization) -> None:
    _a_bit_of_everything(atlas)
    few = _queries_to_close_and_issue("2026-10")
    plan = make_plan(code="more")
    for number in range(20):
        organization = make_organization(external_id=f"orga_{number}", opened_on=date(2026, 11, 1))
        make_grant(organization=organization, type="free", amount_cents=50, expires_on=date(2026, 11, 30))
        make_add_on(organization=organization, plan=plan, started_on=date(2026, 11, 1))
        make_charge(organization=organization)
        for on in ("2026-11-03", "2026-11-04", "2026-10-31"):  # one of them late
            consume(organization, quantity=100, on=on, resource=make_resource(organization=organization))

    many = _queries_to_close_and_issue("2026-11")

    # the month before and late usage are looked up in a few more
    assert [after - before <= 10 for before, after in zip(few, many, strict=True)] == [True, True], (few, many)


def test_several_resources_meters_and_zones_print_a_line_each(atlas: Organization) -> None:
    make_metered_price(code="addon.pg", unit_price="0.001")
    make_metered_price(code="apps.S", zone="mtl", unit_price="0.03")
    web = make_resource(organization=atlas, external_id="app_1", name="web")
    api = make_resource(organization=atlas, external_id="app_2", name="api")
    for resource, meter, zone in [
        (web, "apps.S", "par"),
        (web, "apps.S", "mtl"),
        (api, "addon.pg", "par"),
        (api, "APPS.s", "PAR"),
    ]:
        for day in ("2026-10-03", "2026-10-04"):
            consume(atlas, quantity=333, on=day, resource=resource, meter=meter, zone=zone)

    close("2026-10")

    # by resource name, meter, zone; 666 x 0.001 = 0.666 -> 0.67; 666 x 0.03 = 19.98
    assert usage_of(bill_of(atlas, "2026-10")) == [
        "2026-10 app_2 addon.pg 666 0.67",
        "2026-10 app_2 apps.S 666 6.66",
        "2026-10 app_1 apps.S 666 19.98",
        "2026-10 app_1 apps.S 666 6.66",
    ]
    # each printed line is rounded once: 0.67 + 6.66 + 19.98 + 6.66 = 33.97
    assert bill_of(atlas, "2026-10").fees == "33.97"
    assert broken_promises() == []


def test_usage_of_zero_is_printed_in_the_details_only(atlas: Organization) -> None:
    consume(atlas, quantity=0, on="2026-10-03")
    make_charge(organization=atlas)

    close("2026-10")

    assert usage_of(bill_of(atlas, "2026-10")) == ["2026-10 app_orga_atlas apps.S 0 0.00"]
    assert lines_of(bill_of(atlas, "2026-10")) == ["one_shot 2026-10-20 800.00"]


# --- Which months -----------------------------------------------------------------------------------------------------


def test_a_month_that_has_not_ended_is_refused(atlas: Organization) -> None:
    consume(atlas, quantity=100, on="2026-10-03")

    with pytest.raises(UnableToClose, match="2026-10 has not ended yet: wait until 2026-11-01"):
        close("2026-10", at=local("2026-10-31 23:59"))

    assert not Invoice.objects.exists()
    assert not MonthClose.objects.exists()


def test_a_month_has_ended_at_midnight_in_paris(atlas: Organization) -> None:
    consume(atlas, quantity=100, on="2026-10-03")

    assert close("2026-10", at=local("2026-11-01")).invoices == 1


def test_a_month_before_the_first_is_refused(atlas: Organization) -> None:
    consume(atlas, quantity=100, on="2026-10-03")
    close("2026-10")

    with pytest.raises(UnableToClose, match="2026-09 is before 2026-10, the first month that was closed here"):
        close("2026-09")
    with pytest.raises(UnableToClose, match="2026-09 is before 2026-10"):
        close("2026-09", dry_run=True)

    assert not MonthClose.objects.filter(month=date(2026, 9, 1)).exists()


@pytest.mark.parametrize("before", ["draft", "blocked"])
def test_a_month_is_blocked_by_a_draft_or_blocked_month_before(atlas: Organization, before: str) -> None:
    consume(atlas, quantity=100, on="2026-09-03", meter="apps.S")
    if before == "blocked":
        atlas.billing_profile.delete()
    close("2026-09")
    consume(atlas, quantity=100, on="2026-10-03")

    report = close("2026-10")

    assert (report.invoices, report.nil, report.blocked) == (0, 0, 1)
    sentences = {
        "draft": "The invoice of 2026-09 of orga_atlas is still a draft: issue it first.",
        "blocked": "2026-09 of orga_atlas is blocked: unblock and issue it first.",
    }
    assert why_blocked(atlas, "2026-10") == sentences[before]


def test_a_month_is_blocked_when_the_one_before_was_skipped(atlas: Organization) -> None:
    consume(atlas, quantity=100, on="2026-08-03")
    close_and_issue("2026-08")

    assert close("2026-10").blocked == 1
    assert why_blocked(atlas, "2026-10") == "2026-09 of orga_atlas is not closed yet: close it first."

    close("2026-09")  # a provision was sold and is not paid, nothing was consumed: g covers f
    assert outcome_of(atlas, "2026-09").kind == "nil"
    close("2026-10")
    assert outcome_of(atlas, "2026-10").kind == "nil"


@pytest.mark.parametrize("before", ["issued", "nil"])
def test_a_month_follows_an_issued_or_nil_month(atlas: Organization, before: str) -> None:
    if before == "issued":
        consume(atlas, quantity=100, on="2026-09-03")
    close_and_issue("2026-09")
    consume(atlas, quantity=300, on="2026-10-03")

    assert close("2026-10").invoices == 1


def test_blocked_by_the_month_before_lets_go_once_it_is_issued(atlas: Organization) -> None:
    consume(atlas, quantity=100, on="2026-09-03")
    consume(atlas, quantity=100, on="2026-10-03")
    close("2026-09")
    close("2026-10")
    issue("2026-09", at=local("2026-11-01 12:00"))

    assert close("2026-10").invoices == 1
    # g = 1.00 (sold in September, unpaid) covers f = -1.00, so only the month itself is billed
    assert lines_of(bill_of(atlas, "2026-10")) == ["regularization 2026-10 1.00"]


def test_an_issued_month_is_left_alone(atlas: Organization) -> None:
    consume(atlas, quantity=100, on="2026-10-03")
    close_and_issue("2026-10")
    consume(atlas, quantity=900, on="2026-10-04")
    before = _content()

    report = close("2026-10", at=local("2026-11-05"))

    assert _content() == before
    assert (report.invoices, report.totals["EUR"].subtotal_cents) == (1, 2_00)


def test_an_organization_that_came_later_starts_with_its_first_month(atlas: Organization) -> None:
    consume(atlas, quantity=100, on="2026-09-03")
    close_and_issue("2026-09")
    borealis = make_organization(external_id="orga_borealis", opened_on=date(2026, 9, 15))  # told after the close
    consume(borealis, quantity=70, on="2026-09-20")
    consume(borealis, quantity=30, on="2026-10-03")

    close("2026-10")

    # usage older than the first close is late usage on the first invoice; the estimate is October's 0.30
    assert lines_of(bill_of(borealis, "2026-10")) == [
        "provision 2026-11 0.30",
        "regularization 2026-09 0.70",
        "regularization 2026-10 0.30",
    ]


# --- First and last months --------------------------------------------------------------------------------------------


def test_who_opened_later_or_closed_before_has_no_outcome(atlas: Organization) -> None:
    make_organization(external_id="orga_new", opened_on=date(2026, 11, 1))
    make_organization(external_id="orga_old", opened_on=date(2026, 1, 1), closed_on=date(2026, 9, 30))
    make_organization(external_id="orga_last_day", opened_on=date(2026, 10, 31))
    make_organization(external_id="orga_first_day", opened_on=date(2026, 1, 1), closed_on=date(2026, 10, 1))

    close("2026-10")

    named = CloseOutcome.objects.values_list("organization__external_id", flat=True)
    assert set(named) == {"orga_atlas", "orga_last_day", "orga_first_day"}


def test_the_month_in_which_an_account_closes_is_its_last(atlas: Organization) -> None:
    atlas.closed_on = date(2026, 10, 20)
    atlas.save()
    trial = make_grant(organization=atlas, type="free", amount_cents=50, starts_on=date(2026, 1, 1))
    consume(atlas, quantity=170, on="2026-10-03")

    close_and_issue("2026-10")

    bill = bill_of(atlas, "2026-10")
    # f = h = 0; 1.70 - 0.50 free = 1.20 regularized
    assert letters_of(bill, "a c d f h") == "a 0.50 c -0.50 d 0.00 f 0.00 h 0.00"
    assert lines_of(bill) == ["regularization 2026-10 1.20"]
    trial.refresh_from_db()
    assert trial.remaining_cents == 0
    assert close("2026-11").invoices + close("2026-11").nil == 0


def test_free_credits_are_lost_when_the_account_closes(atlas: Organization) -> None:
    atlas.closed_on = date(2026, 10, 20)
    atlas.negotiated_refill_cents = 500_00
    atlas.save()
    for_years = make_grant(organization=atlas, type="free", amount_cents=10_00, expires_on=date(2029, 12, 31))
    not_begun = make_grant(organization=atlas, type="free", amount_cents=5_00, starts_on=date(2027, 1, 1))
    consume(atlas, quantity=300, on="2026-10-03")

    close_and_issue("2026-10")

    # 3.00 are used, 7.00 lost; what had not begun is lost too, but was never in a; nothing is refilled
    assert letters_of(bill_of(atlas, "2026-10"), "a c d h B") == "a 10.00 c -3.00 d -7.00 h 0.00 B 0.00"
    assert sorted(CreditEntry.objects.filter(kind="expiry").values_list("grant_id", "amount_cents")) == [
        (for_years.pk, -7_00),
        (not_begun.pk, -5_00),
    ]


# --- Estimates and refills --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("months", "estimate"),
    [
        (0, "0.00"),
        (1, "-4.00"),
        (2, "-3.50"),  # (4.00 + 3.00) / 2
        (3, "-2.33"),  # (4.00 + 3.00 + 0.00) / 3 = 2.333
        (4, "-2.00"),  # (4.00 + 3.00 + 0.00 + 1.00) / 4
        (12, "-2.00"),  # as many as there are
    ],
)
def test_the_estimate_is_the_mean_of_the_last_months(atlas: Organization, months: int, estimate: str) -> None:
    atlas.forecast_months = months
    atlas.opened_on = date(2026, 7, 20)
    atlas.save()
    for day, quantity in [("2026-07-25", 100), ("2026-09-03", 300), ("2026-10-03", 400)]:
        consume(atlas, quantity=quantity, on=day)
    for closed in ("2026-07", "2026-08", "2026-09"):
        close_and_issue(closed)

    close("2026-10")

    assert letters_of(bill_of(atlas, "2026-10"), "f") == f"f {estimate}"


def test_the_estimate_is_rounded_half_away_from_zero(atlas: Organization) -> None:
    atlas.forecast_months = 2
    atlas.save()
    consume(atlas, quantity=101, on="2026-09-03")
    consume(atlas, quantity=102, on="2026-10-03")
    close_and_issue("2026-09")
    close("2026-10")

    # (1.01 + 1.02) / 2 = 1.015
    assert letters_of(bill_of(atlas, "2026-10"), "f") == "f -1.02"


def test_a_negotiated_refill_is_sold_in_quiet_months_too(atlas: Organization) -> None:
    atlas.negotiated_refill_cents = 500_00
    atlas.save()

    close_and_issue("2026-09")
    close_and_issue("2026-10")

    assert lines_of(bill_of(atlas, "2026-09")) == ["provision 2026-10 500.00"]
    assert lines_of(bill_of(atlas, "2026-10")) == ["provision 2026-11 500.00"]
    assert letters_of(bill_of(atlas, "2026-10"), "f g h") == "f 0.00 g 500.00 h 500.00"


def test_a_negotiated_refill_of_nothing_sells_nothing(atlas: Organization) -> None:
    atlas.negotiated_refill_cents = 0
    atlas.save()
    consume(atlas, quantity=100, on="2026-10-03")

    close("2026-10")

    assert letters_of(bill_of(atlas, "2026-10"), "f h") == "f -1.00 h 0.00"


def test_a_refill_that_would_be_negative_is_none_and_the_excess_stays(atlas: Organization) -> None:
    make_grant(organization=atlas, amount_cents=1000_00)
    consume(atlas, quantity=100, on="2026-10-03")

    close_and_issue("2026-10")

    bill = bill_of(atlas, "2026-10")
    # 1000.00 - 1.00 is far more than the estimate of 1.00: h = max(0, -(1000 - 1 - 1)) = 0
    assert letters_of(bill, "b e f h B") == "b 1000.00 e -1.00 f -1.00 h 0.00 B 999.00"
    assert (bill.total, bill.status, bill.amount_due) == ("0.00", "paid", "0.00")
    assert [(tax.base, tax.vat) for tax in bill.tax] == [("0.00", "0.00")]


# --- Discount ---------------------------------------------------------------------------------------------------------


def test_the_discount_is_one_entry_and_credits_pay_the_net(atlas: Organization) -> None:
    atlas.consumption_discount_ppm = 150_000  # 15 %
    atlas.save()
    make_grant(organization=atlas, type="free", amount_cents=50)
    for name in ("web", "api", "jobs"):
        resource = make_resource(organization=atlas, external_id=f"app_{name}", name=name)
        consume(atlas, quantity=103, on="2026-10-03", resource=resource)

    close("2026-10")

    bill = bill_of(atlas, "2026-10")
    # 3 x 1.03 = 3.09; x 15 % = 0.4635 -> 0.46 (three times 0.1545 -> 0.15 would make 0.45)
    assert usage_of(bill)[-1] == "2026-10 discount -0.46"
    # U = 3.09 - 0.46 = 2.63; less 0.50 free = 2.13
    assert (bill.fees, bill.regularization) == ("2.63", "2.13")
    assert letters_of(bill, "f") == "f -2.63"


def test_a_discount_of_everything_leaves_nothing_to_bill(atlas: Organization) -> None:
    atlas.consumption_discount_ppm = 1_000_000
    atlas.save()
    consume(atlas, quantity=100, on="2026-10-03")

    close("2026-10")

    assert (outcome_of(atlas, "2026-10").kind, outcome_of(atlas, "2026-10").reason_code) == ("nil", "nothing_due")


# --- Add-ons and charges ----------------------------------------------------------------------------------------------


def test_an_add_on_that_starts_within_the_month_is_billed_for_its_days(atlas: Organization) -> None:
    close_and_issue("2026-09")
    make_add_on(organization=atlas, plan=make_plan(), started_on=date(2026, 10, 12), quantity=3)

    close("2026-10")

    # 49.00 x 20/31 x 3 = 94.838... -> 94.84 (31.61 x 3 = 94.83 would round twice); November 49.00 x 3
    assert lines_of(bill_of(atlas, "2026-10")) == ["add_on 2026-10-12..2026-11-01 94.84", "add_on 2026-11 147.00"]


def test_an_add_on_ends_when_it_is_known_to(atlas: Organization) -> None:
    close_and_issue("2026-09")
    make_add_on(organization=atlas, plan=make_plan(), started_on=date(2026, 10, 1), ended_on=date(2026, 11, 11))

    close_and_issue("2026-10")
    close("2026-11")

    # November: 49.00 x 10/30 = 16.333 -> 16.33
    assert lines_of(bill_of(atlas, "2026-10")) == ["add_on 2026-10 49.00", "add_on 2026-11-01..2026-11-11 16.33"]
    assert outcome_of(atlas, "2026-11").kind == "nil"


def test_an_add_on_that_ended_before_it_was_ever_billed_is_billed_to_its_end(atlas: Organization) -> None:
    close_and_issue("2026-09")
    make_add_on(organization=atlas, plan=make_plan(), started_on=date(2026, 10, 5), ended_on=date(2026, 10, 6))
    make_add_on(organization=atlas, plan=make_plan(code="x"), started_on=date(2026, 10, 5), ended_on=date(2026, 10, 5))

    close("2026-10")

    # 49.00 / 31 = 1.5806 -> 1.58; one that ends on the day it starts costs nothing
    assert lines_of(bill_of(atlas, "2026-10")) == ["add_on 2026-10-05 1.58"]


def test_an_add_on_that_ended_later_than_billed_is_billed_on(atlas: Organization) -> None:
    close_and_issue("2026-08")
    add_on = make_add_on(organization=atlas, plan=make_plan(), started_on=date(2026, 9, 1), ended_on=date(2026, 10, 11))
    close_and_issue("2026-09")
    add_on.refresh_from_db()
    assert add_on.billed_until == date(2026, 10, 11)
    add_on.ended_on = date(2026, 11, 2)  # prolonged
    add_on.save()

    close("2026-10")

    # September 49.00, October 49.00 x 10/31 = 15.806 -> 15.81; the rest 49.00 x 21/31 = 33.19, one day 49.00/30 = 1.63
    assert lines_of(bill_of(atlas, "2026-09")) == ["add_on 2026-09 49.00", "add_on 2026-10-01..2026-10-11 15.81"]
    assert lines_of(bill_of(atlas, "2026-10")) == ["add_on 2026-10-11..2026-11-01 33.19", "add_on 2026-11-01 1.63"]


def test_an_add_on_paid_in_advance_that_ends_early_is_not_refunded(atlas: Organization) -> None:
    close_and_issue("2026-08")
    add_on = make_add_on(organization=atlas, plan=make_plan(), started_on=date(2026, 9, 1))
    close_and_issue("2026-09")
    add_on.refresh_from_db()
    add_on.ended_on = date(2026, 10, 3)
    add_on.save()

    close("2026-10")

    assert outcome_of(atlas, "2026-10").kind == "nil"


def test_an_add_on_that_ran_before_the_first_close_starts_with_the_provision_month(atlas: Organization) -> None:
    make_add_on(organization=atlas, plan=make_plan(), started_on=date(2026, 9, 12))

    close("2026-10")

    assert lines_of(bill_of(atlas, "2026-10")) == ["add_on 2026-11 49.00"]


def test_one_that_started_in_the_first_closed_month_is_billed_from_its_start(atlas: Organization) -> None:
    make_add_on(organization=atlas, plan=make_plan(), started_on=date(2026, 10, 31))

    close("2026-10")

    # 49.00 x 1/31 = 1.5806
    assert lines_of(bill_of(atlas, "2026-10")) == ["add_on 2026-10-31 1.58", "add_on 2026-11 49.00"]


def test_one_that_ran_before_the_first_close_but_was_told_later_is_caught_up_from_there(atlas: Organization) -> None:
    close_and_issue("2026-08")
    close_and_issue("2026-09")
    make_add_on(organization=atlas, plan=make_plan(), started_on=date(2025, 1, 12))

    close("2026-10")

    # the first close here was August: what was before September was billed elsewhere
    assert lines_of(bill_of(atlas, "2026-10")) == [
        "add_on 2026-09 49.00",
        "add_on 2026-10 49.00",
        "add_on 2026-11 49.00",
    ]


def test_one_that_ran_and_ended_before_anything_was_closed_here_is_never_billed(atlas: Organization) -> None:
    make_add_on(organization=atlas, plan=make_plan(), started_on=date(2026, 1, 1), ended_on=date(2026, 10, 15))

    for closed in ("2026-10", "2026-11"):
        close_and_issue(closed)

        assert outcome_of(atlas, closed).kind == "nil"


def test_the_price_of_an_add_on_is_that_of_the_first_day_of_its_line(atlas: Organization) -> None:
    close_and_issue("2026-09")
    prices = [(None, 49_00), (date(2026, 10, 12), 60_00), (date(2026, 10, 20), 90_00), (date(2026, 11, 1), 80_00)]
    make_add_on(organization=atlas, plan=make_plan(prices=prices), started_on=date(2026, 10, 12))

    close("2026-10")

    # 60.00 x 20/31 = 38.709 -> 38.71
    assert lines_of(bill_of(atlas, "2026-10")) == ["add_on 2026-10-12..2026-11-01 38.71", "add_on 2026-11 80.00"]


def test_add_ons_print_by_name(atlas: Organization) -> None:
    plan = make_plan()
    for name in ("Zeta", "Alpha", "Mid"):
        make_add_on(organization=atlas, plan=plan, name=name, started_on=date(2026, 9, 1))

    close("2026-10")

    assert [line.description.split(",")[0].split(" (")[0] for line in bill_of(atlas, "2026-10").lines] == [
        "Alpha",
        "Mid",
        "Zeta",
    ]


def test_charges_up_to_the_last_day_are_taken(atlas: Organization) -> None:
    make_charge(organization=atlas, day=date(2026, 11, 1), unit_cents=9_99)
    make_charge(organization=atlas, day=date(2026, 10, 31), unit_cents=1_00, type="custom_service")
    make_charge(organization=atlas, day=date(2026, 10, 2), unit_cents=2_00, quantity=3)
    make_charge(organization=atlas, day=date(2025, 3, 1), unit_cents=4_00)

    close_and_issue("2026-10")
    close("2026-11")

    # by date: 4.00 (an old one), 3 x 2.00, 1.00
    assert lines_of(bill_of(atlas, "2026-10")) == [
        "one_shot 2025-03-01 4.00",
        "one_shot 2026-10-02 6.00",
        "custom_service 2026-10-31 1.00",
    ]
    assert lines_of(bill_of(atlas, "2026-11")) == ["one_shot 2026-11-01 9.99"]


def test_credits_never_pay_add_ons_and_charges(atlas: Organization) -> None:
    make_grant(organization=atlas, amount_cents=1000_00)
    make_charge(organization=atlas, unit_cents=10_00)

    close("2026-10")

    bill = bill_of(atlas, "2026-10")
    assert (bill.subtotal, bill.fees) == ("10.00", "0.00")
    assert letters_of(bill, "b e B") == "b 1000.00 e 0.00 B 1000.00"


def test_lines_print_in_their_order(atlas: Organization) -> None:
    _a_bit_of_everything(atlas)

    close("2026-10")

    kinds = [line.kind for line in bill_of(atlas, "2026-10").lines]
    assert kinds == ["provision", "regularization", "add_on", "one_shot"]


# --- Prices within a month --------------------------------------------------------------------------------------------


def test_a_record_that_crosses_a_price_change_is_split_there(atlas: Organization) -> None:
    make_metered_price(unit_price="0.04", valid_from=local("2026-10-11"))
    consume(atlas, quantity=1000, on="2026-10-10 18:00", until="2026-10-11 12:00")

    close("2026-10")

    # 18 h, 6 h of them before midnight: 1000 x 6/18 = 333.333333 x 0.01 = 3.33; 666.666667 x 0.04 = 26.67
    assert usage_of(bill_of(atlas, "2026-10")) == [
        "2026-10 app_orga_atlas apps.S 333.333333 3.33",
        "2026-10 app_orga_atlas apps.S 666.666667 26.67",
    ]
    assert [line.price_valid_from for line in bill_of(atlas, "2026-10").usage] == [None, date(2026, 10, 11)]


def test_each_price_version_has_its_own_line_and_tiers(atlas: Organization) -> None:
    make_metered_price(code="gb", unit="GB", tiers=[(100, "0"), (None, "1.00")], valid_to=local("2026-10-16"))
    make_metered_price(code="gb", unit="GB", tiers=[(100, "0"), (None, "2.00")], valid_from=local("2026-10-16"))
    for day in ("2026-10-02", "2026-10-15", "2026-10-16", "2026-10-31"):
        consume(atlas, quantity=60, on=day, meter="gb")

    close("2026-10")

    # before: 120 - 100 free = 20 x 1.00; after: 20 x 2.00
    assert [line.amount for line in bill_of(atlas, "2026-10").usage] == ["20.00", "40.00"]


def test_price_changes_of_others_split_nothing(atlas: Organization) -> None:
    other = make_organization(external_id="orga_other")
    make_metered_price(organization=other, unit_price="0.5", valid_from=local("2026-10-05"))
    make_metered_price(code="gb", unit_price="1", valid_to=local("2026-10-11"))
    make_metered_price(code="gb", unit_price="2", valid_from=local("2026-10-20 08:00"))
    consume(atlas, quantity="1000.000001", on="2026-10-01", until="2026-10-31")
    consume(other, quantity=10, on="2026-10-05")

    close("2026-10")

    assert usage_of(bill_of(atlas, "2026-10")) == ["2026-10 app_orga_atlas apps.S 1000.000001 10.00"]
    assert bill_of(other, "2026-10").fees == "5.00"  # 10 x 0.5


def test_a_negotiated_price_wins_over_the_catalogue(atlas: Organization) -> None:
    make_metered_price(zone="par", unit_price="0.03")
    make_metered_price(organization=atlas, unit_price="0.005", valid_from=local("2026-10-11"))
    consume(atlas, quantity=100, on="2026-10-10")
    consume(atlas, quantity=100, on="2026-10-12")

    close("2026-10")

    # 100 x 0.03 before it was negotiated, 100 x 0.005 after, though the catalogue has a price for that very zone
    assert sorted(line.amount for line in bill_of(atlas, "2026-10").usage) == ["0.50", "3.00"]


def test_packages_are_rounded_up_over_the_month(atlas: Organization) -> None:
    make_metered_price(code="users", unit="User", per_quantity=10, package=10, unit_price="5.00")
    consume(atlas, quantity=4, on="2026-10-03", meter="users")
    consume(atlas, quantity=7, on="2026-10-20", meter="users")

    close("2026-10")

    # 11 users -> 2 packages x 5.00
    assert usage_of(bill_of(atlas, "2026-10")) == ["2026-10 app_orga_atlas users 11 10.00"]


@pytest.mark.parametrize(
    ("closed", "amount"),
    [
        # 100000 GB-hours, of which 100 GB x hours of the month are free, then 0.01 each
        ("2026-03", "257.00"),  # 743 h: (100000 - 74300) x 0.01
        ("2026-04", "280.00"),  # 720 h: (100000 - 72000) x 0.01
        ("2026-10", "255.00"),  # 745 h: (100000 - 74500) x 0.01
    ],
)
def test_bounds_per_hour_follow_the_real_length_of_the_month(atlas: Organization, closed: str, amount: str) -> None:
    atlas.opened_on = date(2026, 1, 1)
    atlas.save()
    make_metered_price(code="storage", unit="GB-hour", tiers=[(100, "0"), (None, "0.01")], bounds_per_hour=True)
    consume(atlas, quantity=100_000, on=f"{closed}-03", meter="storage")

    close(closed)

    assert bill_of(atlas, closed).fees == amount


def test_a_record_over_the_end_of_a_dst_month_is_split_by_real_time(atlas: Organization) -> None:
    atlas.opened_on = date(2026, 1, 1)
    atlas.save()
    # 2026-03-29 00:00 to 2026-04-01 01:00 in Paris: 23 + 24 + 24 = 71 h in March (one is skipped), 1 h in April
    consume(atlas, quantity=7200, on="2026-03-29", until="2026-04-01 01:00")

    close_and_issue("2026-03")
    close("2026-04")

    assert usage_of(bill_of(atlas, "2026-03")) == ["2026-03 app_orga_atlas apps.S 7100 71.00"]
    assert usage_of(bill_of(atlas, "2026-04")) == ["2026-04 app_orga_atlas apps.S 100 1.00"]


# --- One organization by its id, and the command ----------------------------------------------------------------------


def test_one_organization_can_be_closed_by_itself(atlas: Organization) -> None:
    borealis = make_organization(external_id="orga_borealis")
    for organization in (atlas, borealis):
        consume(organization, quantity=100, on="2026-10-03")

    report = close("2026-10", borealis)

    assert (report.invoices, report.nil, report.blocked) == (1, 0, 0)
    assert list(Invoice.objects.values_list("organization", flat=True)) == [borealis.pk]
    assert not MonthClose.objects.filter(finished_at__isnull=False).exists()


def test_unknown_organizations_are_named_and_nothing_is_closed(atlas: Organization) -> None:
    with pytest.raises(CommandError, match=r"Unknown organization: orga_x, orga_y\."):
        call_command("close_month", "2025-10", organization=["orga_x", "orga_atlas", "orga_y"])

    assert not CloseOutcome.objects.exists()


def test_the_command_prints_blocked_organizations_and_totals(
    atlas: Organization, capsys: pytest.CaptureFixture[str]
) -> None:
    Organization.objects.update(opened_on=date(2025, 1, 1))
    nowhere = make_organization(
        external_id="orga_nowhere", name="Nowhere", with_profile=False, opened_on=date(2025, 1, 1)
    )
    for organization in (atlas, nowhere):
        consume(organization, quantity=100, on="2025-10-03")
    make_organization(external_id="orga_quiet", opened_on=date(2025, 1, 1))

    call_command("close_month", "2025-10")

    assert capsys.readouterr().out.splitlines() == [
        (
            "blocked: orga_nowhere Nowhere: The billing profile lacks: name or company, address, city, country. "
            "Complete it, then close the month again."
        ),
        "invoices: 1, nil: 1, blocked: 1",
        "subtotal: 2.00 EUR, VAT: 0.40 EUR, total: 2.40 EUR",
    ]


@pytest.mark.parametrize("text", ["2026-13", "10-2026", "2026-1", "next", "２０２６-10", ""])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(CommandError, match="is not a month: write YYYY-MM"):
        call_command("close_month", text)


def _a_bit_of_everything(organization: Organization) -> None:
    make_grant(organization=organization, type="free", amount_cents=50, expires_on=date(2026, 10, 31))
    make_add_on(organization=organization, plan=make_plan())
    make_charge(organization=organization)
    make_organization(external_id="orga_quiet")
    make_organization(external_id="orga_child", parent=organization)
    blocked = make_organization(external_id="orga_blocked", with_profile=False)
    consume(organization, quantity=100, on="2026-10-03")
    consume(blocked, quantity=100, on="2026-10-03")


def _queries_to_close_and_issue(text: str) -> list[int]:
    counts = []
    for work in (close, issue):
        with CaptureQueriesContext(connection) as queries:
            work(text)
        counts.append(len(queries))
    return counts


def _content() -> dict[str, str]:
    """Every row of billing but those of the run itself."""
    content = {}
    for model in apps.get_app_config("billing").get_models():
        if model._meta.model_name in ("monthclose", "closebatch"):
            continue
        rows = sorted(map(repr, model._base_manager.values_list()))
        content[model._meta.model_name or ""] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    return content
