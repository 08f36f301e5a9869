"""Where drafts stand: on hold, else to be reviewed, else waiting for a second person, else ready."""

from datetime import date

from django.db.models import F, Q, QuerySet

from billing.domain.approvals import Policy, why_invoice_needs_approval
from billing.models import Approval, Invoice, LegalEntity
from billing.queries.among import among
from billing.queries.approvals import load_authors, load_policy, printed_parties
from billing.queries.beside_drafts import load_beside, load_taken, payers_with_changes
from billing.queries.draft_checks import must_be_mended_ids

DRAFT = Q(document_state="draft")
ON_HOLD = DRAFT & ~Q(hold_reason="")


def to_review() -> Q:
    """Drafts, for lists, with open findings or an e-invoice that must be mended."""
    return DRAFT & Q(hold_reason="") & (Q(open_findings__gt=0) | Q(pk__in=must_be_mended_ids()))


def ready() -> Q:
    """Drafts, for lists, that wait for nothing but perhaps a second person."""
    return DRAFT & Q(hold_reason="", open_findings=0) & ~Q(pk__in=must_be_mended_ids())


def ready_drafts(month: date) -> QuerySet[Invoice]:
    """The invoices of a month (its first day) that are neither on hold nor to be reviewed."""
    return Invoice.objects.filter(ready(), consumption_month=month, kind=Invoice.Kind.INVOICE)


def awaiting_approval() -> Q:
    """The drafts of all months, for lists, that need a second person and have none."""
    drafts = Invoice.objects.filter(DRAFT, kind=Invoice.Kind.INVOICE).order_by()
    found = Q(pk__in=())
    for month in drafts.values_list("consumption_month", flat=True).distinct():
        found |= Q(pk__in=drafts_awaiting_approval(month).values("pk"))
    return found


def drafts_awaiting_approval(month: date) -> QuerySet[Invoice]:
    """Of the ready drafts of a month, those that need a second person and have none.

    A total is compared by the database, whatever the number of drafts; only what people touched is looked at one by
    one, in a fixed number of queries.
    """
    drafts = ready_drafts(month).order_by()
    seller = LegalEntity.objects.order_by("id").first()
    policy = Policy() if seller is None else load_policy(seller.pk)
    if seller is None or policy == Policy(bulk_count=policy.bulk_count):
        return drafts.none()
    large = Q(pk__in=())
    if policy.invoice_total_cents is not None:
        large = Q(total_cents__gte=policy.invoice_total_cents)
    needed = drafts.filter(large | among("id", _needed_by_hand(month, drafts, policy)))
    return needed.exclude(among("id", _approved(month, needed, seller)))


def _needed_by_hand(month: date, drafts: QuerySet[Invoice], policy: Policy) -> list[int]:
    payer_ids = payers_with_changes(month, policy)
    touched = dict(drafts.filter(among("organization", payer_ids)).values_list("organization_id", "id"))
    if not touched:
        return []
    beside = load_beside(month, load_taken(touched))
    return [
        touched[payer_id]
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
