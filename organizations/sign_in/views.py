"""The door of the finance desk."""

from allauth.account.utils import get_next_redirect_url
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache


@never_cache
def desk_door(request: HttpRequest) -> HttpResponse:
    """Instead of the admin's own login: everybody signs in on one page; who is not staff is told so."""
    wanted = get_next_redirect_url(request) or reverse("admin:index")
    if not request.user.is_authenticated:
        return HttpResponseRedirect(f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': wanted})}")
    if request.user.is_staff:
        return HttpResponseRedirect(wanted)
    return render(request, "account/not_staff.html", status=403)
