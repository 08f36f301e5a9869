"""Whose program asks: a member's token in the Authorization header, or in the address of a download."""

from base64 import b64decode
from binascii import Error as NotBase64

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from billing.api.problems import Problem
from organizations.models import MemberToken, User
from organizations.usecases.recognize_member_token import UnknownToken, recognize_member_token

REALM = 'Bearer realm="v4"'
PARAMETER = "authorization"


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>`. The member is `request.user`, the token `request.auth`."""

    is_download = False

    def authenticate(self, request: Request) -> tuple[User, MemberToken] | None:
        """Recognize the token; None when none is shown. One for downloads opens nothing else."""
        header = request.headers.get("Authorization", "")
        if not header:
            return None
        token = _recognize(header)
        if token.downloads_only and not self.is_download:
            raise Problem(403, "downloads_only", "This token opens the files of invoices, and nothing else.")
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        """The challenge of a 401."""
        return REALM


class DownloadAuthentication(TokenAuthentication):
    """Also `?authorization=<base64 of "Bearer <token>">`: a link, which ends up in histories and logs.

    So the token must open little or not for long: one for downloads only, or one that lives an hour at most.
    """

    is_download = True

    def authenticate(self, request: Request) -> tuple[User, MemberToken] | None:
        """The header counts first."""
        if (found := super().authenticate(request)) is not None:
            return found
        packed = request.query_params.get(PARAMETER)
        if packed is None:
            return None
        try:
            header = b64decode(packed, validate=True).decode("ascii")
        except (NotBase64, ValueError) as error:
            raise AuthenticationFailed("authorization is the base64 of: Bearer <token>.") from error
        token = _recognize(header)
        if not token.may_be_in_an_address:
            sentence = "Only a token for downloads, or one that lives an hour at most, may be part of an address."
            raise Problem(403, "not_in_addresses", sentence)
        return token.user, token


def _recognize(header: str) -> MemberToken:
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise AuthenticationFailed("A token is shown as: Authorization: Bearer <token>.")
    try:
        return recognize_member_token(token=token.strip(), at=timezone.now())
    except UnknownToken as unknown:
        raise AuthenticationFailed(str(unknown)) from unknown
