"""Issuing one draft from its page: exactly what the person saw, or nothing.

Usage of apps.S costs 0.01 a second.
"""

from datetime import date
from typing import Any

import pytest
from django.urls import reverse

from billing.models import Event, Invoice, NumberSeries
from billing.usecases._permissions import NotAllowed
from billing.usecases.issue_invoice import ChangedMeanwhile, NotADraft, UnableToIssue, issue_invoice
from tests.builders.closing import broken_promises, close, consume, invoice_of, local, make_metered_price
from tests.builders.desk import desk, make_staff
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db

AT = local("2026-11-03 10:00")


@pytest.fixture
def draft() -> Invoice:
    make_metered_price()
    atlas = make_organization(external_id="orga_atlas", name="Atlas", opened_on=date(2026, 10, 1))
    consume(atlas, quantity=100, on="2026-10-03")
    close("2026-10")
    return invoice_of(atlas, "2026-10")


def do(draft: Invoice, **options: Any) -> Invoice:
    given: dict[str, Any] = {"seen": draft.fingerprint, "actor": make_staff("Billing manager"), "at": AT, **options}
    return issue_invoice(invoice_id=draft.pk, **given)


def assert_nothing_was_issued(draft: Invoice) -> None:
    stored = Invoice.objects.get(pk=draft.pk)
    assert (stored.document_state, stored.number) == ("draft", None)
    assert NumberSeries.objects.get(kind="invoice").last_counter == 0
    assert not Event.objects.exists()


def test_a_draft_that_was_seen_is_issued(draft: Invoice) -> None:
    issued = do(draft)
    assert (issued.number, issued.issue_date) == ("F20261103-000001", date(2026, 11, 3))
    event = Event.objects.get()
    assert (event.kind, event.actor) == ("invoice.issued", make_staff("Billing manager"))
    assert broken_promises() == []


def test_a_draft_that_changed_since_is_not_issued(draft: Invoice) -> None:
    with pytest.raises(ChangedMeanwhile):
        do(draft, seen="0" * 32)
    consume(draft.organization, quantity=1, on="2026-10-04")
    with pytest.raises(ChangedMeanwhile):
        do(draft)
    assert_nothing_was_issued(draft)


def test_what_is_in_the_way_is_named(draft: Invoice) -> None:
    Invoice.objects.update(hold_reason="Wait for the contract.")
    with pytest.raises(UnableToIssue, match="Wait for the contract"):
        do(draft)
    Invoice.objects.update(hold_reason="")
    with pytest.raises(UnableToIssue, match="future"):
        do(draft, issue_date=date(2026, 11, 4))
    NumberSeries.objects.filter(kind="invoice").update(last_date=date(2026, 11, 3))
    with pytest.raises(UnableToIssue, match="before 2026-11-03"):
        do(draft, issue_date=date(2026, 11, 2))
    assert_nothing_was_issued(draft)


def test_a_second_click_finds_no_draft_any_more(draft: Invoice) -> None:
    do(draft)
    with pytest.raises(NotADraft):
        do(draft)
    assert NumberSeries.objects.get(kind="invoice").last_counter == 1


def test_only_a_billing_manager_issues(draft: Invoice) -> None:
    for role in ("Viewer", "Accountant", "Controller", "Auditor"):
        with pytest.raises(NotAllowed):
            do(draft, actor=make_staff(role))
    assert_nothing_was_issued(draft)


def test_max_issues_from_the_page(draft: Invoice) -> None:
    client = desk()
    page = client.get(reverse("admin:billing_invoice_change", args=[draft.pk])).content.decode()
    assert "/do/issue/" in page
    url = reverse("admin:billing_invoice_do", args=[draft.pk, "issue"])
    stale = client.post(url, {"seen": "0" * 32, "issue_date": ""})
    assert "Somebody changed this draft meanwhile" in stale.content.decode()
    response = client.post(url, {"seen": draft.fingerprint, "issue_date": ""}, follow=True)
    draft.refresh_from_db()
    assert f"Issued as {draft.number}." in response.content.decode()
    assert "/do/issue/" not in response.content.decode()
