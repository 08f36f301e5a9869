"""Movements on the credit ledger that several use cases share."""

import json
from collections.abc import Sequence
from datetime import datetime
from itertools import batched

from django.db import connection, transaction
from django.db.models import F

from billing.models import CreditEntry, CreditGrant
from billing.usecases._bulk import bulk_write

GRANTS_PER_QUERY = 1_000


@transaction.atomic
def activate_grants(grant_ids: Sequence[int], *, at: datetime) -> int:
    """Make pending grants usable, each with one `grant` entry of what was pending; return how many there were.

    What a write-off had cancelled becomes usable, too: the customer has paid after all. Grants of which nothing is
    pending (any more) are left alone, so that calling again, or twice at once, changes nothing.
    """
    return sum(_activate(chunk, at) for chunk in batched(sorted(set(grant_ids)), GRANTS_PER_QUERY, strict=False))


def _activate(grant_ids: Sequence[int], at: datetime) -> int:
    # The lock makes a second caller wait, and then find nothing pending.
    pending = CreditGrant.objects.select_for_update(no_key=True).filter(id__in=grant_ids, pending_cents__gt=0)
    amounts = dict(pending.order_by("id").values_list("id", "pending_cents"))
    if not amounts:
        return 0
    CreditGrant.objects.filter(id__in=amounts).update(
        state=CreditGrant.State.ACTIVE, remaining_cents=F("pending_cents"), pending_cents=0
    )
    CreditEntry.objects.bulk_create(
        CreditEntry(grant_id=grant_id, kind=CreditEntry.Kind.GRANT, amount_cents=amount_cents, booked_at=at)
        for grant_id, amount_cents in amounts.items()
    )
    return len(amounts)


@transaction.atomic
def suspend_grants(grant_ids: Sequence[int], *, at: datetime) -> int:
    """Make what is unused of usable grants pending again, each with one `suspension` entry; return how many there were.

    What was used stays used. A grant that is used up stays active: there is nothing to wait for.
    """
    usable = CreditGrant.objects.select_for_update(no_key=True).filter(
        id__in=grant_ids, state=CreditGrant.State.ACTIVE, remaining_cents__gt=0
    )
    amounts = dict(usable.order_by("id").values_list("id", "remaining_cents"))
    if not amounts:
        return 0
    CreditGrant.objects.filter(id__in=amounts).update(
        state=CreditGrant.State.PENDING, pending_cents=F("remaining_cents"), remaining_cents=0
    )
    CreditEntry.objects.bulk_create(
        CreditEntry(grant_id=grant_id, kind=CreditEntry.Kind.SUSPENSION, amount_cents=-amount_cents, booked_at=at)
        for grant_id, amount_cents in amounts.items()
    )
    return len(amounts)


def cancel_pending(grant_ids: Sequence[int]) -> None:
    """Let pending grants leave g: nobody is expected to pay them. Their amount is kept for `expect_again`."""
    CreditGrant.objects.filter(id__in=grant_ids, state=CreditGrant.State.PENDING).update(
        state=CreditGrant.State.CANCELLED
    )


def expect_again(grant_ids: Sequence[int]) -> None:
    """Let cancelled grants count in g again: their invoice is no longer written off."""
    CreditGrant.objects.filter(id__in=grant_ids, state=CreditGrant.State.CANCELLED, pending_cents__gt=0).update(
        state=CreditGrant.State.PENDING
    )


def return_to_pending(entries: Sequence[CreditEntry]) -> None:
    """Book `return` entries on grants that are not usable: each is suspended at once, and pending with the rest."""
    CreditEntry.objects.bulk_create(
        booked
        for entry in entries
        for booked in (
            entry,
            CreditEntry(
                grant_id=entry.grant_id,
                kind=CreditEntry.Kind.SUSPENSION,
                amount_cents=-entry.amount_cents,
                booked_at=entry.booked_at,
            ),
        )
    )
    for entry in entries:
        CreditGrant.objects.filter(pk=entry.grant_id).update(pending_cents=F("pending_cents") + entry.amount_cents)


def book_entries(entries: Sequence[CreditEntry]) -> None:
    """Add entries to the ledger and move what remains of their grants; the database refuses an overdraft."""
    if not entries:
        return
    columns = ("grant_id", "kind", "amount_cents", "month", "invoice_id", "outcome_id", "booked_at")
    rows = (tuple(getattr(entry, column) for column in columns) for entry in entries)
    bulk_write(connection, CreditEntry._meta.db_table, columns, rows)
    cents_by_grant: dict[int, int] = {}
    for entry in entries:
        cents_by_grant[entry.grant_id] = cents_by_grant.get(entry.grant_id, 0) + entry.amount_cents
    json_each = "json_each_text" if connection.vendor == "postgresql" else "json_each"
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE billing_creditgrant SET remaining_cents = remaining_cents + CAST(booked.value AS bigint)"  # noqa: S608
            f" FROM {json_each}(%s) AS booked WHERE billing_creditgrant.id = CAST(booked.key AS bigint)",
            [json.dumps(cents_by_grant)],
        )
