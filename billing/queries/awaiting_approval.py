"""Drafts that nothing keeps from being issued but the yes of a second person."""

from datetime import date

from django.db.models import F, Q, QuerySet

from billing.domain.approvals import Policy, why_invoice_needs_approval
from billing.models import Approval, Invoice, LegalEntity
from billing.queries.approvals import load_authors, load_policy, printed_parties
from billing.queries.beside_drafts import load_beside, load_taken, payers_with_changes


def ready_drafts(month: date) -> QuerySet[Invoice]:
    """The drafts of a month that are neither on hold nor to be reviewed."""
    return Invoice.objects.filter(
        consumption_month=month, document_state="draft", kind=Invoice.Kind.INVOICE, hold_reason="", open_findings=0
    )


def drafts_awaiting_approval(month: date) -> QuerySet[Invoice]:
    """Of the ready drafts of a month, those that need a second person and have none.

    A total is compared by the database, whatever the number of drafts; only what people touched is looked at one by
    one, in a fixed number of queries.
    """
    ready = ready_drafts(month)
    seller = LegalEntity.objects.order_by("id").first()
    policy = Policy() if seller is None else load_policy(seller.pk)
    if seller is None or policy == Policy(bulk_count=policy.bulk_count):
        return ready.none()
    large = Q(pk__in=())
    if policy.invoice_total_cents is not None:
        large = Q(total_cents__gte=policy.invoice_total_cents)
    needed = ready.filter(large | Q(pk__in=_needed_by_hand(month, ready, policy)))
    return needed.exclude(pk__in=_approved(month, needed, seller))


def _needed_by_hand(month: date, ready: QuerySet[Invoice], policy: Policy) -> list[int]:
    touched = ready.filter(organization__in=payers_with_changes(month)).order_by()
    drafts = dict(touched.values_list("organization_id", "id"))
    if not drafts:
        return []
    beside = load_beside(month, load_taken(drafts))
    return [
        drafts[payer_id]
        for payer_id, done in beside.items()
        if why_invoice_needs_approval(
            policy, total_cents=0, lines=done.lines, given_credits_cents=done.given_credits_cents
        )
    ]


def _approved(month: date, needed: QuerySet[Invoice], seller: LegalEntity) -> list[int]:
    """Those that somebody who did not change them has approved as they are now."""
    of_content = Approval.objects.filter(invoice__in=needed, fingerprint=F("invoice__fingerprint"))
    rows = list(of_content.order_by().values_list("invoice_id", "invoice__organization_id", "parties", "approver_id"))
    if not rows:
        return []
    drafts = {payer_id: id_ for id_, payer_id, *_ in rows}
    beside = load_beside(month, load_taken(drafts))
    authors, parties = load_authors(month, drafts), printed_parties(drafts, seller)
    return [
        id_
        for id_, payer_id, approved_parties, approver_id in rows
        if approved_parties == parties[payer_id]
        and approver_id not in authors.get(payer_id, frozenset()) | beside[payer_id].authors
    ]
