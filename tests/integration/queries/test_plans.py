"""What PostgreSQL reads for the pages that finance opens all day, with 100,000 invoices a month (here a part of that).

A page that reads the whole table of invoices would take longer with every month that is closed.
"""

from datetime import UTC, date, datetime
from time import perf_counter
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.models import Approval, ApprovalPolicy, Invoice, LegalEntity, MonthClose
from billing.queries.approvals import printed_parties
from billing.queries.archive import count_due
from billing.queries.mails import count_due_mails, count_mails_to_decide
from billing.usecases.deliver_mail import deliver_mail
from billing.usecases.send_mail import send_mail
from billing.usecases.work_on_documents import work_on_documents
from organizations.admin._paginator import COUNTED_ROWS
from organizations.models import Organization
from tests.builders.archive import render_plainly
from tests.builders.desk import desk, make_staff
from tests.builders.invoices import make_invoice

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL explains its plans"),
]

ORGANIZATIONS, MONTHS = 4_000, 12
ALL_ORGANIZATIONS, FEW_MONTHS = 100_000, 3
NOW = datetime(2026, 12, 1, tzinfo=UTC)
# A dozen months of the same invoice for thousands of organizations: what matters here is only how many there are.
FILL = """
INSERT INTO organizations_organization
    (external_id, name, currency, opened_on, forecast_months, consumption_discount_ppm, payment_term_days, created_at)
    SELECT 'plan_' || n, 'Customer ' || n, 'EUR', '2025-01-01', 1, 0, 30, now() FROM generate_series(1, %(n)s) AS n;
INSERT INTO billing_invoice
    (kind, document_state, payment_state, legal_entity_id, organization_id, consumption_month, currency, number,
     counter, issue_date, due_date, issued_at, subtotal_cents, vat_cents, total_cents, paid_cents, fingerprint,
     review_notes, seller, buyer, created_at, computed_at)
    SELECT 'invoice', 'issued', CASE WHEN m = 0 AND o.id %% 2 = 0 THEN 'pending' ELSE 'paid' END, i.legal_entity_id,
           o.id, (date '2026-10-01' - make_interval(months => m))::date, 'EUR', 'P' || m || '-' || o.id,
           1000 + m * 1000000 + row_number() OVER (ORDER BY o.id), '2026-11-02', '2026-12-02', now(),
           o.id * (m + 1), 0, o.id * (m + 1), CASE WHEN m = 0 AND o.id %% 2 = 0 THEN 0 ELSE o.id * (m + 1) END,
           'x', '[]', i.seller, i.buyer, now(), now()
    FROM billing_invoice AS i, organizations_organization AS o, generate_series(0, %(months)s - 1) AS m
    WHERE i.id = %(invoice)s AND o.external_id LIKE 'plan\\_%%';
INSERT INTO billing_closeoutcome
    (close_id, month, organization_id, payer_id, kind, invoice_id, reason_code, reason_values, own_consumption_cents,
     settled_usage)
    SELECT c.id, '2026-10-01', i.organization_id, i.organization_id, 'invoice', i.id, '', '{}', 0, '[]'
    FROM billing_invoice AS i, billing_monthclose AS c WHERE i.fingerprint = 'x' AND i.consumption_month = '2026-10-01';
"""
FILL_ARCHIVE = """
INSERT INTO billing_archiveddocument
    (invoice_id, state, not_before, attempts, error, pdf_name, pdf_sha256, pdf_bytes, xml_name, xml_sha256, xml_bytes,
     rendered_at)
    SELECT id, 'stored', now(), 1, '', 'p', 'h', 1, 'x', 'h', 1, now() FROM billing_invoice WHERE fingerprint = 'x';
INSERT INTO billing_outgoingmail
    (kind, invoice_id, organization_id, recipient, number, language, state, attempts, not_before, try_until, error,
     message_id, created_at, sent_at)
    SELECT 'invoice', id, organization_id, 'a@example.org', 1, 'fr', 'sent', 1, now(), now(), '', '<' || id || '>',
           now(), now()
    FROM billing_invoice WHERE fingerprint = 'x';
ANALYZE billing_archiveddocument;
ANALYZE billing_outgoingmail;
"""


