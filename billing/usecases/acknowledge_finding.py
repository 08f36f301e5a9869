"""Acknowledge a blocking finding: the draft may be issued all the same, and here is why."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_noop as _

from billing.domain.review import Finding, stored_findings
from billing.models import Acknowledgement, Invoice
from billing.usecases._drafts import lock_draft
from billing.usecases._events import NewEvent, record_event
from billing.usecases._permissions import require
from organizations.models import User


class UnableToAcknowledge(Exception):
    """Nothing was acknowledged; the message says why."""


@transaction.atomic
def acknowledge_finding(
    *, invoice_id: int, finding: str, reason: str, seen: str, actor: User | None, at: datetime
) -> Acknowledgement:
    """Acknowledge the blocking finding with this digest on a draft, for a reason.

    It holds for the organization's month as long as the finding has the same values: refreshing the draft keeps it.
    `seen` is the fingerprint of the draft that the person looked at; acknowledging does not change it.

    Raises NotAllowed, NotADraft, ChangedMeanwhile and UnableToAcknowledge.
    """
    require(actor, "billing.adjust_invoice")
    if not reason.strip():
        raise UnableToAcknowledge(_("Say why the invoice may be issued all the same."))
    invoice = lock_draft(invoice_id=invoice_id, seen=seen)
    found = _find(invoice, finding)
    acknowledgement, is_new = Acknowledgement.objects.get_or_create(
        organization_id=invoice.organization_id,
        month=invoice.consumption_month,
        finding=finding,
        defaults={"code": found.code, "reason": reason.strip(), "author": actor, "created_at": at},
    )
    if not is_new:
        raise UnableToAcknowledge(_("Somebody has acknowledged this finding already."))
    before = invoice.open_findings
    invoice.open_findings = before - 1
    invoice.save(update_fields=("open_findings",))
    values = {"code": found.code, "values": found.values, "before": before, "after": invoice.open_findings}
    record_event(
        NewEvent("finding.acknowledged", invoice.organization_id, invoice.pk, values, acknowledgement.reason),
        actor=actor,
        at=at,
    )
    return acknowledgement


def _find(invoice: Invoice, finding: str) -> Finding:
    for found in stored_findings(invoice.review_notes):
        if found.severity == "blocking" and not found.is_conflict and found.digest == finding:
            return found
    raise UnableToAcknowledge(_("The draft has no such finding that keeps it from being issued."))
