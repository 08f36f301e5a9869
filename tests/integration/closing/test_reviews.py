"""What the review finds while a month is closed, and what it keeps from being issued.

Usage of apps.S costs 0.01 a second, so 10,000 seconds are 100.00.
"""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.domain.review import Finding, stored_findings
from billing.models import Acknowledgement, Event, Invoice, ReviewThresholds
from billing.usecases._drafts import ChangedMeanwhile, NotADraft
from billing.usecases._permissions import NotAllowed
from billing.usecases.acknowledge_finding import UnableToAcknowledge, acknowledge_finding
from organizations.models import Organization
from tests.builders.closing import (
    bill_of,
    close,
    close_and_issue,
    consume,
    everything_stored,
    invoice_of,
    issue,
    letters_of,
    local,
    make_metered_price,
    why_not_issued,
)
from tests.builders.desk import make_staff
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db

NOVEMBER_3 = local("2026-11-03 10:00")


@pytest.fixture
def atlas() -> Organization:
    make_metered_price()
    return make_organization(external_id="orga_atlas", name="Atlas", opened_on=date(2026, 6, 1))


@pytest.fixture
def strict(atlas: Organization) -> ReviewThresholds:
    """Atlas' own thresholds: half as much again, and a cent, keep its draft from being issued."""
    return ReviewThresholds.objects.create(
        organization=atlas, least_change_cents=0, block_jump_percent=50, block_change_cents=1
    )


@pytest.fixture
def jump(atlas: Organization, strict: ReviewThresholds) -> Invoice:
    """October's draft: 300.00 after a September of 100.00."""
    consume(atlas, quantity=10_000, on="2026-09-03")
    close_and_issue("2026-09")
    consume(atlas, quantity=30_000, on="2026-10-03")
    close("2026-10")
    return invoice_of(atlas, "2026-10")


def findings_of(organization: Organization, month: str) -> list[Finding]:
    return stored_findings(invoice_of(organization, month).review_notes)


def codes_of(organization: Organization, month: str) -> list[str]:
    return [f"{finding.severity} {finding.code}" for finding in findings_of(organization, month)]


def acknowledge(invoice: Invoice, *, role: str = "Accountant", **changed: str) -> Acknowledgement:
    """Acknowledge the gravest finding of a draft as it is stored."""
    invoice.refresh_from_db()
    first, *_ = stored_findings(invoice.review_notes)
    asked = {"finding": first.digest, "reason": "A load test, agreed with the customer", "seen": invoice.fingerprint}
    return acknowledge_finding(invoice_id=invoice.pk, **{**asked, **changed}, actor=make_staff(role), at=NOVEMBER_3)


# --- What is found ----------------------------------------------------------------------------------------------------


def test_ordinary_months_are_issued_without_anybody_looking(atlas: Organization) -> None:
    others = [make_organization(external_id=f"orga_{number}", opened_on=date(2026, 6, 1)) for number in range(3)]
    for number, month in enumerate(["2026-07", "2026-08", "2026-09", "2026-10"]):
        for factor, organization in enumerate([atlas, *others], start=1):
            # grows, stays, jumps and drops by amounts that happen
            consume(organization, quantity=10_000 + 20_000 * ((number * factor) % 4), on=f"{month}-03")
        close_and_issue(month)

    assert not Invoice.objects.exclude(document_state="issued").exists()
    assert not Invoice.objects.exclude(open_findings=0).exists()


def test_the_first_invoice_says_so_whatever_was_nil_before(atlas: Organization) -> None:
    close("2026-09")
    consume(atlas, quantity=100, on="2026-10-03")
    close_and_issue("2026-10")
    consume(atlas, quantity=100, on="2026-11-03")
    close("2026-11")

    assert codes_of(atlas, "2026-10") == ["info first_invoice"]
    assert codes_of(atlas, "2026-11") == []


