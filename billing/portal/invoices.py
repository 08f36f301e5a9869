"""The invoices of an organization."""

from django.http import HttpRequest, HttpResponse

from billing.portal._access import Seat, money_page
from billing.portal._pages import render_page


@money_page
def invoices(request: HttpRequest, seat: Seat) -> HttpResponse:
    """List them."""
    return render_page(request, seat, "portal/invoices.html", {}, current="invoices")
