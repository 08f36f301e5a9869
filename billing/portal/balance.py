"""The credits of an organization: what there is, what moved it, and why there is a provision."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from billing.domain.credit_history import Movement
from billing.portal._access import Seat, money_page
from billing.portal._pages import render_page
from billing.portal._payers import payer_page
from billing.queries.credit_history import (
    Balance,
    Cause,
    History,
    Holding,
    load_balance,
    load_history,
    month_at,
    parse_month,
    tree_ids,
)
from billing.queries.credit_words import document_of, lot_words, movement_words, validity_words
from billing.queries.customer_invoices import numbers_of
from billing.queries.months import local_day
from billing.queries.provision_words import load_provision
from organizations.models import Organization


class _Held(NamedTuple):
    words: str
    validity: str
    is_free: bool
    cents: int
    number: str | None


class _Moved(NamedTuple):
    """A movement with its sentence around the number of a document, or before it; the number is a link."""

    day: date
    cents: int
    before: str
    number: str | None
    after: str


class _Month(NamedTuple):
    month: date
    opening_cents: int
    closing_cents: int
    movements: list[_Moved]


@money_page
@require_safe
@payer_page("credits")
def balance(request: HttpRequest, seat: Seat) -> HttpResponse:
    """The balance and its movements, twelve months a page."""
    at = timezone.now()
    ids, current = tree_ids(seat.organization), month_at(at)
    held = load_balance(ids)
    until = parse_month(request.GET.get("until"), current)
    history = load_history(ids, until=until)
    context = {
        "balance": held,
        "usable": _held(held.usable, local_day(at)),
        "pending": _held(held.pending, local_day(at)),
        "own_numbers": _own_numbers(seat.organization, held, history),
        "months": _months(history, seat.organization.currency),
        "older": history.older,
        "is_current": until == current,
        "provision": load_provision(seat.organization),
    }
    return render_page(request, seat, "portal/credits.html", context, current="credits")


def _own_numbers(organization: Organization, held: Balance, history: History) -> set[str]:
    """The documents of the organization itself; one that joined it brings along those of its own."""
    named = [holding.lot.invoice_number for holding in (*held.usable, *held.pending)]
    named += [document_of(each.cause) for page in history.months for each in page.movements]
    return numbers_of(organization, {number for number in named if number})


def _held(holdings: Sequence[Holding], today: date) -> list[_Held]:
    return [
        _Held(
            lot_words(holding.lot),
            validity_words(holding.lot, today),
            holding.lot.is_free,
            holding.cents,
            holding.lot.invoice_number,
        )
        for holding in holdings
    ]


def _months(history: History, currency: str) -> list[_Month]:
    return [
        _Month(
            page.month,
            page.opening_cents,
            page.closing_cents,
            [_moved(each, currency) for each in page.movements],
        )
        for page in history.months
    ]


def _moved(movement: Movement[Cause], currency: str) -> _Moved:
    words, number = movement_words(movement, currency), document_of(movement.cause)
    before, found, after = words.partition(number) if number else (words, "", "")
    return _Moved(movement.day, movement.cents, before if found or not number else f"{before} ", number, after)
