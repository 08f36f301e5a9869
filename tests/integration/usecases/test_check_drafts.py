"""E-invoices of drafts: who is checked, when again, and what is issued because of it.

Usage of apps.S costs 0.01 a second. What validates is replaced by a function that says what the test wants.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from msgspec import ValidationError

from billing.documents.e_invoice.validation import CheckerUnavailable
from billing.domain.documents import Document
from billing.domain.e_invoices import Failure
from billing.models import DraftCheck, Event, ExchangeRate, Invoice, LegalEntity, LegalText, NumberSeries, Price
from billing.queries.draft_checks import e_invoice_findings
from billing.tasks import check_drafts as check_task
from billing.usecases._changes import Note
from billing.usecases._permissions import NotAllowed
from billing.usecases.ask_for_check import ask_for_check
from billing.usecases.check_drafts import CHUNK, check_drafts
from billing.usecases.issue_credit_note import InvalidEInvoice, issue_credit_note
from billing.usecases.prepare_credit_note import prepare_credit_note
from organizations.models import BillingProfile, Organization
from tests.builders.adjusting import adjust
from tests.builders.closing import close, consume, invoice_of, issue, local, make_metered_price, why_not_issued
from tests.builders.desk import desk, make_staff
from tests.builders.guards import guards_lifted
from tests.builders.invoices import make_credit_note, make_invoice
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db

AT = local("2026-11-01 10:00")
NO_SIREN = Failure("BR-FR-11", "BT-47", "Le SIREN est obligatoire.", "buyer_siren")
UNKNOWN = Failure("BR-77", "BT-7", "Some text with 100 % technical <words>.")


def make_customer(name: str = "Atlas", *, requires: bool = True) -> Organization:
    organization = make_organization(name=name, opened_on=date(2026, 10, 1))
    BillingProfile.objects.filter(pk=organization.pk).update(requires_e_invoice=requires)
    consume(organization, quantity=100, on="2026-10-03")
    return organization


@pytest.fixture
def atlas() -> Organization:
    """A customer who must get e-invoices, with a draft."""
    make_metered_price()
    atlas = make_customer()
    close("2026-10")
    return atlas


def run(*failures: Failure, at: datetime = AT) -> list[Document]:
    """Run the check; every draft has these failures. Returns what was looked at."""
    seen: list[Document] = []

    def check(document: Document) -> Sequence[Failure]:
        seen.append(document)
        return failures

    assert check_drafts(check=check, at=at) == len(seen)
    return seen


def page_of(draft: Invoice) -> str:
    return desk().get(reverse("admin:billing_invoice_change", args=[draft.pk])).content.decode()


def test_a_draft_is_checked_as_it_would_be_issued(atlas: Organization) -> None:
    (document,) = run(at=local("2026-11-03 10:00"))

    assert (document.number, document.issue_date, document.due_date) == (
        "F20261103-000001",
        date(2026, 11, 3),
        date(2026, 12, 3),
    )
    assert [mention.code for mention in document.mentions] == ["PMT", "PMD", "AAB"]
    assert invoice_of(atlas, "2026-10").number is None


def test_others_are_not_checked_until_somebody_asks() -> None:
    make_metered_price()
    zebra = make_customer("Zebra", requires=False)
    close("2026-10")
    draft = invoice_of(zebra, "2026-10")
    assert run() == []

    ask_for_check(invoice_id=draft.pk, seen=draft.fingerprint, actor=make_staff("Accountant"), at=AT)

    assert len(run(UNKNOWN)) == 1
    assert run() == []
    assert [stored.failure_count for stored in DraftCheck.objects.all()] == [1]
    assert issue("2026-10").not_issued == []


def test_a_draft_is_checked_once_and_again_when_it_changes(atlas: Organization) -> None:
    assert len(run()) == 1
    assert run() == []

    consume(atlas, quantity=50, on="2026-10-04")
    close("2026-10")

    assert len(run()) == 1
    assert run() == []


def test_a_changed_billing_profile_asks_for_another_check(atlas: Organization) -> None:
    run(NO_SIREN)
    BillingProfile.objects.filter(pk=atlas.pk).update(siren="303265045")
    assert len(run()) == 1


def test_what_failed_is_tried_again_an_hour_later(atlas: Organization) -> None:
    run(NO_SIREN)
    assert run(at=AT + timedelta(minutes=59)) == []
    assert len(run(at=AT + timedelta(minutes=60))) == 1
    assert run(at=AT + timedelta(days=9)) == []


def test_exchange_rates_are_looked_at_every_day() -> None:
    make_invoice(organization=make_organization(currency="USD"), fees_cents=100_00)
    BillingProfile.objects.update(requires_e_invoice=True)
    ExchangeRate.objects.create(currency="USD", day=date(2026, 10, 30), per_euro_micro=1_083_700)
    assert [document.exchange is not None for document in run()] == [True]
    assert run(at=AT + timedelta(hours=23)) == []
    assert [document.exchange is not None for document in run(at=AT + timedelta(days=9))] == [False]


def test_a_missing_exchange_rate_is_told_unasked() -> None:
    draft = make_invoice(organization=make_organization(currency="USD"), fees_cents=100_00)
    [finding] = e_invoice_findings(draft)
    assert (finding.severity, finding.values["problem"]) == ("warning", "exchange_rate")

    ExchangeRate.objects.create(currency="USD", day=date(2026, 10, 30), per_euro_micro=1_083_700)
    assert e_invoice_findings(draft) == []


def test_what_somebody_else_is_at_is_left_alone(atlas: Organization) -> None:
    draft = invoice_of(atlas, "2026-10")
    DraftCheck.objects.create(invoice=draft, claimed_at=AT - timedelta(minutes=9))
    assert run() == []
    assert len(run(at=AT + timedelta(minutes=2))) == 1  # whoever it was is gone


def test_without_the_process_that_validates_nothing_is_noted(
    atlas: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(document: Document) -> Sequence[Failure]:
        raise CheckerUnavailable("It does not answer.")

    monkeypatch.setattr("billing.tasks.validate", unavailable)
    check_task()
    assert [stored.checked_at for stored in DraftCheck.objects.all()] == [None]
    assert len(run(at=AT + timedelta(days=999))) == 1


def test_a_draft_that_cannot_be_checked_stops_no_other() -> None:
    make_metered_price()
    customers = [make_customer(name) for name in ("Atlas", "Borealis", "Cassini")]
    close("2026-10")
    poison = invoice_of(customers[0], "2026-10")

    def check(document: Document) -> Sequence[Failure]:
        if document.id == poison.pk:
            raise CheckerUnavailable("It does not answer.")
        return ()

    for minutes in (0, 1, 11, 22):
        with suppress(CheckerUnavailable):
            check_drafts(check=check, at=AT + timedelta(minutes=minutes))

    stored = {row.invoice_id: row for row in DraftCheck.objects.all()}
    assert {id_ for id_, row in stored.items() if row.checked_at} == set(stored) - {poison.pk}
    assert stored[poison.pk].attempts == 3
    [finding] = e_invoice_findings(poison)
    assert (finding.code, finding.severity) == ("e_invoice_uncheckable", "blocking")
    assert "could not be checked, 3 times" in page_of(poison)
    assert why_not_issued(issue("2026-10")).keys() == {customers[0].external_id}


def test_a_draft_that_cannot_be_loaded_stops_no_other() -> None:
    make_metered_price()
    broken, sound = make_customer("Atlas"), make_customer("Borealis")
    close("2026-10")
    with guards_lifted():
        Invoice.objects.filter(organization=broken).update(buyer={"organization": 7})

    with pytest.raises(ValidationError):
        check_drafts(check=lambda document: (), at=AT)

    assert [row.invoice.organization for row in DraftCheck.objects.exclude(checked_at=None)] == [sound]


def test_when_nothing_can_be_checked_the_run_ends_and_the_rest_is_left_to_the_next() -> None:
    make_metered_price()
    for name in ("Atlas", "Borealis", "Cassini"):
        make_customer(name)
    close("2026-10")
    tried: list[int] = []

    def check(document: Document) -> Sequence[Failure]:
        tried.append(document.id)
        raise CheckerUnavailable("It does not answer.")

    with pytest.raises(CheckerUnavailable):
        check_drafts(check=check, at=AT)
    assert len(tried) == 2
    assert [row.attempts for row in DraftCheck.objects.order_by("invoice_id")] == [1, 1, 0]
    assert len(run()) == 1


def test_a_chunk_costs_as_many_queries_as_one_draft() -> None:
    make_metered_price()
    make_customer()
    close("2026-10")
    with CaptureQueriesContext(connection) as of_one:
        run()
    for number in range(5):
        make_customer(f"Customer {number}")
    close("2026-10")
    DraftCheck.objects.all().delete()
    with CaptureQueriesContext(connection) as of_six:
        run()
    assert CHUNK >= 6
    notes = 4  # savepoint, check, asked, release
    assert len(of_six) == len(of_one) + 5 * notes


def test_only_who_may_adjust_asks_for_a_check(atlas: Organization) -> None:
    draft = invoice_of(atlas, "2026-10")
    with pytest.raises(NotAllowed):
        ask_for_check(invoice_id=draft.pk, seen=draft.fingerprint, actor=make_staff("Viewer"), at=AT)
    assert not DraftCheck.objects.exists()


# Issuing


def test_a_customer_who_must_get_one_gets_a_valid_one(atlas: Organization) -> None:
    assert "has not been checked as it is now" in why_not_issued(issue("2026-10"))[atlas.external_id]
    run(NO_SIREN, UNKNOWN)
    assert "has 2 errors" in why_not_issued(issue("2026-10"))[atlas.external_id]
    run(at=AT + timedelta(hours=1))
    assert issue("2026-10", at=AT + timedelta(hours=2)).not_issued == []


def test_a_check_of_something_else_does_not_count(atlas: Organization) -> None:
    run()
    BillingProfile.objects.filter(pk=atlas.pk).update(siren="123")
    assert "has not been checked" in why_not_issued(issue("2026-10"))[atlas.external_id]
    assert not Event.objects.filter(kind="invoice.issued").exists()


@pytest.mark.parametrize("change", ["texts", "template", "seller"])
def test_a_check_under_other_rules_does_not_count(atlas: Organization, change: str) -> None:
    invoice = make_invoice(organization=make_customer("Nimbus"), status="pending", fees_cents=100_00)
    note = make_credit_note(refers_to=invoice, net_cents=10_00, status="draft")
    run()
    if change == "texts":
        LegalText.objects.filter(code="PMT").delete()
    elif change == "template":
        NumberSeries.objects.update(template="F{counter:06d}")
    else:
        LegalEntity.objects.update(siren="404833048")

    assert "has not been checked" in why_not_issued(issue("2026-10"))[atlas.external_id]
    with pytest.raises(InvalidEInvoice, match="has not been checked"):
        issue_credit_note(credit_note_id=note.pk, seen=note.fingerprint, actor=None, at=AT + timedelta(days=1))
    assert len(run()) == 2


def test_a_rate_that_is_gone_by_the_day_of_issue_is_missed(atlas: Organization) -> None:
    Organization.objects.update(currency="USD")
    Price.objects.update(currency="USD")
    close("2026-10")
    ExchangeRate.objects.create(currency="USD", day=date(2026, 10, 30), per_euro_micro=1_083_700)
    run()
    assert "has not been checked" in why_not_issued(issue("2026-10", at=AT + timedelta(days=20)))[atlas.external_id]
    assert issue("2026-10", at=AT).not_issued == []


def test_the_gate_costs_others_one_query() -> None:
    make_metered_price()
    for number in range(3):
        make_customer(f"Customer {number}", requires=False)
    close("2026-10")
    with CaptureQueriesContext(connection) as queries:
        assert issue("2026-10").not_issued == []
    asked = [query["sql"] for query in queries if "draftcheck" in query["sql"] or "requires_e_invoice" in query["sql"]]
    assert len([sql for sql in asked if "WHERE" in sql and 'AND "organizations_billingprofile"."requires' in sql]) == 1
    assert not any("draftcheck" in sql for sql in asked)


def test_a_credit_note_has_to_be_valid_too(atlas: Organization) -> None:
    invoice = make_invoice(organization=make_customer("Nimbus"), status="pending", fees_cents=100_00)
    note = make_credit_note(refers_to=invoice, net_cents=10_00, status="draft")

    def give() -> Invoice:
        return issue_credit_note(credit_note_id=note.pk, seen=note.fingerprint, actor=None, at=AT + timedelta(days=1))

    with pytest.raises(InvalidEInvoice, match="has not been checked"):
        give()
    run(NO_SIREN)
    with pytest.raises(InvalidEInvoice, match="has 1 error"):
        give()
    assert Invoice.objects.get(pk=note.pk).document_state == "draft"
    run(at=AT + timedelta(hours=1))
    checked = DraftCheck.objects.get(pk=note.pk)
    assert (checked.fingerprint, checked.failure_count) == (note.fingerprint, 0)


def test_whether_a_credit_note_has_to_be_valid_is_decided_by_the_profile_of_today() -> None:
    make_metered_price()
    organization = make_customer(requires=False)
    invoice = make_invoice(organization=organization, status="pending", fees_cents=100_00)
    note = prepare_credit_note(invoice_id=invoice.pk, reason="Goodwill", actor=None, at=AT)
    ask_for_check(invoice_id=note.pk, seen=note.fingerprint, actor=make_staff("Accountant"), at=AT)
    (document,) = run()
    assert not document.buyer.requires_e_invoice

    BillingProfile.objects.filter(pk=organization.pk).update(requires_e_invoice=True, company="Another name")

    (document,) = run()
    assert document.buyer.requires_e_invoice
    assert document.buyer.company != "Another name"
    issued = issue_credit_note(credit_note_id=note.pk, seen=note.fingerprint, actor=None, at=AT + timedelta(days=1))
    assert issued.buyer is not None
    assert (issued.buyer["requires_e_invoice"], issued.buyer["company"]) == (True, document.buyer.company)


# The page and the list


def test_the_page_says_what_to_mend(atlas: Organization) -> None:
    draft = invoice_of(atlas, "2026-10")
    assert "The e-invoice has not been checked as it is now" in page_of(draft)

    run(NO_SIREN, UNKNOWN)

    page = page_of(draft)
    assert "To be mended before issuing" in page
    assert "The buyer&#x27;s SIREN is missing on the billing profile" in page
    assert "rule BR-77: Some text with 100 % technical &lt;words&gt;." in page
    assert "/do/acknowledge/" not in page


def test_the_page_says_that_it_is_valid(atlas: Organization) -> None:
    run()
    assert "The e-invoice passes every check." in page_of(invoice_of(atlas, "2026-10"))


def test_somebody_asks_on_the_page() -> None:
    make_metered_price()
    zebra = make_customer("Zebra", requires=False)
    close("2026-10")
    draft = invoice_of(zebra, "2026-10")
    assert "e-invoice has not been checked" not in page_of(draft)
    url = reverse("admin:billing_invoice_do", args=[draft.pk, "check_e_invoice"])

    desk().post(url, {"seen": draft.fingerprint})

    assert "e-invoice has not been checked" in page_of(draft)
    run(NO_SIREN, at=timezone.now())
    page = page_of(draft)
    assert "Warning:</strong> The buyer&#x27;s SIREN is missing" in page


def test_the_list_tells_what_cannot_be_issued(atlas: Organization) -> None:
    run(NO_SIREN)
    url = reverse("admin:billing_invoice_changelist")
    assert "e-invoice: 1 error" in desk().get(url).content.decode()
    assert "Atlas" in desk().get(url, {"status": "review"}).content.decode()
    ready = desk().get(url, {"status": "ready"}).content.decode()
    assert "e-invoice: 1 error" not in ready
    run(at=AT + timedelta(hours=1))
    assert "e-invoice:" not in desk().get(url).content.decode()


def test_an_adjusted_draft_waits_for_its_check_again(atlas: Organization) -> None:
    run()
    adjust(atlas, Note(text="Thank you"))
    assert "has not been checked as it is now" in page_of(invoice_of(atlas, "2026-10"))
