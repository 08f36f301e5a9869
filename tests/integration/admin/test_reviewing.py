"""Reviewing at the desk: findings on the page of a draft, acknowledging, approving, and what a controller sets."""

import re
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.domain.review import Finding, stored_findings
from billing.models import Acknowledgement, Approval, ApprovalPolicy, Invoice, ReviewThresholds
from billing.queries.approvals import printed_parties_of
from billing.usecases.acknowledge_finding import acknowledge_finding
from organizations.models import BillingProfile
from tests.builders.closing import local
from tests.builders.desk import desk, make_staff
from tests.builders.four_eyes import approve
from tests.builders.invoices import make_invoice
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db

JUMP = {"own_cents": 60_000_00, "mean_cents": 100_00, "months": 2, "percent": 59_900}
NOTES = [
    {"code": "jump", "severity": "blocking", "values": JUMP},
    {"code": "many_lines", "severity": "warning", "values": {"lines": 2_500, "most": 2_000}},
    {"code": "first_invoice", "severity": "info", "values": {}},
]
SENTENCE = "A consumption of 60,000.00 is 59,900 % above the mean of the 2 months before, 100.00"
NOVEMBER_3 = local("2026-11-03 10:00")


@pytest.fixture
def draft() -> Invoice:
    """A draft of 240.00 with a finding of each severity."""
    invoice = make_invoice(organization=make_organization(external_id="orga_atlas"), fees_cents=100_00)
    Invoice.objects.filter(pk=invoice.pk).update(review_notes=NOTES, open_findings=1)
    invoice.refresh_from_db()
    return invoice


@pytest.fixture
def clean() -> Invoice:
    """A draft of 240.00 that needs a second person."""
    ApprovalPolicy.objects.update(invoice_total_cents=200_00)
    return make_invoice(organization=make_organization(external_id="orga_clean"), fees_cents=100_00)


def digest_of(invoice: Invoice) -> str:
    return stored_findings(invoice.review_notes)[0].digest


def text_of(client: Client, invoice: Invoice) -> str:
    """The page as a reader sees it."""
    content = client.get(reverse("admin:billing_invoice_change", args=[invoice.pk])).content.decode()
    body = content[content.index('id="content-main"') :]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", body)))


def do(client: Client, invoice: Invoice, name: str, **values: str) -> Any:
    """Send a dialog."""
    url = reverse("admin:billing_invoice_do", args=[invoice.pk, name])
    return client.post(url, {"seen": invoice.fingerprint, "parties": printed_parties_of(invoice), **values})


# --- Acknowledging ----------------------------------------------------------------------------------------------------


def test_findings_stand_on_top_with_what_they_ask_for(draft: Invoice) -> None:
    text = text_of(desk("Accountant"), draft)
    assert f"To be acknowledged: {SENTENCE}" in text
    assert "Warning: 2500 usage lines, more than the 2000 that are usual." in text
    assert "For information: The organization's first invoice" in text
    assert "check Acknowledge" in text


def test_a_finding_that_is_asked_for_is_text_not_html(draft: Invoice) -> None:
    changed = {"code": "price_changed", "severity": "info", "values": {"meter": "<b>apps</b>", "lines": 1}}
    Invoice.objects.update(review_notes=[*NOTES, changed])
    url = reverse("admin:billing_invoice_do", args=[draft.pk, "acknowledge"])
    asked = stored_findings([changed])[0].digest
    content = desk("Accountant").get(url, {"finding": asked}).content.decode()
    assert "<b>apps</b>" not in content
    assert "&lt;b&gt;apps" in content


@pytest.mark.parametrize("role", ["Viewer", "Controller", "Auditor"])
def test_who_may_not_acknowledge_has_no_button_and_no_dialog(draft: Invoice, role: str) -> None:
    client = desk(role)
    assert "check Acknowledge" not in text_of(client, draft)
    assert do(client, draft, "acknowledge", finding=digest_of(draft), reason="Why not").status_code == 403
    assert not Acknowledgement.objects.exists()


