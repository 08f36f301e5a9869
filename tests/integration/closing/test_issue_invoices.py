"""Issuing: computed once more, numbered without gaps in date order, booked, frozen.

Usage of apps.S costs 0.01 a second.
"""

from datetime import date
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.domain.chain import chained_hash
from billing.models import CreditEntry, CreditGrant, Event, Invoice, NumberSeries, UsageMonth
from billing.queries.sealed_content import sealed_contents
from billing.usecases import issue_invoices as module
from billing.usecases._issuing import book_issued
from billing.usecases.issue_invoices import UnableToIssue, issue_invoices
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
    month,
    pay,
    remaining_of,
)
from tests.builders.credits import make_grant
from tests.builders.desk import make_staff
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db


@pytest.fixture
def atlas() -> Organization:
    make_metered_price()
    return make_organization(external_id="orga_atlas", name="Atlas", opened_on=date(2026, 8, 1))


def drafts(month: str = "2026-10", *, count: int) -> list[Organization]:
    """As many organizations with a draft of 2.00 each."""
    organizations = [make_organization(external_id=f"orga_{number:02d}") for number in range(count)]
    for organization in organizations:
        consume(organization, quantity=100, on=f"{month}-03")
    close(month)
    return organizations


# --- Numbers and dates ------------------------------------------------------------------------------------------------


