"""What people did beside a draft that it takes up: charges, free credits, a discount or a refill that they agreed.

Only the desk leaves an author on these; what the platform sends has none, and needs no second person.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce
from msgspec import Struct

from billing.domain.approvals import Policy
from billing.models import Adjustment, Charge, CreditGrant, CreditStatement, InvoiceLine, UsageDetail
from billing.queries.among import among
from billing.queries.months import month_of
from organizations.models import Organization

CHARGES = frozenset({"one_shot", "custom_service"})

# A payer and the first day of a month: together they have one live draft at most.
type PayerMonth = tuple[int, date]


class Taken(Struct, frozen=True):
    """What a draft takes up that may have been set beside it: (kind, source, net cents) of its lines, and its terms.

    `discount_cents` >= 0 is the discount on consumption that the organization has.
    """

    lines: Collection[tuple[str, int | None, int]]
    discount_cents: int
    uses_free_credits: bool

    @property
    def charge_ids(self) -> Iterable[int]:
        """The charges that it bills."""
        return [source_id for kind, source_id, _ in self.lines if kind in CHARGES and source_id is not None]


class Beside(Struct, frozen=True):
    """The same by who did what: lines with those set by people as adjustments, credits given by people, the people."""

    lines: list[tuple[str, int]]
    given_credits_cents: int
    authors: frozenset[int]


def load_taken(drafts: Mapping[PayerMonth, int]) -> dict[PayerMonth, Taken]:
    """What stored drafts take up; `drafts` are their ids. In three queries."""
    of_drafts = among("invoice", drafts.values())
    lines: dict[int, list[tuple[str, int | None, int]]] = {}
    rows = InvoiceLine.objects.filter(of_drafts).order_by()
    for invoice_id, kind, source_id, cents in rows.values_list("invoice_id", "kind", "source_id", "net_cents"):
        lines.setdefault(invoice_id, []).append((kind, source_id, cents))
    discounts = UsageDetail.objects.filter(of_drafts, meter=None).order_by().values_list("invoice_id", "amount_cents")
    of_consumption = dict(discounts)  # one row each
    statements = CreditStatement.objects.filter(of_drafts, used_free_cents__lt=0)
    free = set(statements.order_by().values_list("invoice_id", flat=True))
    return {key: Taken(lines.get(id_, []), -of_consumption.get(id_, 0), id_ in free) for key, id_ in drafts.items()}


def load_beside(drafts: Mapping[PayerMonth, Taken]) -> dict[PayerMonth, Beside]:
    """What people did beside these drafts, in three queries at most."""
    charge_authors = _charge_authors([id_ for taken in drafts.values() for id_ in taken.charge_ids])
    grants = _grants([key for key, taken in drafts.items() if taken.uses_free_credits])
    terms = _authors_of_terms({payer_id for payer_id, _ in drafts})
    return {
        key: _beside(taken, charge_authors, grants.get(key, []), terms.get(key[0], (None, None)))
        for key, taken in drafts.items()
    }


def _beside(
    taken: Taken,
    charge_authors: Mapping[int, int],
    grants: Collection[tuple[int, int]],
    terms: tuple[int | None, int | None],
) -> Beside:
    authors = {author_id for author_id, _ in grants}
    lines = []
    sells_credits = False
    for kind, source_id, net_cents in taken.lines:
        sells_credits |= kind == "provision"
        author_id = charge_authors.get(source_id) if kind in CHARGES and source_id is not None else None
        if author_id is not None:
            authors.add(author_id)
        lines.append((kind if author_id is None else "adjustment", net_cents))
    refill_author_id, discount_author_id = terms
    if discount_author_id is not None and taken.discount_cents:
        authors.add(discount_author_id)
        lines.append(("discount", -taken.discount_cents))
    if refill_author_id is not None and sells_credits:
        authors.add(refill_author_id)
    return Beside(lines, sum(cents for _, cents in grants), frozenset(authors))


def _charge_authors(charge_ids: Collection[int]) -> dict[int, int]:
    if not charge_ids:
        return {}
    by_hand = Charge.objects.filter(among("id", charge_ids), author__isnull=False).order_by()
    return {id_: author_id for id_, author_id in by_hand.values_list("id", "author_id") if author_id is not None}


def _grants(drafts: Collection[PayerMonth]) -> dict[PayerMonth, list[tuple[int, int]]]:
    """Author and whole amount of each usable grant that a person gave to a payer or one of its sub-organizations."""
    if not drafts:
        return {}
    rows = CreditGrant.objects.filter(author__isnull=False, remaining_cents__gt=0, type="free")
    rows = rows.annotate(payer_id=Coalesce("organization__parent_id", F("organization_id")))
    of_payers = rows.filter(among("payer_id", {payer_id for payer_id, _ in drafts})).order_by()
    given: dict[int, list[CreditGrant]] = {}
    for grant in of_payers:
        given.setdefault(grant.payer_id, []).append(grant)
    return {
        (payer_id, month): [
            (author_id, grant.amount_cents)
            for grant in given.get(payer_id, [])
            if (author_id := grant.author_id) is not None
            and (grant.starts_on is None or grant.starts_on <= month_of(month).last_day)
            and (grant.expires_on is None or grant.expires_on >= month)
        ]
        for payer_id, month in drafts
    }


def _authors_of_terms(payer_ids: Collection[int]) -> dict[int, tuple[int | None, int | None]]:
    """Who agreed on the refill and on the discount."""
    by_hand = Q(refill_author__isnull=False, negotiated_refill_cents__isnull=False) | Q(discount_author__isnull=False)
    rows = Organization.objects.filter(by_hand, among("id", payer_ids)).order_by()
    return {
        id_: (refill_author_id, discount_author_id)
        for id_, refill_author_id, discount_author_id in rows.values_list(
            "id", "refill_author_id", "discount_author_id"
        )
    }


def payers_with_changes(months: Collection[date], policy: Policy) -> set[int]:
    """Whose drafts of months may hold something that people did and that a policy limits: on the draft, or beside it.

    Totals are not looked at, and no table is read whose changes have no limit.
    """
    rows: list[QuerySet[Any, tuple[int, int | None]]] = []
    adjusted = []
    if policy.manual_line_cents is not None:
        adjusted.append("line")
        last_day = month_of(max(months)).last_day
        rows.append(_owners(Charge.objects.filter(author__isnull=False, invoice=None, date__lte=last_day)))
    if policy.discount_cents is not None:
        adjusted.append("discount")
        agreed = Organization.objects.filter(discount_author__isnull=False, consumption_discount_ppm__gt=0)
        rows.append(agreed.order_by().values_list("id", "parent_id"))
    if policy.credit_note_cents is not None:
        rows.append(_owners(CreditGrant.objects.filter(author__isnull=False, remaining_cents__gt=0)))
    if adjusted:
        rows.append(_owners(Adjustment.objects.filter(month__in=months, undone_at=None, kind__in=adjusted)))
    return {parent_id or id_ for found in rows for id_, parent_id in found}


def _owners(rows: QuerySet[Any]) -> QuerySet[Any, tuple[int, int | None]]:
    """Organization and parent of each."""
    return rows.order_by().values_list("organization_id", "organization__parent_id")
