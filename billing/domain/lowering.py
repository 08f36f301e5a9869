"""What is given back when late usage makes a settled month cheaper (domain page, sections 4 and 6).

reduction  = what the month was billed, net of its discount - what it would have been billed in time
first      what no credit had covered: the month's regularizations, by credit notes, the newest invoice first
then       what credits had covered: back to the grants that paid, the last used first
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from billing.domain.consumption import share_discount
from billing.domain.credits import Movement
from billing.domain.money import allocate_cents, percentage_cents, prorate_cents


class MonthOnInvoice(Struct, frozen=True):
    """What one invoice billed of a month and what is left of that to give back; cents.

    `regularization_cents` is what no credit covered and no credit note took back yet, `covered_cents` what credits
    paid and did not get back yet.
    """

    invoice_id: int
    regularization_cents: int
    covered_cents: int


class GiveBack(Struct, frozen=True):
    """What goes back of one invoice: by a credit note, and to the grants that it used; cents."""

    invoice_id: int
    credit_cents: int
    return_cents: int


def net_by_month(gross_by_month: Sequence[int], discount_cents: int, ppm: int) -> list[int]:
    """The net consumption of each month of an invoice, oldest first, as its close shared the discount.

    `ppm` is the discount agreed now; another one then is told by what was billed, and its amount shared.
    """
    if percentage_cents(sum(gross_by_month), ppm) == discount_cents:
        return share_discount(gross_by_month, ppm)
    shares = allocate_cents(discount_cents, gross_by_month)
    return [gross - share for gross, share in zip(gross_by_month, shares, strict=True)]


def reduction_cents(*, gross_cents: int, net_cents: int, lowered_cents: int, ppm: int) -> int:
    """How much less a month costs net of its discount, when its usage costs `lowered_cents` > 0 less; by difference."""
    after_cents = gross_cents - lowered_cents
    if gross_cents - percentage_cents(gross_cents, ppm) == net_cents:
        return net_cents - (after_cents - percentage_cents(after_cents, ppm))
    return net_cents - prorate_cents(net_cents, after_cents, gross_cents)


def share_reduction(cents: int, invoices: Sequence[MonthOnInvoice]) -> tuple[list[GiveBack], int]:
    """Share a reduction among the invoices that billed the month, newest first; return what is left over, too.

    Something is left over when credit notes written by hand have given back more than the rest already.
    """
    credited: dict[int, int] = {}
    for invoice in invoices:
        credited[invoice.invoice_id] = min(cents, invoice.regularization_cents)
        cents -= credited[invoice.invoice_id]
    shares = []
    for invoice in invoices:
        returned_cents = min(cents, invoice.covered_cents)
        cents -= returned_cents
        if returned_cents or credited[invoice.invoice_id]:
            shares.append(GiveBack(invoice.invoice_id, credited[invoice.invoice_id], returned_cents))
    return shares, cents


def last_used(uses: Iterable[Movement], *, start_cents: int, end_cents: int, cents: int) -> list[Movement]:
    """The last `cents` that grants paid of a stretch of an invoice's consumption, the last used first.

    `uses` are all movements of the invoice in the order of use; they paid its months one after the other, so that
    [start_cents, end_cents) of their running total is one month's.
    """
    taken: list[Movement] = []
    first = max(start_cents, end_cents - cents)
    before = 0
    for grant_id, used_cents in uses:
        part = min(before + used_cents, end_cents) - max(before, first)
        before += used_cents
        if part > 0:
            taken.append((grant_id, part))
    return taken[::-1]
