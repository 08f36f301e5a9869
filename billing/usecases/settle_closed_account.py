"""Settle a closed account: credit the refills that nobody paid, refund the prepaid credits that nobody used."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from msgspec import Struct

from billing.formatting import format_month
from billing.models import CreditGrant, Invoice, InvoiceLine
from billing.queries.closed_accounts import is_account_over
from billing.queries.crediting import draft_credit_note
from billing.usecases._accounts import check_reason, lock_invoice
from billing.usecases._credit_gate import may_be_issued
from billing.usecases._credit_issuing import issue_note
from billing.usecases._credit_notes import BeingCredited, OverTheLimit, UnableToCredit
from billing.usecases._events import NewEvent, record_event
from billing.usecases._permissions import require
from billing.usecases.prepare_credit_note import draft_note
from organizations.models import Organization, User

__all__ = [
    "AccountNotOver",
    "BeingCredited",
    "OverTheLimit",
    "SettledAccount",
    "UnableToCredit",
    "settle_closed_account",
]


class AccountNotOver(UnableToCredit):
    """The account is open, or its last month is not billed yet."""


class SettledAccount(Struct, frozen=True):
    """The credit notes that were issued, those that wait for a second person or a check, and grants to refund by hand.

    The latter are prepaid credits that no invoice here sold: no credit note can take them back.
    """

    issued: Sequence[Invoice]
    waiting: Sequence[Invoice]
    unsold: Sequence[CreditGrant]


@transaction.atomic
def settle_closed_account(*, organization_id: int, reason: str, actor: User | None, at: datetime) -> SettledAccount:
    """Take back the prepaid credits of an account whose last month is issued or nil, by credit notes on their invoices.

    Each at the VAT rate at which they were sold. Money that was paid for them is unallocated then, to be refunded.
    Calling it again issues what has been approved or checked meanwhile, and else changes nothing.

    Raises subclasses of UnableToSettle, with a sentence, and NotAllowed; then nothing is written.
    """
    require(actor, "billing.credit_invoice")
    reason = check_reason(reason)
    organization = _lock(organization_id)
    grants = _prepaid_credits(organization)
    issued: list[Invoice] = []
    waiting: list[Invoice] = []
    for grant in grants:
        if grant.sold_by_id is not None:
            invoice = lock_invoice(grant.sold_by_id)
            note = _note(invoice, grant, reason, actor, at)
            if may_be_issued(note, actor):
                issue_note(note, invoice, actor=actor, at=at)
                issued.append(note)
            else:
                waiting.append(note)
    settled = SettledAccount(issued, waiting, [grant for grant in grants if grant.sold_by_id is None])
    if issued or waiting:
        record_event(_event(organization, settled, reason), actor=actor, at=at)
    return settled


def _lock(organization_id: int) -> Organization:
    """Take the account with its sub-organizations, in the order in which closes take them."""
    tree = Organization.objects.select_for_update(no_key=True).filter(Q(pk=organization_id) | Q(parent=organization_id))
    accounts = {row.pk: row for row in tree.order_by("pk")}
    organization = accounts.get(organization_id)
    if organization is None:
        raise UnableToCredit(_("This organization does not exist."))
    if organization.closed_on is None:
        raise AccountNotOver(_("%(organization)s is not closed.") % {"organization": organization})
    if not is_account_over(organization):
        raise AccountNotOver(
            _("The last month of %(organization)s is not billed yet: close and issue %(month)s first.")
            % {"organization": organization, "month": format_month(organization.closed_on)}
        )
    return organization


def _prepaid_credits(organization: Organization) -> list[CreditGrant]:
    """What is pending or unused, with that of sub-organizations that were closed no later; oldest first."""
    owners = Q(organization=organization) | Q(
        organization__parent=organization, organization__closed_on__lte=organization.closed_on
    )
    left = Q(remaining_cents__gt=0) | Q(state=CreditGrant.State.PENDING)
    return list(CreditGrant.objects.filter(owners, left, type=CreditGrant.Type.PREPAID).order_by("pk"))


def _note(invoice: Invoice, grant: CreditGrant, reason: str, actor: User | None, at: datetime) -> Invoice:
    """The draft that takes back what is left of a grant: one that waits for approval, or a new one."""
    line_id = invoice.lines.get(kind=InvoiceLine.Kind.PROVISION).pk
    amounts = {line_id: grant.remaining_cents + grant.pending_cents}
    note = draft_credit_note(invoice.pk)
    if note is None:
        return draft_note(invoice, amounts, reason=reason, actor=actor, at=at)
    if dict(note.lines.order_by().values_list("credited_line_id", "net_cents")) != amounts:
        raise BeingCredited(
            _("Another credit note for invoice %(invoice)s is being prepared: issue or discard it first.")
            % {"invoice": invoice}
        )
    return note


def _event(organization: Organization, settled: SettledAccount, reason: str) -> NewEvent:
    values = {
        "credit_notes": [note.number for note in settled.issued],
        "cents": sum(note.total_cents for note in settled.issued),
        "waiting_cents": sum(note.total_cents for note in settled.waiting),
        "by_hand_cents": sum(grant.remaining_cents for grant in settled.unsold),
        "currency": organization.currency,
    }
    return NewEvent("account.settled", organization.pk, None, values, reason)
