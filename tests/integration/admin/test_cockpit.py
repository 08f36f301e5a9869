"""The cockpit of a month: how far it is, what can be done with all of it, how bulk work goes."""

from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from billing.models import ApprovalPolicy, BulkJob, CloseOutcome, Invoice, MonthClose
from billing.queries.cockpit import load_states
from billing.queries.dashboard import rises_and_falls
from billing.usecases.work_on_bulk_jobs import work_on_bulk_jobs
from organizations.models import BillingProfile, Organization
from tests.builders.closing import close, consume, local, make_metered_price
from tests.builders.desk import desk, make_staff
from tests.builders.four_eyes import approve
from tests.builders.invoices import make_invoice
from tests.builders.organizations import make_organization

pytestmark = pytest.mark.django_db

AT = local("2026-11-03")


@pytest.fixture(autouse=True)
def october() -> MonthClose:
    """Three drafts of 2.40 and a blocked organization."""
    make_metered_price()
    for number in range(4):
        organization = make_organization(
            external_id=f"orga_{number}", name=f"Customer {number}", opened_on=date(2026, 10, 1)
        )
        consume(organization, quantity=100, on="2026-10-03")
    BillingProfile.objects.filter(organization=organization).update(address="")
    close("2026-10")
    return MonthClose.objects.get()


def page_of(row: MonthClose | BulkJob | CloseOutcome, *, role: str = "Billing manager") -> str:
    response = desk(role).get(reverse(f"admin:billing_{row._meta.model_name}_change", args=[row.pk]))
    assert response.status_code == 200
    return response.content.decode()


def do(row: Any, action: str, *, client: Client | None = None, **data: str) -> Any:
    url = reverse(f"admin:billing_{row._meta.model_name}_do", args=[row.pk, action])
    return (client or desk()).post(url, data or {"confirmed": "1"}, headers={"HX-Request": "true"})


def test_max_issues_a_month_from_its_page(october: MonthClose) -> None:
    assert do(october, "issue").headers["HX-Redirect"] == reverse("admin:billing_monthclose_change", args=[october.pk])
    page = page_of(october)
    assert "every 2s" in page
    assert "0 / 3" in page

    work_on_bulk_jobs(at=AT)

    page = page_of(october)
    assert "every 2s" not in page
    assert "3 / 3" in page
    assert Invoice.objects.filter(document_state="issued").count() == 3


def test_the_numbers_lead_to_the_lists_that_they_count(october: MonthClose) -> None:
    Invoice.objects.filter(organization__external_id="orga_0").update(open_findings=1)
    Invoice.objects.filter(organization__external_id="orga_1").update(hold_reason="Wait.", open_findings=2)
    client = desk("Viewer")
    cells = client.get(reverse("admin:billing_monthclose_change", args=[october.pk])).context["state_cells"]
    numbers = {str(cell["label"]): cell["number"] for cell in cells}
    assert numbers == {
        "Drafts": 3,
        "Ready": 1,
        "Waiting for approval": 0,
        "To be reviewed": 1,
        "On hold": 1,
        "Blocked": 1,
        "Nothing to bill": 0,
        "Issued": 0,
        "Paid": 0,
    }
    for cell in cells:
        assert client.get(cell["url"]).context["cl"].result_count == cell["number"]


def test_what_only_lacks_an_approval_is_counted_apart_and_not_taken(october: MonthClose) -> None:
    ApprovalPolicy.objects.update(discount_cents=50)
    one, other, _ = Invoice.objects.order_by("id")
    for draft in (one, other):
        Organization.objects.filter(pk=draft.organization_id).update(
            consumption_discount_ppm=500_000, discount_author=make_staff("Accountant")
        )
    close("2026-10")
    client = desk()
    approve(other, make_staff("Controller"))

    cells = client.get(reverse("admin:billing_monthclose_change", args=[october.pk])).context["state_cells"]
    numbers = {str(cell["label"]): (cell["number"], cell["url"]) for cell in cells}
    assert (numbers["Drafts"][0], numbers["Ready"][0], numbers["Waiting for approval"][0]) == (3, 2, 1)
    for label in ("Ready", "Waiting for approval"):
        number, url = numbers[label]
        assert client.get(url).context["cl"].result_count == number
    dialog = client.get(reverse("admin:billing_monthclose_do", args=[october.pk, "issue"])).content.decode()
    assert "2 drafts are ready. 1 more waits for a second person." in dialog

    do(october, "issue")
    work_on_bulk_jobs(at=AT)
    assert [draft.pk for draft in Invoice.objects.filter(document_state="draft")] == [one.pk]


