"""Pages that only an organization with invoices of its own has."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse

from billing.portal._access import Seat
from billing.portal._pages import render_page

type Page = Callable[[HttpRequest, Seat], HttpResponse]


def payer_page(current: str) -> Callable[[Page], Page]:
    """Tell members of a sub-organization that its credits, consumption and details are those of whoever pays for it.

    `current` is the tab that the page belongs to.
    """

    def of_payers(page: Page) -> Page:
        @wraps(page)
        def view(request: HttpRequest, seat: Seat) -> HttpResponse:
            if seat.organization.parent_id is None:
                return page(request, seat)
            return render_page(request, seat, "portal/billed_elsewhere.html", {}, current=current)

        return view

    return of_payers