# Of the last month, as many are drafts again; a few of these are on hold or to be reviewed.
DRAFTS = """
INSERT INTO billing_invoice
    (kind, document_state, payment_state, legal_entity_id, organization_id, consumption_month, currency, subtotal_cents,
     vat_cents, total_cents, paid_cents, fingerprint, hold_reason, open_findings, review_notes, created_at, computed_at)
    SELECT kind, 'draft', 'pending', legal_entity_id, organization_id, '2026-11-01', currency, subtotal_cents,
           vat_cents, total_cents, 0, fingerprint, CASE WHEN organization_id %% 1000 = 0 THEN 'Wait' ELSE '' END,
           CASE WHEN organization_id %% 500 = 1 THEN 1 ELSE 0 END, '[]', now(), now()
    FROM billing_invoice WHERE fingerprint = 'x' AND consumption_month = '2026-10-01';
INSERT INTO billing_monthclose (legal_entity_id, month, run, started_at, finished_at)
    SELECT legal_entity_id, '2026-11-01', 1, now(), now() FROM billing_monthclose;
INSERT INTO billing_closeoutcome
    (close_id, month, organization_id, payer_id, kind, invoice_id, reason_code, reason_values, own_consumption_cents,
     settled_usage)
    SELECT c.id, c.month, i.organization_id, i.organization_id, 'invoice', i.id, '', '{}', 0, '[]'
    FROM billing_invoice AS i, billing_monthclose AS c
    WHERE i.document_state = 'draft' AND c.month = '2026-11-01';
"""
TABLES = ("billing_invoice", "billing_closeoutcome", "organizations_organization", "billing_monthclose")


def fill(organizations: int, months: int, *, more: str = "") -> None:
    invoice = make_invoice(fees_cents=1_000, status="pending", month=date(2026, 10, 1))
    values = {"n": organizations, "months": months, "invoice": invoice.pk}
    with connection.cursor() as cursor:
        cursor.execute(FILL + more, values)
        cursor.execute("; ".join(f"ANALYZE {table}" for table in TABLES))


@pytest.fixture
def many_invoices() -> MonthClose:
    fill(ORGANIZATIONS, MONTHS)
    return MonthClose.objects.get()


@pytest.fixture
def a_large_month() -> MonthClose:
    """100,000 drafts of November, as many issued invoices of each month before, and a policy for approvals.

    10,000 organizations have a discount that a person agreed on, and 1,000 drafts are approved.
    """
    fill(ALL_ORGANIZATIONS, FEW_MONTHS, more=DRAFTS)
    agreed = Organization.objects.annotate(rest=F("id") % 10).filter(rest=0)
    agreed.update(consumption_discount_ppm=1_000, discount_author=make_staff("Accountant"))
    drafts = Invoice.objects.filter(document_state="draft").annotate(rest=F("organization_id") % 100).filter(rest=1)
    payers = dict(drafts.values_list("organization_id", "id"))
    parties = printed_parties(payers, LegalEntity.objects.get())
    approver = make_staff("Controller")
    Approval.objects.bulk_create(
        Approval(invoice_id=id_, fingerprint="x", parties=parties[payer_id], approver=approver, approved_at=NOW)
        for payer_id, id_ in payers.items()
    )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")  # as autovacuum does: without it, an index says little of a table
    return MonthClose.objects.latest("month")


def plans_of(url: str) -> list[tuple[str, str]]:
    """Each query of a page that reads invoices, with its plan."""
    client = desk()
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return explain(captured, "billing_invoice")


def explain(captured: CaptureQueriesContext, table: str) -> list[tuple[str, str]]:
    """Each captured query that reads a table, with its plan."""
    found = []
    with connection.cursor() as cursor:
        for sql in [query["sql"] for query in captured if str(query["sql"]).startswith("SELECT")]:
            if table in sql:
                cursor.execute("EXPLAIN " + sql.replace("%", "%%"))
                found.append((sql, "\n".join(row[0] for row in cursor.fetchall())))
    return found


@pytest.mark.parametrize("page", ["cockpit", "invoices", "month", "overdue", "dashboard"])
def test_no_page_reads_all_invoices(page: str, many_invoices: MonthClose) -> None:
    invoices = reverse("admin:billing_invoice_changelist")
    urls: dict[str, Any] = {
        "cockpit": reverse("admin:billing_monthclose_change", args=[many_invoices.pk]),
        "invoices": invoices,
        "month": f"{invoices}?consumption_month__year=2026&consumption_month__month=10",
        "overdue": f"{invoices}?status=overdue",
        "dashboard": reverse("admin:index"),
    }
    plans = plans_of(urls[page])
    assert plans
    for sql, plan in plans:
        if f"LIMIT {COUNTED_ROWS + 1}" in sql:
            continue  # counting stops there, whichever rows it reads
        assert "Seq Scan on billing_invoice " not in plan, f"{sql}\n{plan}"


