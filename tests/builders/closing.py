"""Months as the platform lives them: usage comes in, the month is closed, issued and paid, finance reads the export.

Everything here goes through the use cases; only what no use case offers yet is written to the tables.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count

from django.apps import apps

from billing.domain.periods import Month
from billing.domain.quantities import MICRO
from billing.models import (
    AddOn,
    AddOnPlan,
    AddOnPlanPrice,
    Charge,
    CloseOutcome,
    CreditGrant,
    Invoice,
    Meter,
    Price,
    PriceTier,
    Resource,
)
from billing.queries.close_reports import CloseReport
from billing.queries.exports import ExportedDocument, export_documents
from billing.queries.months import billing_zone
from billing.queries.reasons import reason_sentence
from billing.queries.verification import PROMISES
from billing.usecases.close_month import close_month
from billing.usecases.issue_invoices import IssueReport, issue_invoices
from billing.usecases.record_payment import record_payment
from billing.usecases.record_usage import NewUsage, record_usage
from organizations.models import Organization, User
from tests.builders.usage import make_resource

_serial = count(1)


def month(text: str) -> Month:
    """ "2026-10" where the legal entity is."""
    return Month.parse(text, billing_zone())


def local(text: str) -> datetime:
    """The instant of "2026-10-15" or "2026-10-15 12:00" where the legal entity is."""
    return datetime.fromisoformat(text).replace(tzinfo=billing_zone())


def make_metered_price(
    *,
    code: str = "apps.S",
    unit: str = "second",
    zone: str = "",
    per_quantity: int = 1,
    unit_price: str = "0.01",
    tiers: Sequence[tuple[int | None, str]] = (),
    mode: str = "graduated",
    package: int | None = None,
    bounds_per_hour: bool = False,
    organization: Organization | None = None,
    valid_from: datetime | None = None,
    valid_to: datetime | None = None,
) -> Price:
    """Store a price and its meter if need be: 0.01 a second from ever unless told otherwise.

    A version that begins ends the one before, as the use case that sets prices does.
    """
    meter, _ = Meter.objects.get_or_create(code=code, defaults={"name": code, "unit": unit, "category": "runtime"})
    if valid_from is not None:
        Price.objects.filter(meter=meter, zone=zone, organization=organization, valid_to=None).update(
            valid_to=valid_from
        )
    price = Price.objects.create(
        meter=meter,
        zone=zone,
        currency="EUR",
        organization=organization,
        valid_from=valid_from,
        valid_to=valid_to,
        per_quantity_micro=per_quantity * MICRO,
        package_micro=None if package is None else package * MICRO,
        mode=mode,
        bounds_per_hour=bounds_per_hour,
    )
    for position, (up_to, tier_price) in enumerate(tiers or [(None, unit_price)], start=1):
        PriceTier.objects.create(
            price=price,
            position=position,
            up_to_micro=None if up_to is None else up_to * MICRO,
            unit_price=Decimal(tier_price),
        )
    return price


def consume(
    organization: Organization,
    *,
    quantity: str | int,
    on: str,
    until: str | None = None,
    meter: str = "apps.S",
    zone: str = "par",
    resource: Resource | None = None,
    at: datetime | None = None,
) -> None:
    """Record usage that starts at `on` and lasts an hour unless `until` says otherwise; received at its end."""
    resource = resource or the_resource_of(organization)
    start = local(on)
    end = local(until) if until else start + timedelta(hours=1)
    record = NewUsage(
        source="scaler",
        event_id=f"closing-{next(_serial)}",
        organization=organization.external_id,
        resource=resource.external_id,
        meter=meter,
        start=start,
        end=end,
        quantity=str(quantity),
        zone=zone,
    )
    recorded = record_usage(records=[record], at=at or end)
    assert recorded.rejected == []


def the_resource_of(organization: Organization) -> Resource:
    """The organization's first resource, stored if there is none: it is named after the organization."""
    found = Resource.objects.filter(organization=organization).order_by("id").first()
    return found or make_resource(
        organization=organization, external_id=f"app_{organization.external_id}", name=organization.name.lower()
    )


def make_plan(
    *, code: str = "support", monthly_cents: int = 49_00, prices: Sequence[tuple[date | None, int]] | None = None
) -> AddOnPlan:
    """Store an add-on plan; `prices` are (valid from, cents a month), one of 49.00 from ever by default."""
    plan = AddOnPlan.objects.create(code=code, name=code.title())
    for valid_from, cents in [(None, monthly_cents)] if prices is None else prices:
        AddOnPlanPrice.objects.create(plan=plan, valid_from=valid_from, monthly_price_cents=cents)
    return plan


def make_add_on(
    *,
    organization: Organization,
    plan: AddOnPlan,
    name: str = "Support",
    started_on: date = date(2026, 9, 12),
    ended_on: date | None = None,
    quantity: int = 1,
) -> AddOn:
    """Store a subscription that was never billed."""
    return AddOn.objects.create(
        external_id=f"addon_{next(_serial)}",
        organization=organization,
        plan=plan,
        name=name,
        started_on=started_on,
        ended_on=ended_on,
        quantity=quantity,
    )