def test_large_totals_wait_until_somebody_else_approved_them(october: MonthClose) -> None:
    ApprovalPolicy.objects.update(invoice_total_cents=240)
    first = Invoice.objects.earliest("id")
    assert (load_states(date(2026, 10, 1)).ready, load_states(date(2026, 10, 1)).awaiting) == (0, 3)
    approve(first, make_staff("Controller"))
    assert (load_states(date(2026, 10, 1)).ready, load_states(date(2026, 10, 1)).awaiting) == (1, 2)
    BillingProfile.objects.update(city="Elsewhere")
    assert load_states(date(2026, 10, 1)).awaiting == 3


def test_a_blocked_organization_is_no_fall(october: MonthClose) -> None:
    for organization in Organization.objects.all():
        make_invoice(organization=organization, month=date(2026, 9, 1), fees_cents=500)
    _, falls = rises_and_falls(date(2026, 10, 1), 10)
    assert {mover.organization.external_id for mover in falls} == {"orga_0", "orga_1", "orga_2"}


def test_only_a_billing_manager_sees_the_buttons(october: MonthClose) -> None:
    for role in ("Viewer", "Accountant", "Controller", "Auditor"):
        assert "/do/issue/" not in page_of(october, role=role)
        assert do(october, "issue", client=desk(role)).status_code == 403
    assert "/do/issue/" in page_of(october)
    assert BulkJob.objects.count() == 0


def test_a_dialog_says_why_nothing_is_started(october: MonthClose) -> None:
    do(october, "issue")
    assert "The same work is under way already." in do(october, "issue").content.decode()
    response = do(october, "issue", issue_date="2026-13-01")
    assert "Enter a valid date." in response.content.decode()


def test_a_blocked_organization_is_retried_from_its_outcome(october: MonthClose) -> None:
    blocked = CloseOutcome.objects.get(kind="blocked")
    assert "/do/retry/" in page_of(blocked)
    BillingProfile.objects.filter(organization=blocked.organization_id).update(address="1 rue du Joli Cœur")

    do(blocked, "retry")
    work_on_bulk_jobs(at=AT)

    blocked.refresh_from_db()
    assert blocked.kind == "invoice"
    assert "/do/retry/" not in page_of(blocked)


def test_the_page_of_a_job_names_what_failed(october: MonthClose) -> None:
    do(october, "retry")
    work_on_bulk_jobs(at=AT)
    page = page_of(BulkJob.objects.get())
    assert "Customer 3" in page
    assert "The billing profile lacks: address." in page


def test_a_dry_run_shows_the_differences(october: MonthClose) -> None:
    consume(Organization.objects.get(external_id="orga_0"), quantity=50, on="2026-10-05")
    do(october, "preview")
    work_on_bulk_jobs(at=AT)
    page = page_of(BulkJob.objects.get())
    # 2.40 now, 150 seconds twice at 0.01 and 20 % VAT then
    assert "2.40 <span" in page
    assert "3.60 <span" in page
    assert "+1.20" in page


def test_a_second_person_approves_many_at_once(october: MonthClose) -> None:
    ApprovalPolicy.objects.update(bulk_count=2)
    do(october, "issue")
    job = BulkJob.objects.get()
    assert "/do/approve/" in page_of(job, role="Controller")
    assert "Nobody approves" in do(job, "approve", reason="Mine.").content.decode()
    assert work_on_bulk_jobs(at=AT) == 0

    assert do(job, "approve", client=desk("Controller"), reason="Looked at the totals.").status_code == 200
    assert work_on_bulk_jobs(at=AT) == 3


def test_the_cockpit_takes_as_many_queries_for_many_invoices_as_for_few(
    october: MonthClose, django_assert_max_num_queries: Any
) -> None:
    client = desk()
    url = reverse("admin:billing_monthclose_change", args=[october.pk])
    client.get(url)
    with django_assert_max_num_queries(40):
        client.get(url)