def test_the_button_leads_to_the_dialog_of_its_finding(draft: Invoice) -> None:
    client = desk("Accountant")
    page = client.get(reverse("admin:billing_invoice_change", args=[draft.pk])).content.decode()
    (url,) = {unescape(found) for found in re.findall(r'href="([^"]*/do/acknowledge/[^"]*)"', page)}

    dialog = client.get(url).content.decode()

    assert draft.fingerprint in dialog
    assert digest_of(draft) in dialog


def test_acknowledging_needs_a_reason_and_shows_who_did(draft: Invoice) -> None:
    client = desk("Accountant")
    assert do(client, draft, "acknowledge", finding=digest_of(draft), reason="").status_code == 200
    assert not Acknowledgement.objects.exists()

    response = do(client, draft, "acknowledge", finding=digest_of(draft), reason="A load test, agreed")

    assert response.status_code == 302
    text = text_of(client, draft)
    assert f"Acknowledged: {SENTENCE}" in text
    assert "Fiona, " in text
    assert "A load test, agreed" in text
    assert "A finding was acknowledged" in text
    assert "check Acknowledge" not in text


def test_a_stale_page_writes_nothing(draft: Invoice) -> None:
    response = do(desk("Accountant"), draft, "acknowledge", finding=digest_of(draft), reason="Seen", seen="0" * 32)
    assert "Somebody changed this draft meanwhile" in response.content.decode()
    draft.refresh_from_db()
    assert (draft.open_findings, Acknowledgement.objects.count()) == (1, 0)


@pytest.mark.parametrize("finding", ["", "0" * 32, Finding("many_lines", "warning", {}).digest])
def test_a_forged_finding_writes_nothing(draft: Invoice, finding: str) -> None:
    response = do(desk("Accountant"), draft, "acknowledge", finding=finding, reason="Forged")
    assert response.status_code == 200
    assert not Acknowledgement.objects.exists()


# --- Approving --------------------------------------------------------------------------------------------------------


def test_a_second_person_approves(clean: Invoice) -> None:
    client = desk("Controller")
    assert "A second person has to approve a total of 240.00 (from 200.00 on)." in text_of(client, clean)
    assert "verified Approve" in text_of(client, clean)

    assert do(client, clean, "approve").status_code == 302

    assert Approval.objects.get().approver == make_staff("Controller")
    assert "Approved by Clara, " in text_of(desk("Viewer"), clean)


@pytest.mark.parametrize("role", ["Viewer", "Accountant", "Auditor"])
def test_who_may_not_approve_has_no_button_and_no_dialog(clean: Invoice, role: str) -> None:
    client = desk(role)
    assert "verified Approve" not in text_of(client, clean)
    assert do(client, clean, "approve").status_code == 403
    assert not Approval.objects.exists()


def test_nobody_approves_what_they_acknowledged(draft: Invoice) -> None:
    ApprovalPolicy.objects.update(invoice_total_cents=200_00)
    assert "verified Approve" not in text_of(desk("Billing manager"), draft)
    acknowledge_finding(
        invoice_id=draft.pk,
        finding=digest_of(draft),
        reason="Expected",
        seen=draft.fingerprint,
        actor=make_staff("Billing manager"),
        at=NOVEMBER_3,
    )

    refused = do(desk("Billing manager"), draft, "approve").content.decode()

    assert "You changed this draft or what it bills, or acknowledged a finding" in refused
    assert not Approval.objects.exists()


def test_whoever_it_is_made_out_to_is_approved_as_it_was_shown(clean: Invoice) -> None:
    client = desk("Controller")
    page = client.get(reverse("admin:billing_invoice_change", args=[clean.pk])).content.decode()
    (url,) = {unescape(found) for found in re.findall(r'href="([^"]*/do/approve/[^"]*)"', page)}
    BillingProfile.objects.update(company="Somebody Else SAS")

    form = client.get(url).context["form"]
    refused = client.post(url, {"seen": form["seen"].value(), "parties": form["parties"].value()})

    assert "Somebody changed this draft meanwhile" in refused.content.decode()
    assert not Approval.objects.exists()


def test_an_approval_of_other_content_is_shown_as_void(clean: Invoice) -> None:
    clara = make_staff("Controller")
    approve(clean, clara)
    Invoice.objects.update(fingerprint="f" * 32)

    text = text_of(desk("Controller"), clean)

    assert "It has changed since: this approval does not count any more." in text
    assert "verified Approve" in text


