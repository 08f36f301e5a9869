"""What a close made of each organization, as rows."""

from collections.abc import Mapping, Sequence
from datetime import date

import msgspec
from django.db import connection

from billing.domain.assembly import Assembled, Blocked, Draft, Nil
from billing.domain.consumption import UsageLine
from billing.domain.facts import Reason
from billing.models import CloseOutcome
from billing.queries.accounts import Account
from billing.queries.among import among
from billing.usecases._bulk import allocate_ids, bulk_change, bulk_write

_CHANGING = (
    "payer_id",
    "kind",
    "invoice_id",
    "reason_code",
    "reason_values",
    "own_consumption_cents",
    "settled_usage",
)


class Outcome(msgspec.Struct, frozen=True):
    """The outcome of one organization; `id` is the row that an earlier run left."""

    id: int | None
    organization_id: int
    payer_id: int
    kind: str
    invoice_id: int | None
    reason: Reason | None = None
    own_consumption_cents: int = 0
    usage: Sequence[UsageLine] = ()


def payer_outcome(account: Account, assembled: Assembled, invoice_id: int | None) -> Outcome:
    """The outcome of an organization that pays for itself."""
    id_, payer_id = account.outcome_id, account.id
    match assembled:
        case Draft():
            own_cents = assembled.own_consumption_cents
            return Outcome(id_, payer_id, payer_id, "invoice", invoice_id, own_consumption_cents=own_cents)
        case Nil():
            return Outcome(id_, payer_id, payer_id, "nil", None, assembled.reason, usage=assembled.usage)
        case Blocked():
            # A draft that was there stays, stale: what staff adjusted on it is not lost, and it cannot be issued.
            return Outcome(id_, payer_id, payer_id, "blocked", None, assembled.reason)


def member_outcome(account: Account, payer: Outcome) -> Outcome:
    """The outcome of a sub-organization: on the invoice of its payer, and blocked when the payer is."""
    reason = Reason("payer_blocked") if payer.kind == "blocked" else None
    return Outcome(account.outcome_id, account.id, payer.payer_id, "on_parent", payer.invoice_id, reason)


def write_outcomes(outcomes: Sequence[Outcome], *, close_id: int, month: date) -> Mapping[int, int]:
    """Insert or update the outcomes of a month; returns their ids by organization."""
    new = [outcome for outcome in outcomes if outcome.id is None]
    known = {outcome.organization_id: outcome.id for outcome in outcomes if outcome.id is not None}
    ids = allocate_ids(CloseOutcome, len(new))
    bulk_write(
        connection,
        CloseOutcome._meta.db_table,
        ("id", "close_id", "month", "organization_id", *_CHANGING),
        (
            (id_, close_id, month, outcome.organization_id, *_values(outcome))
            for id_, outcome in zip(ids, new, strict=True)
        ),
    )
    stored = {row.pk: row for row in CloseOutcome.objects.filter(among("id", known.values()))}
    bulk_change(
        connection,
        CloseOutcome._meta.db_table,
        ("id", *_CHANGING),
        (
            (outcome.id, *_values(outcome))
            for outcome in outcomes
            if outcome.id is not None and not _is_same(_row(outcome, close_id, month), stored[outcome.id])
        ),
    )
    return known | {outcome.organization_id: id_ for id_, outcome in zip(ids, new, strict=True)}


def _values(outcome: Outcome) -> tuple[int | str | None, ...]:
    return (
        outcome.payer_id,
        outcome.kind,
        outcome.invoice_id,
        outcome.reason.code if outcome.reason else "",
        msgspec.json.encode(outcome.reason.values if outcome.reason else {}).decode(),
        outcome.own_consumption_cents,
        msgspec.json.encode(_settled(outcome)).decode(),
    )


def _row(outcome: Outcome, close_id: int, month: date) -> CloseOutcome:
    return CloseOutcome(
        id=outcome.id,
        close_id=close_id,
        month=month,
        organization_id=outcome.organization_id,
        payer_id=outcome.payer_id,
        kind=outcome.kind,
        invoice_id=outcome.invoice_id,
        reason_code=outcome.reason.code if outcome.reason else "",
        reason_values=outcome.reason.values if outcome.reason else {},
        own_consumption_cents=outcome.own_consumption_cents,
        settled_usage=msgspec.json.decode(msgspec.json.encode(_settled(outcome))),
    )


def _is_same(row: CloseOutcome, stored: CloseOutcome) -> bool:
    return all(getattr(row, name) == getattr(stored, name) for name in _CHANGING)


def _settled(outcome: Outcome) -> list[tuple[object, ...]]:
    """Read back by `late_usage.load_billed`."""
    return [msgspec.structs.astuple(line) for line in outcome.usage]
