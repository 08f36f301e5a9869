"""Four eyes: what a second person has to approve, by the amounts that a controller has set.

Amounts are cents in the currency of the document; a limit of None is never reached.
"""

from collections.abc import Iterable

from msgspec import Struct

from billing.domain.facts import Reason


class Policy(Struct, frozen=True, gc=False):
    """From which amounts on a second person has to approve; None: never."""

    invoice_total_cents: int | None = None
    manual_line_cents: int | None = None
    discount_cents: int | None = None
    credit_note_cents: int | None = None
    bulk_count: int | None = None


def why_invoice_needs_approval(
    policy: Policy, *, total_cents: int, lines: Iterable[tuple[str, int]], given_credits_cents: int = 0
) -> tuple[Reason, ...]:
    """Why a draft needs a second person, nothing when it needs none; `lines` are (kind, net cents).

    Lines added by hand count together, and so do discounts given by hand: nobody gets below a limit in small steps.
    `given_credits_cents` are what people gave of the free credits that the draft uses; they meet the limit of credit
    notes, which give money back too.
    """
    added, given = [], []
    for kind, net_cents in lines:
        if kind == "adjustment":
            added.append(net_cents)
        elif kind == "discount":
            given.append(-net_cents)
    reached = [_needed("invoice_total", total_cents, policy.invoice_total_cents)]
    if added:
        reached.append(_needed("manual_line", sum(added), policy.manual_line_cents))
    if given:
        reached.append(_needed("discount", sum(given), policy.discount_cents))
    if given_credits_cents:
        reached.append(_needed("given_credits", given_credits_cents, policy.credit_note_cents))
    return tuple([reason for reason in reached if reason])


def why_credit_note_needs_approval(policy: Policy, *, total_cents: int) -> Reason | None:
    """Why a credit note needs a second person; None when it needs none."""
    return _needed("credit_note", total_cents, policy.credit_note_cents)


def why_bulk_issue_needs_approval(policy: Policy, *, count: int) -> Reason | None:
    """Why issuing so many invoices at once needs a second person; None when it needs none."""
    limit = policy.bulk_count
    if limit is None or count < limit:
        return None
    return Reason("needs_approval", {"rule": "bulk_count", "count": count, "from_count": limit})


def _needed(rule: str, cents: int, from_cents: int | None) -> Reason | None:
    if from_cents is None or cents < from_cents:
        return None
    return Reason("needs_approval", {"rule": rule, "cents": cents, "from_cents": from_cents})