def test_the_page_takes_as_many_queries_for_many_findings(draft: Invoice) -> None:
    client = desk("Accountant")
    client.get(reverse("admin:billing_invoice_change", args=[draft.pk]))
    counts = []
    for times in (1, 10):
        Invoice.objects.filter(pk=draft.pk).update(review_notes=NOTES * times)
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse("admin:billing_invoice_change", args=[draft.pk]))
        counts.append(len(queries))
    assert counts[0] == counts[1]


# --- The list ---------------------------------------------------------------------------------------------------------


def test_the_list_says_what_waits_for_whom(draft: Invoice, clean: Invoice) -> None:
    client, url = desk("Accountant"), reverse("admin:billing_invoice_changelist")
    assert "1 open finding" in client.get(url).content.decode()

    reviewed = client.get(url, {"status": "review"}).content.decode()
    assert "orga_atlas" in reviewed or str(draft.pk) in reviewed
    assert f"/invoice/{clean.pk}/" not in reviewed

    Invoice.objects.filter(pk=draft.pk).update(open_findings=0)
    assert "1 warning" in client.get(url).content.decode()
    Invoice.objects.filter(pk=draft.pk).update(hold_reason="Waits")
    assert "on hold" in client.get(url).content.decode()


# --- What a controller sets -------------------------------------------------------------------------------------------


def thresholds(**values: str) -> dict[str, str]:
    return {
        "jump_percent": "50",
        "drop_percent": "",
        "least_change_cents": "25.50",
        "block_jump_percent": "100",
        "block_change_cents": "1000",
        "provision_percent": "300",
        "most_lines": "10",
        **values,
    }


def test_a_controller_changes_the_thresholds_of_everybody_and_adds_those_of_one() -> None:
    client, everybody = desk("Controller"), ReviewThresholds.objects.get()
    atlas = make_organization()

    client.post(reverse("admin:billing_reviewthresholds_change", args=[everybody.pk]), thresholds())
    client.post(reverse("admin:billing_reviewthresholds_add"), thresholds(organization=str(atlas.pk)))

    everybody.refresh_from_db()
    assert (everybody.drop_percent, everybody.least_change_cents, everybody.block_change_cents) == (
        None,
        25_50,
        1000_00,
    )
    assert ReviewThresholds.objects.get(organization=atlas).jump_percent == 50
    listed = client.get(reverse("admin:billing_reviewthresholds_changelist")).content.decode()
    assert "25.50" in listed
    assert "300 %" in listed


def test_there_is_one_row_for_everybody() -> None:
    client = desk("Controller")
    response = client.post(reverse("admin:billing_reviewthresholds_add"), thresholds())
    assert "Thresholds of all organizations exist" in response.content.decode()
    everybody = ReviewThresholds.objects.get()
    delete = reverse("admin:billing_reviewthresholds_delete", args=[everybody.pk])
    assert client.post(delete, {"post": "yes"}).status_code == 403
    assert ReviewThresholds.objects.count() == 1


def test_a_controller_sets_limits() -> None:
    client, policy = desk("Controller"), ApprovalPolicy.objects.get()
    limits = {"invoice_total_cents": "5000", "manual_line_cents": "", "discount_cents": "0", "bulk_count": "300"}
    url = reverse("admin:billing_approvalpolicy_change", args=[policy.pk])

    client.post(url, {**limits, "credit_note_cents": "99.99"})

    policy.refresh_from_db()
    assert (policy.invoice_total_cents, policy.manual_line_cents, policy.discount_cents) == (5000_00, None, 0)
    assert (policy.bulk_count, policy.credit_note_cents) == (300, 99_99)
    assert "5,000.00" in client.get(reverse("admin:billing_approvalpolicy_changelist")).content.decode()


@pytest.mark.parametrize("role", ["Viewer", "Accountant", "Billing manager", "Auditor"])
def test_others_only_look(role: str) -> None:
    client = desk(role)
    for row in (ReviewThresholds.objects.get(), ApprovalPolicy.objects.get()):
        url = reverse(f"admin:billing_{row._meta.model_name}_change", args=[row.pk])
        assert client.get(url).status_code == 200
        assert client.post(url, thresholds()).status_code == 403
