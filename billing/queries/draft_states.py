"""Where drafts stand: on hold, else to be reviewed, else waiting for a second person, else ready."""

from collections.abc import Collection
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


def ready_drafts(months: Collection[date]) -> QuerySet[Invoice]:
    """The invoices of months (their first days) that are neither on hold nor to be reviewed."""
    return Invoice.objects.filter(ready(), consumption_month__in=months, kind=Invoice.Kind.INVOICE)


def awaiting_approval() -> Q:
    """The drafts of all months, for lists, that need a second person and have none."""
    months = Invoice.objects.filter(DRAFT, kind=Invoice.Kind.INVOICE).order_by().values_list("consumption_month")
    return Q(pk__in=_awaiting_approval([month for (month,) in months.distinct()]).values("pk"))


def drafts_awaiting_approval(month: date) -> QuerySet[Invoice]:
    """Of the ready drafts of a month (its first day), those that need a second person and have none."""
    return _awaiting_approval([month])


def _awaiting_approval(months: Collection[date]) -> QuerySet[Invoice]:
    """The same of some months, in a fixed number of queries.

    A total is compared by the database, whatever the number of drafts; only what people touched is looked at one by
    one.
    """
    drafts = ready_drafts(months).order_by()
    seller = LegalEntity.objects.order_by("id").first()
    policy = Policy() if seller is None else load_policy(seller.pk)
    if seller is None or not months or policy == Policy(bulk_count=policy.bulk_count):
        return drafts.none()
    large = Q(pk__in=())
    if policy.invoice_total_cents is not None:
        large = Q(total_cents__gte=policy.invoice_total_cents)
    touched = drafts.filter(among("organization", payers_with_changes(months, policy)))
    needed = drafts.filter(large | among("id", _needed_by_hand(touched, policy)))
    return needed.exclude(among("id", _approved(needed, seller)))


def _needed_by_hand(touched: QuerySet[Invoice], policy: Policy) -> list[int]:
    rows = touched.values_list("organization_id", "consumption_month", "id")
    drafts = {(payer_id, month): id_ for payer_id, month, id_ in rows}
    if not drafts:
        return []
    return [
        drafts[key]
        for key, done in load_beside(load_taken(drafts)).items()
        if why_invoice_needs_approval(
            policy, total_cents=0, lines=done.lines, given_credits_cents=done.given_credits_cents
        )
    ]


def _approved(needed: QuerySet[Invoice], seller: LegalEntity) -> list[int]:
    """Those that somebody who did not change them has approved as they are now."""
    of_content = Approval.objects.filter(invoice__in=needed, fingerprint=F("invoice__fingerprint")).order_by()
    columns = ("invoice_id", "invoice__organization_id", "invoice__consumption_month", "parties", "approver_id")
    rows = list(of_content.values_list(*columns))
    if not rows:
        return []
    drafts = {(payer_id, month): id_ for id_, payer_id, month, *_ in rows}
    beside, authors = load_beside(load_taken(drafts)), load_authors(drafts)
    parties = printed_parties({payer_id for payer_id, _ in drafts}, seller)
    return [
        id_
        for id_, payer_id, month, approved_parties, approver_id in rows
        if approved_parties == parties[payer_id]
        and approver_id not in authors.get((payer_id, month), frozenset()) | beside[payer_id, month].authors
    ]
