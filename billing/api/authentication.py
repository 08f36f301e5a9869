"""Who asks, and whether they may: a key in the Authorization header, and nothing else. Cookies count for nothing."""

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from billing.api.problems import Problem
from billing.models import ApiKey
from billing.usecases.recognize_api_key import UnknownKey, recognize_api_key

if TYPE_CHECKING:
    from billing.api.views import KeyView

REALM = 'Bearer realm="api"'


class KeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer <key>`. The key is `request.auth`; there is no user."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, ApiKey] | None:
        """Recognize the key; None when none is shown."""
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if not scheme:
            return None
        if scheme.lower() != "bearer" or not key.strip():
            raise AuthenticationFailed("A key is shown as: Authorization: Bearer <key>.")
        try:
            return AnonymousUser(), recognize_api_key(key=key.strip(), at=timezone.now())
        except UnknownKey as unknown:
            raise AuthenticationFailed(str(unknown)) from unknown

    def authenticate_header(self, request: Request) -> str:
        """The challenge of a 401."""
        return REALM


class HasScope(BasePermission):
    """The key has the scope that the view names for the method."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Raises the problem that names the missing scope."""
        if not isinstance(request.auth, ApiKey):
            return False
        scope = scope_of(view, str(request.method))
        if scope is not None and scope not in request.auth.scopes:
            raise Problem(403, "missing_scope", f"The key lacks the scope {scope}.", scope=scope)
        return True


def scope_of(view: "KeyView", method: str) -> str | None:
    """The scope that a method of a view takes; None where there is no such method."""
    return view.scopes.get("GET" if method == "HEAD" else method)
