"""Which second factor somebody has, and when they gave it last: what the desk's doors ask.

django-allauth writes down in the session how somebody proved who they are, and when.
"""

import time
from typing import Any
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.dispatch import receiver
from django.http import HttpRequest
from django.urls import reverse

from organizations.models import User

FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def is_set_up(user: User) -> bool:
    """Tell whether somebody has an authenticator app or a passkey."""
    return bool(is_mfa_enabled(user, types=list(FACTORS)))


def way_in(request: HttpRequest) -> str | None:
    """Where a member of staff has to go before any page of the desk; None when nothing is missing.

    To the page that sets up a second factor when there is none, to the one that asks for it when this session has
    not seen it. Only where settings.REQUIRE_STAFF_MFA says so.
    """
    user = request.user
    if not settings.REQUIRE_STAFF_MFA or not isinstance(user, User) or not user.is_staff:
        return None
    if not is_set_up(user):
        return _with_next(reverse("mfa_index"), request.get_full_path())
    return None if _last_given(request, user) is not None else _question(user, request.get_full_path())


def confirmation(request: HttpRequest, *, then: str) -> str | None:
    """Where to confirm who one is before a dangerous action, then go on to `then`; None when that is fresh enough.

    Fresh means: given within settings.FRESH_FACTOR_MINUTES, in this session. A password does not count. Only where
    settings.REQUIRE_STAFF_MFA says so.
    """
    user = request.user
    if not settings.REQUIRE_STAFF_MFA or not isinstance(user, User):
        return None
    given_at = _last_given(request, user)
    if given_at is not None and time.time() - given_at < settings.FRESH_FACTOR_MINUTES * 60:
        return None
    return _question(user, then) if is_set_up(user) else _with_next(reverse("mfa_index"), then)


def _last_given(request: HttpRequest, user: User) -> float | None:
    records: list[dict[str, Any]] = get_authentication_records(request, user)
    return max((float(record["at"]) for record in records if record.get("method") == "mfa"), default=None)


def _question(user: User, then: str) -> str:
    return _with_next(get_adapter().get_reauthentication_methods(user)[0]["url"], then)


def _with_next(url: str, then: str) -> str:
    return f"{url}?{urlencode({'next': then})}"


@receiver(authenticator_added)
def _remember_first_use(*, request: HttpRequest, user: User, authenticator: Authenticator, **_kwargs: Any) -> None:
    """Setting up a factor takes a code or a touch: it was given just now."""
    if authenticator.type in FACTORS:
        record_authentication(request, user, "mfa", id=authenticator.pk, type=authenticator.type, reauthenticated=True)
