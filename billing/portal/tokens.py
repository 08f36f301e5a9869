"""A person's own tokens: what programs show to act for them on the customers' API."""

from datetime import datetime, timedelta

from allauth.account.decorators import reauthentication_required
from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from organizations.models import MemberToken, User
from organizations.usecases.create_member_token import TokenRefused, create_member_token
from organizations.usecases.revoke_member_token import revoke_member_token

LIFETIMES = {
    "hour": (gettext_lazy("one hour"), timedelta(hours=1)),
    "month": (gettext_lazy("30 days"), timedelta(days=30)),
    "year": (gettext_lazy("one year"), timedelta(days=365)),
}
SHOWN = 100


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """List them; make one, which is shown this once."""
    if request.method == "POST":
        answer: HttpResponse = _create(request)
        return answer
    return _page(request)


@reauthentication_required  # type: ignore[untyped-decorator]  # whoever finds an open browser makes no token
def _create(request: HttpRequest) -> HttpResponse:
    at, chosen = timezone.now(), LIFETIMES.get(request.POST.get("lifetime", ""))
    name, kind = request.POST.get("name", ""), request.POST.get("kind", "")
    if chosen is None or kind not in ("all", "downloads"):
        return _page(request, error=_("Choose what the token opens, and for how long."), name=name)
    try:
        made = create_member_token(
            user=_user(request), name=name, at=at, expires_at=at + chosen[1], downloads_only=kind == "downloads"
        )
    except TokenRefused as refused:
        return _page(request, error=str(refused), name=name)
    return _page(request, made=made.token)


@never_cache
@login_required
@require_POST
def revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    """Revoke one of them."""
    if revoke_member_token(token_id=token_id, user=_user(request), at=timezone.now()):
        messages.success(request, _("The token opens nothing any more."))
    return redirect("portal:tokens")


def _page(request: HttpRequest, *, made: str = "", error: str = "", name: str = "") -> HttpResponse:
    at: datetime = timezone.now()
    rows = MemberToken.objects.filter(user=_user(request), revoked_at=None).order_by("-id")[:SHOWN]
    context = {
        "tokens": [(row, row.is_valid(at)) for row in rows],
        "lifetimes": [(value, label) for value, (label, _lifetime) in LIFETIMES.items()],
        "made": made,
        # The form asks first who one is: what is typed into it would be lost on the way there and back.
        "may_make": did_recently_reauthenticate(request),
        "error": error,
        "name": name,
    }
    return render(request, "portal/tokens.html", context, status=400 if error else 200)


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101  # login_required saw to it
    return request.user