def test_numbers_have_no_gap_whatever_the_batches(atlas: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH_SIZE", 3)
    first = drafts(count=8)

    report = issue("2026-10")

    assert report.numbers == [f"F20261101-{counter:06d}" for counter in range(1, 9)]
    assert [invoice_of(organization, "2026-10").counter for organization in first] == list(range(1, 9))
    series = NumberSeries.objects.get(kind="invoice")
    assert (series.last_counter, series.last_date) == (8, date(2026, 11, 1))
    assert issue("2026-10").numbers == []
    assert broken_promises() == []


def test_some_at_a_time_continue_the_series(atlas: Organization) -> None:
    one, two, three = drafts(count=3)

    assert issue("2026-10", three, at=local("2026-11-02 09:00")).numbers == ["F20261102-000001"]
    assert issue("2026-10", one, two, at=local("2026-11-03 09:00")).numbers == ["F20261103-000002", "F20261103-000003"]


def test_what_is_refused_takes_no_number(atlas: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH_SIZE", 2)
    organizations = drafts(count=5)
    for refused in organizations[1:3]:
        refused.billing_profile.delete()

    report = issue("2026-10")

    assert [number[-1] for number in report.numbers] == ["1", "2", "3"]
    assert [refused.external_id for refused in report.not_issued] == ["orga_01", "orga_02"]


def test_a_crash_halfway_leaves_no_hole(atlas: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH_SIZE", 2)
    drafts(count=5)
    take, calls = book_issued, 0

    def crash(*arguments: object) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise KeyboardInterrupt
        take(*arguments)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(module, "book_issued", crash)
    with pytest.raises(KeyboardInterrupt):
        issue("2026-10")
    assert NumberSeries.objects.get(kind="invoice").last_counter == 2

    report = issue("2026-10")

    assert [number[-1] for number in report.numbers] == ["3", "4", "5"]


def test_the_day_of_issue_is_that_of_the_legal_entity(atlas: Organization) -> None:
    drafts(count=1)

    # 23:30 UTC on the 1st is 00:30 on the 2nd in Paris
    assert issue("2026-10", at=local("2026-11-02 00:30")).numbers == ["F20261102-000001"]


def test_due_dates_follow_the_payment_term(atlas: Organization) -> None:
    atlas.payment_term_days = 45
    atlas.save()
    consume(atlas, quantity=100, on="2026-10-03")

    close_and_issue("2026-10")

    invoice = invoice_of(atlas, "2026-10")
    assert (invoice.issue_date, invoice.due_date) == (date(2026, 11, 1), date(2026, 12, 16))


def test_an_earlier_day_may_be_given(atlas: Organization) -> None:
    drafts(count=1)

    assert issue("2026-10", at=local("2026-11-09"), on=date(2026, 11, 2)).numbers == ["F20261102-000001"]


def test_a_day_in_the_future_is_refused(atlas: Organization) -> None:
    drafts(count=1)

    with pytest.raises(UnableToIssue, match="2026-11-03 is in the future: use 2026-11-02 or an earlier day"):
        issue("2026-10", at=local("2026-11-02 23:59"), on=date(2026, 11, 3))

    assert Invoice.objects.get().document_state == "draft"


def test_a_day_before_the_last_of_the_series_is_refused(atlas: Organization) -> None:
    one, two = drafts(count=2)
    issue("2026-10", one, at=local("2026-11-05"))

    with pytest.raises(UnableToIssue, match=r"2026-11-04 lies before 2026-11-05, the last one of the series F\{date"):
        issue("2026-10", two, at=local("2026-11-06"), on=date(2026, 11, 4))

    assert invoice_of(two, "2026-10").document_state == "draft"
    assert len(issue("2026-10", two, at=local("2026-11-06"), on=date(2026, 11, 5)).numbers) == 1


# --- Computed once more -----------------------------------------------------------------------------------------------


def test_a_payment_that_arrives_before_issuing_counts_in_b(atlas: Organization) -> None:
    consume(atlas, quantity=100, on="2026-09-03")
    close_and_issue("2026-09")
    consume(atlas, quantity=100, on="2026-10-03")
    close("2026-10")
    assert letters_of(bill_of(atlas, "2026-10"), "b g h") == "b 0.00 g 1.00 h 0.00"
    pay(invoice_of(atlas, "2026-09"), at=local("2026-11-01 10:00"))

    issue("2026-10", at=local("2026-11-02"))

    bill = bill_of(atlas, "2026-10")
    # the 1.00 sold in September is active now: it pays October, and November is provisioned
    assert letters_of(bill, "b e g h") == "b 1.00 e -1.00 g 0.00 h 1.00"
    assert lines_of(bill) == ["provision 2026-11 1.00"]
    assert broken_promises() == []


def test_a_partial_payment_activates_nothing(atlas: Organization) -> None:
    consume(atlas, quantity=100, on="2026-09-03")
    close_and_issue("2026-09")
    pay(invoice_of(atlas, "2026-09"), cents=2_39)  # of 2.40
    consume(atlas, quantity=100, on="2026-10-03")

    close_and_issue("2026-10")

    assert letters_of(bill_of(atlas, "2026-10"), "b e g h") == "b 0.00 e 0.00 g 1.00 h 0.00"


def test_an_unchanged_draft_is_issued_as_it_is(atlas: Organization) -> None:
    consume(atlas, quantity=100, on="2026-10-03")
    close("2026-10")
    before = invoice_of(atlas, "2026-10")

    issue("2026-10")

    after = invoice_of(atlas, "2026-10")
    assert (after.pk, after.computed_at, after.fingerprint) == (before.pk, before.computed_at, before.fingerprint)
    assert (after.document_state, after.payment_state) == ("issued", "pending")


def test_parties_are_copied(atlas: Organization) -> None:
    consume(atlas, quantity=100, on="2026-10-03")
    close_and_issue("2026-10")
    atlas.billing_profile.delete()
    atlas.name = "Renamed"
    atlas.save()

    buyer = invoice_of(atlas, "2026-10").buyer
    assert buyer is not None
    assert (buyer["organization_name"], buyer["company"], buyer["city"]) == ("Atlas", "Atlas SAS", "Nancy")


# --- What is booked ---------------------------------------------------------------------------------------------------


def test_credit_entries_are_booked_with_the_invoice(atlas: Organization) -> None:
    trial = make_grant(organization=atlas, type="free", amount_cents=1_00, expires_on=date(2026, 10, 31))
    lapsed = make_grant(organization=atlas, type="free", amount_cents=4_00, expires_on=date(2026, 9, 30))
    bought = make_grant(organization=atlas, amount_cents=5_00)
    gift = make_grant(organization=atlas, type="free", amount_cents=2_00, priority=-1, expires_on=date(2026, 10, 31))
    consume(atlas, quantity=250, on="2026-10-03")
    close("2026-10")
    assert not CreditEntry.objects.exclude(kind="grant").exists()

    issue("2026-10")

    # 2.00 of priority -1, then 0.50 of the trial, whose other 0.50 expires; 4.00 had lapsed before
    booked = CreditEntry.objects.exclude(kind="grant").values_list("grant_id", "kind", "amount_cents")
    assert sorted(booked) == sorted(
        [(gift.pk, "use", -2_00), (trial.pk, "use", -50), (trial.pk, "expiry", -50), (lapsed.pk, "expiry", -4_00)]
    )
    invoice = invoice_of(atlas, "2026-10")
    assert set(CreditEntry.objects.exclude(kind="grant").values_list("invoice", "month")) == {
        (invoice.pk, date(2026, 10, 1))
    }
    assert remaining_of(bought) == 5_00
    assert broken_promises() == []


def test_the_provision_is_a_pending_grant_until_it_is_paid(atlas: Organization) -> None:
    consume(atlas, quantity=100, on="2026-10-03")
    close_and_issue("2026-10")

    grant = CreditGrant.objects.get()
    assert (grant.state, grant.type, grant.amount_cents, grant.remaining_cents) == ("pending", "prepaid", 1_00, 0)
    assert (grant.sold_by, grant.starts_on, grant.currency) == (invoice_of(atlas, "2026-10"), None, "EUR")
    pay(invoice_of(atlas, "2026-10"))
    assert remaining_of(grant) == 1_00


def test_an_invoice_without_provision_sells_no_grant(atlas: Organization) -> None:
    make_charge(organization=atlas)

    close_and_issue("2026-10")

    assert not CreditGrant.objects.exists()


def test_charges_and_add_ons_are_taken_when_issued(atlas: Organization) -> None:
    charge = make_charge(organization=atlas)
    add_on = make_add_on(organization=atlas, plan=make_plan(), started_on=date(2026, 9, 1))
    ending = make_add_on(
        organization=atlas, plan=make_plan(code="x"), started_on=date(2026, 9, 1), ended_on=date(2026, 11, 16)
    )
    close("2026-10")
    for thing in (charge, add_on, ending):
        thing.refresh_from_db()
    assert (charge.invoice, add_on.billed_until, ending.billed_until) == (None, None, None)

    issue("2026-10")

    for thing in (charge, add_on, ending):
        thing.refresh_from_db()
    assert charge.invoice == invoice_of(atlas, "2026-10")
    assert (add_on.billed_until, ending.billed_until) == (date(2026, 12, 1), date(2026, 11, 16))
    close("2026-11")
    assert lines_of(bill_of(atlas, "2026-11")) == ["add_on 2026-12 49.00"]


def test_a_total_of_nothing_is_settled_at_once(atlas: Organization) -> None:
    make_grant(organization=atlas, amount_cents=100_00)
    consume(atlas, quantity=100, on="2026-10-03")

    close_and_issue("2026-10")

    bill = bill_of(atlas, "2026-10")
    assert (bill.number, bill.total, bill.status, bill.amount_due) == ("F20261101-000001", "0.00", "paid", "0.00")


def test_usage_is_marked_as_billed(atlas: Organization) -> None:
    consume(atlas, quantity=100, on="2026-09-03")
    consume(atlas, quantity=100, on="2026-10-03")
    close("2026-10")
    assert UsageMonth.objects.filter(unbilled=True).count() == 2

    issue("2026-10")

    assert not UsageMonth.objects.filter(unbilled=True).exists()


# --- The command ------------------------------------------------------------------------------------------------------


def test_unknown_organizations_are_named(atlas: Organization) -> None:
    drafts(count=1)

    with pytest.raises(UnableToIssue, match="Unknown organization: orga_x"):
        issue("2026-10", atlas, Organization(external_id="orga_x"))

    assert Invoice.objects.get().document_state == "draft"


def test_the_command_says_how_many(atlas: Organization) -> None:
    Organization.objects.update(opened_on=date(2025, 1, 1))
    consume(atlas, quantity=100, on="2025-10-03")
    call_command("close_month", "2025-10", stdout=StringIO())
    out = StringIO()

    call_command("issue_invoices", "2025-10", date="2025-11-04", organization=["orga_atlas"], stdout=out)

    assert out.getvalue().splitlines() == ["issued: 1, not issued: 0"]
    assert invoice_of(atlas, "2025-10").number == "F20251104-000001"


@pytest.mark.parametrize("text", ["tomorrow", "2026-02-30", "01/11/2026"])
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(CommandError, match="is not a day: write YYYY-MM-DD"):
        call_command("issue_invoices", "2025-10", date=text)


# --- Sealed, and told -------------------------------------------------------------------------------------------------


def test_each_invoice_is_chained_to_the_one_before(atlas: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH_SIZE", 2)
    drafts(count=5)

    issue("2026-10")

    before = ""
    for invoice in Invoice.objects.filter(document_state="issued").order_by("counter"):
        assert invoice.content_hash == chained_hash(before, sealed_contents([invoice.pk])[invoice.pk])
        before = invoice.content_hash
    assert NumberSeries.objects.get(kind="invoice").last_hash == before


def test_each_invoice_has_its_event(atlas: Organization) -> None:
    [organization] = drafts(count=1)
    max_ = make_staff("Billing manager")

    issue_invoices(month=month("2026-10"), at=local("2026-11-02 09:00"), actor=max_)

    event = Event.objects.get(kind="invoice.issued")
    assert (event.actor, event.organization, event.invoice) == (max_, organization, invoice_of(organization, "2026-10"))
    # 1.00 of provision and 1.00 of regularization, 20 % VAT
    assert event.values == {"number": "F20261102-000001", "total_cents": 240}


def test_issuing_takes_as_many_queries_for_all_as_for_two(atlas: Organization) -> None:
    organizations = drafts(count=12)
    few = _queries_to_issue(organizations[:2])

    many = _queries_to_issue(organizations[2:])

    assert many == few


def _queries_to_issue(organizations: list[Organization]) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert len(issue("2026-10", *organizations).numbers) == len(organizations)
    return len(queries)
