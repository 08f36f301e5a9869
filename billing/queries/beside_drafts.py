"""What people did beside a draft that it takes up: charges, free credits, a discount or a refill that they agreed.

Only the desk leaves an author on these; what the platform sends has none, and needs no second person.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date

from django.db.models import F, Q
from django.db.models.functions import Coalesce
from msgspec import Struct

from billing.models import Charge, CreditGrant, CreditStatement, Invoice
from billing.queries.among import among
from billing.queries.months import month_of
from organizations.models import Organization

CHARGES = frozenset({"one_shot", "custom_service"})


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


def take_of(draft: Invoice) -> Taken:
    """What a stored draft takes up."""
    lines = list(draft.lines.order_by().values_list("kind", "source_id", "net_cents"))
    discounts = draft.usage_details.filter(meter=None).order_by().values_list("amount_cents", flat=True)
    used = CreditStatement.objects.filter(invoice=draft).values_list("used_free_cents", flat=True).first()
    return Taken(lines, -sum(discounts), bool(used))


def load_beside(month: date, drafts: Mapping[int, Taken]) -> dict[int, Beside]:
    """What people did beside the drafts of a month (its first day), by payer; in three queries at most."""
    charge_authors = _charge_authors([id_ for taken in drafts.values() for id_ in taken.charge_ids])
    grants = _grants(month, [payer_id for payer_id, taken in drafts.items() if taken.uses_free_credits])
    terms = _authors_of_terms(list(drafts))
    return {
        payer_id: _beside(taken, charge_authors, grants.get(payer_id, []), terms.get(payer_id, (None, None)))
        for payer_id, taken in drafts.items()
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


def _grants(month: date, payer_ids: Collection[int]) -> dict[int, list[tuple[int, int]]]:
    """Author and whole amount of each usable grant that a person gave to a payer or one of its sub-organizations."""
    if not payer_ids:
        return {}
    usable = (Q(starts_on=None) | Q(starts_on__lte=month_of(month).last_day)) & (
        Q(expires_on=None) | Q(expires_on__gte=month)
    )
    rows = CreditGrant.objects.filter(usable, author__isnull=False, remaining_cents__gt=0, type="free")
    rows = rows.annotate(payer_id=Coalesce("organization__parent_id", F("organization_id")))
    of_payers = rows.filter(among("payer_id", payer_ids)).order_by()
    grants: dict[int, list[tuple[int, int]]] = {}
    for payer_id, author_id, cents in of_payers.values_list("payer_id", "author_id", "amount_cents"):
        if author_id is not None:
            grants.setdefault(payer_id, []).append((author_id, cents))
    return grants


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