def test_three_months_are_compared_whatever_the_estimate_looks_at(atlas: Organization) -> None:
    for month, quantity in [("2026-07", 90_000), ("2026-08", 10_000), ("2026-09", 20_000), ("2026-10", 30_000)]:
        consume(atlas, quantity=quantity, on=f"{month}-03")
        if month != "2026-10":
            close_and_issue(month)
    close("2026-10")
    first = letters_of(bill_of(atlas, "2026-10"), "f")
    assert findings_of(atlas, "2026-10") == []  # the mean is (900.00 + 100.00 + 200.00) / 3 = 400.00

    consume(atlas, quantity=50_000, on="2026-10-04")  # 800.00
    close("2026-10")

    (jump,) = findings_of(atlas, "2026-10")
    assert jump == Finding("jump", "warning", {"own_cents": 800_00, "mean_cents": 400_00, "months": 3, "percent": 100})
    # one month, as ever
    assert (first, letters_of(bill_of(atlas, "2026-10"), "f")) == ("f -300.00", "f -800.00")


def test_months_of_one_organization_do_not_lengthen_the_estimate_of_another(atlas: Organization) -> None:
    other = make_organization(external_id="orga_other", opened_on=date(2026, 6, 1), forecast_months=3)
    for month in ("2026-08", "2026-09", "2026-10"):
        for organization, quantity in ((atlas, 10_000), (other, 20_000)):
            consume(organization, quantity=quantity * (2 if month == "2026-10" else 1), on=f"{month}-03")
        if month != "2026-10":
            close_and_issue(month)
    close("2026-10")

    assert letters_of(bill_of(atlas, "2026-10"), "f") == "f -200.00"
    assert letters_of(bill_of(other, "2026-10"), "f") == "f -266.67"  # (400.00 + 200.00 + 200.00) / 3


def test_a_negotiated_refill_that_ended_is_computed_again(atlas: Organization) -> None:
    atlas.negotiated_refill_cents, atlas.negotiated_refill_until = 5_00, date(2026, 10, 31)
    atlas.save()
    for month in ("2026-08", "2026-09"):
        consume(atlas, quantity=100, on=f"{month}-03")
        close_and_issue(month)

    # September's invoice provisions October, the last month of the agreement
    assert letters_of(bill_of(atlas, "2026-09"), "h") == "h 5.00"
    assert codes_of(atlas, "2026-09") == []
    consume(atlas, quantity=20_000, on="2026-10-03")
    close("2026-10")
    # f = 200.00; 10.00 of sold credits are pending
    assert letters_of(bill_of(atlas, "2026-10"), "f g h") == "f -200.00 g 10.00 h 190.00"
    assert codes_of(atlas, "2026-10") == ["warning jump", "warning refill_expired"]


def test_thresholds_of_an_organization_replace_those_of_everybody(atlas: Organization, jump: Invoice) -> None:
    assert codes_of(atlas, "2026-10") == ["blocking jump"]

    ReviewThresholds.objects.filter(organization=atlas).delete()
    close("2026-10")

    changed = invoice_of(atlas, "2026-10")
    assert codes_of(atlas, "2026-10") == ["warning jump"]
    # what is found belongs to the content of a draft
    assert (changed.open_findings, changed.fingerprint != jump.fingerprint) == (0, True)


def test_without_thresholds_in_the_database_the_usual_ones_count(atlas: Organization) -> None:
    ReviewThresholds.objects.all().delete()
    consume(atlas, quantity=100, on="2026-10-03")
    close_and_issue("2026-10")


# --- Acknowledging ----------------------------------------------------------------------------------------------------


def test_a_draft_with_an_open_finding_is_not_issued_and_nothing_is_written(atlas: Organization, jump: Invoice) -> None:
    consume(atlas, quantity=1, on="2026-10-04")  # the recomputation would change it
    before = everything_stored()

    report = issue("2026-10")

    assert why_not_issued(report) == {"orga_atlas": "1 finding is open: acknowledge or mend it first."}
    assert everything_stored() == before