def make_charge(
    *,
    organization: Organization,
    day: date = date(2026, 10, 20),
    quantity: int = 1,
    unit_cents: int = 800_00,
    type: str = "one_shot",  # noqa: A002  # the model's word
    description: str = "Database migration",
) -> Charge:
    """Store a charge that no invoice has taken."""
    return Charge.objects.create(
        reference=f"CH-{next(_serial)}",
        organization=organization,
        type=type,
        description=description,
        quantity_micro=quantity * MICRO,
        unit_price_micro=unit_cents * 10_000,
        date=day,
    )


def close(text: str, *organizations: Organization, at: datetime | None = None, dry_run: bool = False) -> CloseReport:
    """Close a month three hours after its end, for these organizations or everybody."""
    closed = month(text)
    ids = [organization.external_id for organization in organizations] or None
    return close_month(month=closed, at=at or closed.end + timedelta(hours=3), organization_ids=ids, dry_run=dry_run)


def issue(
    text: str,
    *organizations: Organization,
    at: datetime | None = None,
    on: date | None = None,
    actor: User | None = None,
) -> IssueReport:
    """Issue a month's drafts at noon of the day after its end, of these organizations or of everybody."""
    issued = month(text)
    ids = [organization.external_id for organization in organizations] or None
    return issue_invoices(
        month=issued, at=at or issued.end + timedelta(hours=12), issue_date=on, organization_ids=ids, actor=actor
    )


def why_not_issued(report: IssueReport) -> dict[str, str]:
    """The sentence of each organization whose draft was not issued."""
    return {
        refused.external_id: reason_sentence(refused.reason.code, refused.reason.values)
        for refused in report.not_issued
    }


def everything_stored() -> dict[str, list[dict[str, object]]]:
    """Every row of billing and organizations: equal before and after when nothing was written."""
    models = [*apps.get_app_config("billing").get_models(), *apps.get_app_config("organizations").get_models()]
    return {model.__name__: list(model._base_manager.order_by("pk").values()) for model in models}


def close_and_issue(text: str) -> None:
    """Close a month and issue it, for everybody; nobody may be blocked."""
    assert close(text).blocked == 0
    assert issue(text).not_issued == []


def pay(invoice: Invoice, *, cents: int | None = None, at: datetime | None = None) -> None:
    """Record a payment of what is due (or of `cents`) for an issued invoice, four days after its issue."""
    assert invoice.issued_at is not None
    at = at or invoice.issued_at + timedelta(days=4)
    record_payment(
        reference=f"PAY-closing-{next(_serial)}",
        organization_id=invoice.organization_id,
        amount_cents=invoice.total_cents - invoice.paid_cents if cents is None else cents,
        date=at.astimezone(billing_zone()).date(),
        method="bank_transfer",
        invoice_number=invoice.number,
        actor=None,
        at=at,
    )


def invoice_of(organization: Organization, text: str) -> Invoice:
    """The live invoice of a month, draft or issued; not one that is replaced."""
    return Invoice.objects.exclude(document_state="discarded").get(
        organization=organization, consumption_month=month(text).first_day, kind="invoice", released=False
    )


def outcome_of(organization: Organization, text: str) -> CloseOutcome:
    """What the close of a month made of an organization."""
    return CloseOutcome.objects.get(organization=organization, month=month(text).first_day)


def why_blocked(organization: Organization, text: str) -> str:
    """The sentence that says why an organization is blocked."""
    outcome = outcome_of(organization, text)
    assert outcome.kind == "blocked", outcome.kind
    return reason_sentence(outcome.reason_code, outcome.reason_values)


def bill_of(organization: Organization, text: str) -> ExportedDocument:
    """A month's invoice as it is exported."""
    return next(
        document for document in export_documents(month(text)) if document.organization == organization.external_id
    )


def lines_of(document: ExportedDocument) -> list[str]:
    """The printed lines: kind, period and net amount, such as "provision 2026-11 10.00"."""
    return [f"{line.kind} {_period(line.period_start, line.period_end)} {line.net_amount}" for line in document.lines]


def usage_of(document: ExportedDocument) -> list[str]:
    """The usage details: month, resource, meter, quantity and amount; the discount without resource and quantity."""
    return [
        f"{line.month} {line.resource} {line.meter} {line.quantity} {line.amount}"
        if line.resource
        else f"{line.month} {line.meter} {line.amount}"
        for line in document.usage
    ]


def letters_of(document: ExportedDocument, letters: str) -> str:
    """Some of the statement's letters with their amounts, in the order asked for: "a 0.00 b 691.35"."""
    assert document.statement is not None
    return " ".join(f"{letter} {document.statement[letter]}" for letter in letters.split())


def remaining_of(grant: CreditGrant) -> int:
    """What is left of a grant, in cents."""
    grant.refresh_from_db()
    return grant.remaining_cents


def broken_promises() -> list[str]:
    """What `verify` would name."""
    return [f"{subject}: {sentence}" for promise in PROMISES for subject, sentence in promise.find()]


def _period(start: date, end: date) -> str:
    is_month = start.day == 1 and end == (start.replace(day=28) + timedelta(days=4)).replace(day=1)
    if is_month:
        return f"{start:%Y-%m}"
    return f"{start}" if end - start == timedelta(days=1) else f"{start}..{end}"
