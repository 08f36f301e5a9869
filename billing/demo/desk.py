"""What the finance team does about the invoices of customers with a story: fiona, max and clara, on the day they did.

Each scene happens once: an invoice that one of the team has touched is left as it is.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import NamedTuple

from auditlog.context import set_actor
from django.db import transaction

from billing.demo.months import LAST, FourMonths, office_hour
from billing.demo.people import staff
from billing.demo.story import CAST, organization_id
from billing.domain.adjustments import line_key
from billing.domain.approvals import Policy
from billing.domain.review import Thresholds, stored_findings
from billing.models import Event, Invoice, Payment
from billing.queries.months import local_day, month_of
from billing.usecases.acknowledge_finding import acknowledge_finding
from billing.usecases.adjust_invoice import AddedLine, Change, Discount, DueDate, Note, adjust_invoice
from billing.usecases.hold_invoice import hold_invoice
from billing.usecases.issue_credit_note import issue_credit_note
from billing.usecases.prepare_credit_note import prepare_credit_note
from billing.usecases.record_chargeback import record_chargeback
from billing.usecases.set_approval_policy import set_approval_policy
from billing.usecases.set_review_thresholds import set_review_thresholds
from billing.usecases.write_off_invoice import write_off_invoice

LIMITS = Policy(
    invoice_total_cents=1_000_000,
    manual_line_cents=100_000,
    discount_cents=10_000,
    credit_note_cents=50_000,
    bulk_count=1_000,
)
"""From here on a second person approves."""

EVERYBODY = Thresholds(block_jump_percent=900)
"""A jump to more than ten times as much is looked at before anything is issued."""

LAUNCH = Thresholds(block_jump_percent=50, block_change_cents=50_000)
"""For the customer whose launch is announced: clara wants somebody to have looked."""

A_SCENE = timedelta(minutes=12)

PAYMENT_DAYS = 45
"""What the team agreed with the cast, instead of its payment term."""


def _expect_launch(invoice: Invoice, at: datetime) -> None:
    clara = staff("clara")
    with set_actor(clara):
        set_review_thresholds(organization_id=None, thresholds=EVERYBODY, actor=clara)
        set_review_thresholds(organization_id=invoice.organization_id, thresholds=LAUNCH, actor=clara)


def _charge_back(invoice: Invoice, at: datetime) -> None:
    payment = Payment.objects.get(allocations__invoice=invoice, allocations__undone_at=None)
    record_chargeback(
        payment_id=payment.pk,
        reference=f"R-{payment.reference}",
        date=local_day(at),
        reason="The bank took the transfer back: the account it came from is closed",
        actor=staff("fiona"),
        at=at,
    )


def _credit(invoice: Invoice, at: datetime) -> None:
    """A part of a service that is paid already: the money waits on the account."""
    service = invoice.lines.get(kind="custom_service")
    note = prepare_credit_note(
        invoice_id=invoice.pk,
        amounts={service.pk: 10_000},
        reason="Two days without the managed operations that you ordered",
        actor=staff("max"),
        at=at,
    )
    issue_credit_note(credit_note_id=note.pk, seen=note.fingerprint, actor=staff("max"), at=at)


def _write_off(invoice: Invoice, at: datetime) -> None:
    reason = "Three reminders without an answer; a collector would cost more than the invoice"
    write_off_invoice(invoice_id=invoice.pk, reason=reason, actor=staff("max"), at=at)


def _set_limits(invoice: Invoice, at: datetime) -> None:
    clara = staff("clara")
    with set_actor(clara):
        set_approval_policy(policy=LIMITS, actor=clara)


def _adjust(invoice: Invoice, at: datetime) -> None:
    """A line and a discount by hand; the discount is large enough to need a second person."""
    migration = line_key(invoice.lines.get(kind="one_shot"))
    due_on = local_day(at) + timedelta(days=PAYMENT_DAYS)
    note = "The migration of your catalogue took longer than we had promised. Thank you for your patience."
    changes: tuple[tuple[Change, str], ...] = (
        (
            AddedLine("Training on the new catalogue, half a day", 1_000_000, 450_000_000),
            "Ordered by e-mail on the 22nd, held on the 28th",
        ),
        (
            Discount(migration, percent_ppm=150_000, name="Goodwill for the delayed migration"),
            "Promised to Alice: the migration took two days longer than planned",
        ),
        (DueDate(due_on), "Agreed with Bob: it is paid together with the next one"),
        (Note(note), "Goes with the discount"),
    )
    seen = invoice.fingerprint
    for change, reason in changes:
        adjusted = adjust_invoice(
            organization_id=invoice.organization_id,
            month=month_of(invoice.consumption_month),
            change=change,
            reason=reason,
            seen=seen,
            actor=staff("fiona"),
            at=at,
        )
        seen = adjusted.effect.fingerprint


def _hold(invoice: Invoice, at: datetime) -> None:
    reason = "They doubt the usage of September that arrived late: wait for their answer"
    hold_invoice(invoice_id=invoice.pk, reason=reason, seen=invoice.fingerprint, actor=staff("fiona"), at=at)


def _acknowledge(invoice: Invoice, at: datetime) -> None:
    blocking = [found for found in stored_findings(invoice.review_notes) if found.severity == "blocking"]
    for found in blocking:
        acknowledge_finding(
            invoice_id=invoice.pk,
            finding=found.digest,
            reason="The ticket sale that they had announced; their own figures agree",
            seen=invoice.fingerprint,
            actor=staff("fiona"),
            at=at,
        )


class Scene(NamedTuple):
    """Something done about the invoice of a customer: `month` is the invoice's.

    It happens on a day of the month that follows `after`, once that month's invoices are issued and paid, or its drafts
    made. Nobody has touched the invoice before, unless the scene may be repeated.
    """

    customer: str
    month: int
    after: int
    day: int
    act: Callable[[Invoice, datetime], None]


SCENES = (
    Scene("Odyssée Prévoyance", 1, 1, 26, _credit),
    Scene("Polder Optiek", 0, 2, 26, _write_off),
    Scene("Scriptorium Numérique", 2, 2, 27, _charge_back),
    Scene("Kanopée Billetterie", 2, 2, 28, _expect_launch),
    Scene(CAST, 2, LAST, 2, _set_limits),
    Scene(CAST, LAST, LAST, 2, _adjust),
    Scene("Transports Ligérix", LAST, LAST, 2, _hold),
    Scene("Kanopée Billetterie", LAST, LAST, 2, _acknowledge),
)


def work(months: FourMonths, after: int, clock: Callable[[datetime], datetime]) -> None:
    """Play what the team does after a month; `clock` says when something happens that should at an instant."""
    for number, scene in enumerate(SCENES):
        if scene.after == after:
            day = months.months[after].next.first_day.replace(day=scene.day)
            at = clock(office_hour(day, months.first) + number * A_SCENE)
            _play(scene, months.months[scene.month].first_day, at)


@transaction.atomic
def _play(scene: Scene, month: date, at: datetime) -> None:
    invoices = Invoice.objects.filter(kind=Invoice.Kind.INVOICE, consumption_month=month)
    invoice = invoices.filter(organization__external_id=organization_id(scene.customer)).first()
    if invoice and not Event.objects.filter(invoice=invoice, actor__isnull=False).exists():
        scene.act(invoice, at)