def test_others_are_issued_beside_it(atlas: Organization, jump: Invoice) -> None:
    other = make_organization(external_id="orga_other")
    consume(other, quantity=100, on="2026-10-03")
    close("2026-10")

    report = issue("2026-10")

    assert (len(report.numbers), [refused.external_id for refused in report.not_issued]) == (1, ["orga_atlas"])


def test_an_acknowledged_finding_lets_the_draft_go(atlas: Organization, jump: Invoice) -> None:
    fingerprint = jump.fingerprint
    acknowledge(jump)

    jump.refresh_from_db()
    assert (jump.open_findings, jump.fingerprint) == (0, fingerprint)
    event = Event.objects.get(kind="finding.acknowledged")
    assert (event.actor, event.invoice, event.organization) == (make_staff("Accountant"), jump, atlas)
    assert (event.at, event.reason) == (NOVEMBER_3, "A load test, agreed with the customer")
    assert (event.values["code"], event.values["before"], event.values["after"]) == ("jump", 1, 0)
    assert len(issue("2026-10").numbers) == 1


def test_it_survives_a_refresh_that_does_not_change_the_finding(atlas: Organization, jump: Invoice) -> None:
    acknowledge(jump)
    atlas.negotiated_refill_cents = 1_00
    atlas.save()
    close("2026-10")

    changed = invoice_of(atlas, "2026-10")
    assert (changed.fingerprint != jump.fingerprint, changed.open_findings) == (True, 0)


def test_another_amount_is_another_finding(atlas: Organization, jump: Invoice) -> None:
    acknowledge(jump)
    consume(atlas, quantity=1, on="2026-10-04")

    # computed once more when issued: 300.01 instead of 300.00
    assert why_not_issued(issue("2026-10")) == {"orga_atlas": "1 finding is open: acknowledge or mend it first."}
    close("2026-10")
    assert invoice_of(atlas, "2026-10").open_findings == 1
    acknowledge(jump)
    assert len(issue("2026-10").numbers) == 1


def test_nobody_acknowledges_what_is_not_there_or_was_changed(atlas: Organization, jump: Invoice) -> None:
    before = everything_stored()
    refused = [
        (ChangedMeanwhile, {"seen": "0" * 32}),
        (UnableToAcknowledge, {"finding": "0" * 32}),
        (UnableToAcknowledge, {"reason": "  "}),
    ]
    for error, changed in refused:
        with pytest.raises(error):
            acknowledge(jump, **changed)
    before["User"] = everything_stored()["User"]
    assert everything_stored() == before


@pytest.mark.parametrize("role", ["Viewer", "Controller", "Auditor"])
def test_acknowledging_needs_the_permission(jump: Invoice, role: str) -> None:
    with pytest.raises(NotAllowed, match=r"billing\.adjust_invoice"):
        acknowledge(jump, role=role)
    assert not Acknowledgement.objects.exists()


def test_a_second_click_is_told_so(jump: Invoice) -> None:
    acknowledge(jump)
    with pytest.raises(UnableToAcknowledge, match="already"):
        acknowledge(jump)
    jump.refresh_from_db()
    acknowledged = Event.objects.filter(kind="finding.acknowledged")
    assert (jump.open_findings, acknowledged.count()) == (0, 1)


def test_an_issued_invoice_is_no_draft(jump: Invoice) -> None:
    acknowledge(jump)
    issue("2026-10")
    with pytest.raises(NotADraft):
        acknowledge(jump)


# --- Speed ------------------------------------------------------------------------------------------------------------


def test_issuing_takes_as_many_queries_for_all_as_for_two(atlas: Organization) -> None:
    others = [make_organization(opened_on=date(2026, 6, 1)) for _ in range(12)]
    counts = []
    for month, organizations in [("2026-08", others[:2]), ("2026-09", others)]:
        for organization in organizations:
            consume(organization, quantity=100, on=f"{month}-03")
        close(month)
        with CaptureQueriesContext(connection) as queries:
            issue(month)
        counts.append(len(queries))
    assert counts[0] == counts[1]
