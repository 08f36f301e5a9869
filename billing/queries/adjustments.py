"""Adjustments in force for a close, and all of a month's for its page."""

from collections.abc import Collection, Mapping
from datetime import date

from msgspec import Struct

from billing.domain.adjustments import DISCOUNT, LINE, REFILL, SKIP
from billing.domain.facts import Adjustment
from billing.domain.lifecycle import DocumentState
from billing.domain.periods import Month
from billing.models import Adjustment as AdjustmentRow
from billing.models import Invoice
from billing.queries.among import among

CONFLICT_CODES = ("adjustment_line_gone", "adjustment_line_changed", "adjustment_exceeds")
"""The codes in `Invoice.review_notes` of adjustments that somebody has to decide; `adjustment` in values is the id."""

_COLUMNS = (
    "id",
    "kind",
    "target",
    "target_net_cents",
    "name",
    "quantity_micro",
    "unit_price_micro",
    "amount_cents",
    "percent_ppm",
    "day",
    "text",
)


def load_adjustments(month: Month, payer_ids: Collection[int]) -> dict[int, list[Adjustment]]:
    """What is in force for the month of these payers, in the order in which it was made."""
    rows = AdjustmentRow.objects.filter(
        among("organization", payer_ids), month=month.first_day, undone_at__isnull=True
    ).order_by("id")
    adjustments: dict[int, list[Adjustment]] = {}
    for payer_id, *values in rows.values_list("organization_id", *_COLUMNS):
        adjustments.setdefault(payer_id, []).append(_adjustment(*values))
    return adjustments


def as_value(row: AdjustmentRow) -> Adjustment:
    """A row as the domain reads it."""
    return _adjustment(*[getattr(row, column) for column in _COLUMNS])


def _adjustment(
    id_: int,
    kind: str,
    target: str,
    target_net_cents: int | None,
    name: str,
    quantity_micro: int | None,
    unit_price_micro: int | None,
    amount_cents: int | None,
    percent_ppm: int | None,
    day: date | None,
    text: str,
) -> Adjustment:
    numbers = (quantity_micro or 0, unit_price_micro or 0, amount_cents or 0)
    return Adjustment(id_, kind, target, target_net_cents, name, *numbers, percent_ppm, day, text)


class ListedAdjustment(Struct, frozen=True):
    """An adjustment on the page of its month.

    `net_cents` is what it does to the subtotal as things stand, None when it is about no amount. `state` is `applied`,
    `replaced` by a later one of its kind, `undone`, or `conflict`: `conflict` then has the code and values of its note.
    """

    row: AdjustmentRow
    state: str
    net_cents: int | None
    conflict: Mapping[str, object] | None


def list_adjustments(invoice: Invoice) -> list[ListedAdjustment]:
    """Every adjustment of an invoice's month with its author, the first one first; two queries, or one without any."""
    rows = list(
        AdjustmentRow.objects.filter(organization=invoice.organization_id, month=invoice.consumption_month)
        .select_related("author")
        .order_by("id")
    )
    if not rows or invoice.kind != Invoice.Kind.INVOICE:
        return []
    nets = dict(
        invoice.lines.filter(kind__in=("adjustment", "discount"), source_id__isnull=False).values_list(
            "source_id", "net_cents"
        )
    )
    is_draft = invoice.document_state == DocumentState.DRAFT
    conflicts = {
        note["values"].get("adjustment"): note
        for note in (invoice.review_notes if is_draft else [])
        if note["code"] in CONFLICT_CODES
    }
    last = {row.kind: row.pk for row in rows if row.undone_at is None}
    return [_listed(row, nets, conflicts, last) for row in rows]


def _listed(
    row: AdjustmentRow,
    nets: Mapping[int | None, int],
    conflicts: Mapping[object, Mapping[str, object]],
    last: Mapping[str, int],
) -> ListedAdjustment:
    if row.undone_at is not None:
        return ListedAdjustment(row, "undone", None, None)
    if row.kind not in (LINE, DISCOUNT, SKIP) and last[row.kind] != row.pk:
        return ListedAdjustment(row, "replaced", None, None)
    net_cents: int | None = None
    if row.kind in (LINE, DISCOUNT):
        net_cents = nets.get(row.pk, 0)
    elif row.kind == SKIP:
        net_cents = -(row.target_net_cents or 0)
    elif row.kind == REFILL:
        net_cents = (row.amount_cents or 0) - (row.target_net_cents or 0)
    conflict = conflicts.get(row.pk)
    return ListedAdjustment(row, "applied" if conflict is None else "conflict", net_cents, conflict)