def measure(url: str) -> tuple[float, float, list[str]]:
    """The seconds that a page needs, of these its queries, and those of them that read all invoices."""
    client = desk()
    begin = perf_counter()
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    whole = perf_counter() - begin
    spent = sum(float(query["time"]) for query in captured)
    plans = explain(captured, "billing_invoice")
    return (
        whole,
        spent,
        [
            f"{sql}\n{plan}"
            for sql, plan in plans
            if "Seq Scan on billing_invoice " in plan and f"LIMIT {COUNTED_ROWS + 1}" not in sql
        ],
    )


def seconds_of_a_whole_look() -> float:
    """How long this machine needs now to read all invoices once: 0.1 seconds or less when it is quiet."""
    begin = perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(total_cents + paid_cents) FROM billing_invoice")
    return perf_counter() - begin


@pytest.mark.long
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_no_page_reads_all_invoices_of_100_000_a_month(a_large_month: MonthClose) -> None:
    invoices = reverse("admin:billing_invoice_changelist")
    november = f"{invoices}?consumption_month__year=2026&consumption_month__month=11"
    last = Invoice.objects.filter(document_state="issued").latest("counter")
    urls = {
        "list": invoices,
        "month": november,
        "on hold": f"{november}&status=on_hold",
        "overdue": f"{invoices}?status=overdue",
        "paid": f"{invoices}?status=paid",
        "by organization": f"{invoices}?organization__id__exact={last.organization_id}",
        "by number": f"{invoices}?q={last.number}",
        "by name": f"{invoices}?q=Customer+9999",
        "by total": f"{november}&o=8",
        "by due date": f"{invoices}?o=-11",
        "last page": f"{november}&p=200",
        "invoice": reverse("admin:billing_invoice_change", args=[last.pk]),
        "organization": reverse("admin:organizations_organization_change", args=[last.organization_id]),
        "payments": reverse("admin:billing_payment_changelist"),
    }
    waiting = {
        "cockpit": reverse("admin:billing_monthclose_change", args=[a_large_month.pk]),
        "issue": reverse("admin:billing_monthclose_do", args=[a_large_month.pk, "issue"]),
        "dashboard": reverse("admin:index"),
        "ready": f"{november}&status=ready",
        "awaiting": f"{november}&status=awaiting",
        "review": f"{november}&status=review",
    }
    few = dict.fromkeys(("invoice_total_cents",), 95_000)
    everything = dict.fromkeys(("invoice_total_cents", "manual_line_cents", "discount_cents", "credit_note_cents"), 1)
    slow: list[str] = []
    limit = max(1, 10 * seconds_of_a_whole_look())  # a second, on a machine that is not busy with something else
    for name, policy, pages in (("few", few, urls | waiting), ("all", everything, waiting)):
        ApprovalPolicy.objects.update(**policy)
        for page, url in pages.items():
            whole, seconds, reading = measure(url)
            print(f"{name:<5}{page:<16}{whole * 1000:>8.0f} ms, {seconds * 1000:>8.0f} ms of SQL")  # noqa: T201  # for -s
            slow += [f"{name} {page}: {plan}" for plan in reading]
            if seconds > limit:
                slow.append(f"{name} {page}: {seconds:.2f} s of SQL")
    assert slow == []


def test_workers_find_what_is_due_without_reading_what_is_done(many_invoices: MonthClose) -> None:
    with connection.cursor() as cursor:
        cursor.execute(FILL_ARCHIVE)
    at = datetime(2026, 11, 2, tzinfo=UTC)

    with CaptureQueriesContext(connection) as captured:
        assert count_due(at, most=5) == 1
        assert work_on_documents(render=render_plainly, at=at).stored == 1
        assert send_mail(send=deliver_mail, at=at) is None
        assert count_due_mails(at, most=5) == 0
        assert count_mails_to_decide() == {}

    for table in ("billing_archiveddocument", "billing_outgoingmail"):
        plans = explain(captured, table)
        assert plans
        for sql, plan in plans:
            assert f"Seq Scan on {table} " not in plan, f"{sql}\n{plan}"
