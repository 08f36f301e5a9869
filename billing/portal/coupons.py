"""Coupons: use one, and see what those used gave."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from billing import formatting
from billing.portal._access import Seat, money_page
from billing.portal._pages import render_page
from billing.portal._payers import payer_page
from billing.queries.coupons import load_used_coupons
from billing.queries.months import local_day
from billing.usecases.apply_coupon import CouponNotFound, CouponRefused, apply_coupon
from billing.usecases.coupon_tries import count_wrong_code, is_guessing


@money_page
@require_http_methods(["GET", "HEAD", "POST"])
@payer_page("coupons")
def coupons(request: HttpRequest, seat: Seat) -> HttpResponse:
    """A form, and the list."""
    at, error, code = timezone.now(), "", request.POST.get("code", "").strip()
    if request.method == "POST" and is_guessing(seat.organization.pk):
        error = _("Too many codes that do not exist: try again in an hour.")
    elif request.method == "POST":
        try:
            use = apply_coupon(coupon_name=code, organization=seat.organization, user=seat.user, at=at)
        except CouponRefused as refused:
            error = str(refused)
            if isinstance(refused, CouponNotFound):
                count_wrong_code(seat.organization.pk)
        else:
            given = formatting.format_amount(use.grant.amount_cents)
            sentence = _("%(amount)s %(currency)s of free credits are yours.")
            messages.success(request, sentence % {"amount": given, "currency": use.grant.currency})
            return redirect("portal:coupons", seat.organization.external_id)
    context = {"used": load_used_coupons(seat.organization, today=local_day(at)), "error": error, "code": code}
    return render_page(request, seat, "portal/coupons.html", context, current="coupons", status=422 if error else 200)
