"""How the account of an organization stands."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Q, Sum

from billing.models import AddOn, CloseOutcome, CreditGrant, Invoice, Payment
from billing.queries.invoices import LEFT_CENTS
from billing.queries.payments import unallocated_on_account
from organizations.models import Organization


@dataclass(frozen=True)
class Account:
    """Credits, debts and latest invoices of one organization; cents in its currency."""

    organization: Organization
    free_cents: int
    prepaid_cents: int
    pending_cents: int
    unpaid_invoices: int
    due_cents: int
    overdue_cents: int
    unallocated_cents: int
    invoices: Sequence[Invoice]
    last_outcome: CloseOutcome | None
    children: Sequence[Organization]


def load_account(organization_id: int, *, today: date, invoices: int = 6) -> Account | None:
    """Load an account in seven queries; None for an organization that does not exist."""
    organization = Organization.objects.select_related("parent").filter(pk=organization_id).first()
    if organization is None:
        return None
    return Account(
        organization=organization,
        **_credits(organization_id),
        **_debts(organization_id, today),
        unallocated_cents=unallocated_on_account(organization_id),
        invoices=list(
            Invoice.objects.filter(organization=organization_id)
            .exclude(document_state="discarded")
            .order_by("-consumption_month", "-id")[:invoices]
        ),
        last_outcome=CloseOutcome.objects.filter(organization=organization_id).order_by("-month").first(),
        children=list(organization.children.order_by("name")[:50]),
    )


def fixed_currencies(organization_ids: Collection[int]) -> Mapping[int, str]:
    """Of these organizations, those whose currency cannot change any more, and why, as the end of a sentence."""
    reasons: dict[int, str] = {}
    for rows, reason in (
        (AddOn.objects.all(), "it has add-ons in that currency"),
        (Payment.objects.all(), "it has paid in that currency"),
        (CreditGrant.objects.all(), "credits were granted in that currency"),
        (Invoice.objects.exclude(document_state="discarded"), "it has invoices in that currency"),
    ):
        found = rows.filter(organization__in=organization_ids).order_by().values_list("organization_id", flat=True)
        reasons.update(dict.fromkeys(found.distinct(), reason))
    return reasons


def _credits(organization_id: int) -> dict[str, int]:
    state, kind = CreditGrant.State, CreditGrant.Type
    return CreditGrant.objects.filter(organization=organization_id).aggregate(
        free_cents=Sum("remaining_cents", filter=Q(type=kind.FREE), default=0),
        prepaid_cents=Sum("remaining_cents", filter=Q(type=kind.PREPAID), default=0),
        pending_cents=Sum("pending_cents", filter=Q(state=state.PENDING), default=0),
    )


def _debts(organization_id: int, today: date) -> dict[str, int]:
    unpaid = Invoice.objects.filter(
        organization=organization_id, document_state="issued", payment_state="pending", kind=Invoice.Kind.INVOICE
    )
    return unpaid.aggregate(
        unpaid_invoices=Count("*"),
        due_cents=Sum(LEFT_CENTS, default=0),
        overdue_cents=Sum(LEFT_CENTS, filter=Q(due_date__lt=today), default=0),
    )
