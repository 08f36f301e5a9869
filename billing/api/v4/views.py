"""What all views of the customers' API share."""

from collections.abc import Mapping
from typing import Any, cast

import msgspec
from django.utils.cache import patch_vary_headers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.problems import answer_problem, not_found
from billing.api.v4.authentication import DownloadAuthentication, TokenAuthentication
from billing.api.views import JsonRenderer, ProgramView
from organizations.models import Membership, MemberToken, Organization, User
from organizations.roles import MONEY_ROLES

_ENCODER = msgspec.json.Encoder(decimal_format="number")


class ExactJsonRenderer(JsonRenderer):
    """JSON whose numbers have the digits of the decimals that they are."""

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        """Encode; nothing for None."""
        return b"" if data is None else _ENCODER.encode(data)


def answer_problem_as_json(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """The same as plain JSON: the published clients read nothing else.

    Codes of refused coupons are numbers, as they always were.
    """
    response = answer_problem(error, context)
    if response is not None:
        response.data = as_clients_read(response.data)
        response.content_type = JsonRenderer.media_type
    return response


def as_clients_read(body: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a problem, its sentence as `message` too."""
    code = body["code"]
    return {**body, "message": body["detail"], "code": int(code) if code.isdecimal() else code}


class ShowsToken(BasePermission):
    """Somebody shows a token; what they may see is looked up with the organization."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Without a token there is no user."""
        return isinstance(request.auth, MemberToken)


class OpenView(ProgramView):
    """A view for customers' programs, also for those in a browser on another site: no cookie counts here."""

    schema = None  # the description of /api/ is of the platform's API only
    renderer_classes = [ExactJsonRenderer]
    authentication_classes = []
    permission_classes = []
    http_method_names = ["get", "head", "post", "options"]

    def get_exception_handler(self) -> Any:
        """Problem details."""
        return answer_problem_as_json

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """What a browser asks before it lets a page of another site send a token."""
        allowed = ", ".join(self.allowed_methods)
        headers = {
            "Access-Control-Allow-Methods": allowed,
            "Access-Control-Allow-Headers": "Authorization, Content-Type",
            "Access-Control-Max-Age": "86400",
            "Allow": allowed,
        }
        return Response(status=204, headers=headers)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """A browser asks without a token."""
        if request.method == "OPTIONS":
            self.format_kwarg = None
            request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
            return
        super().initial(request, *args, **kwargs)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Any site may read the answer: it is only given for a token, which the site would have to know."""
        response = super().finalize_response(request, response, *args, **kwargs)
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Expose-Headers"] = "RateLimit, RateLimit-Policy, Retry-After"
        patch_vary_headers(response, ["Origin"])
        return response


class MemberView(OpenView):
    """A view for members' programs."""

    authentication_classes = [TokenAuthentication]
    permission_classes = [ShowsToken]

    @property
    def member(self) -> User:
        """Whose token was shown."""
        return cast("User", self.request.user)  # ShowsToken saw to it

    def find_organization(self, external_id: str) -> Organization:
        """The organization whose money the member sees; to everybody else it does not exist. Raises Problem 404."""
        seats = Membership.objects.filter(user=self.member, role__in=MONEY_ROLES)
        found = None if "\0" in external_id else seats.filter(organization__external_id=external_id)
        seat = None if found is None else found.select_related("organization").first()
        if seat is None:
            raise not_found("There is nothing at this address, or this token may not see it.")
        return seat.organization


class NoView(OpenView):
    """Whatever is below /v4/ and no other view."""

    http_method_names = [*OpenView.http_method_names, "put", "patch", "delete"]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Whoever asks, however."""
        super().initial(request, *args, **kwargs)
        if request.method != "OPTIONS":
            raise not_found("There is nothing at this address.")


class DownloadView(MemberView):
    """A view of files, whose address may carry a token."""

    authentication_classes = [DownloadAuthentication]
