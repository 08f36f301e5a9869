"""What all views of the API share."""

from collections.abc import Mapping
from typing import Any, ClassVar, cast

import msgspec
from django.utils.cache import patch_vary_headers
from django.utils.translation import override
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing.api.authentication import HasScope, KeyAuthentication
from billing.api.limits import Quota, QuotaThrottle
from billing.api.problems import answer_problem
from billing.models import ApiKey


class JsonRenderer(BaseRenderer):
    """JSON of plain values and msgspec's records."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        """Encode; nothing for None."""
        return b"" if data is None else msgspec.json.encode(data)


class JsonWhateverIsAccepted(BaseContentNegotiation):
    """There is one format, so that a client that accepts another gets it nevertheless (RFC 9110, 12.5.1)."""

    def select_parser(self, request: Request, parsers: Any) -> None:
        """Views read bodies themselves."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> tuple[Any, str]:
        """The only one."""
        return renderers[0], renderers[0].media_type


class ProgramView(APIView):
    """A view for programs: JSON or a problem, in English, counted against the quota of whoever asks."""

    quota: Quota | None = None

    throttle_classes = [QuotaThrottle]
    renderer_classes = [JsonRenderer]
    parser_classes = []
    content_negotiation_class = JsonWhateverIsAccepted
    metadata_class = None
    http_method_names = ["get", "head", "post", "put"]

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Answer, always in English: programs compare codes, and their logs have one language."""
        with override("en"):
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Count before anything is looked at, so that refused requests count too."""
        self.format_kwarg = None
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
        request.version = request.versioning_scheme = None
        self.perform_authentication(request)
        self.check_throttles(request)
        self.check_permissions(request)

    def get_exception_handler(self) -> Any:
        """Problem details."""
        return answer_problem

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Say how much of the quota is left, and that nobody may keep the answer."""
        response = super().finalize_response(request, response, *args, **kwargs)
        headers = {**(self.quota.headers() if self.quota else {}), "Cache-Control": "no-store"}
        for name, value in headers.items():
            response.headers[name] = value
        patch_vary_headers(response, ["Authorization"])
        return response


class KeyView(ProgramView):
    """A view for programs of the platform. `scopes` names the scope that each method takes."""

    scopes: ClassVar[Mapping[str, str]] = {}

    authentication_classes = [KeyAuthentication]
    permission_classes = [HasScope]

    @property
    def key(self) -> ApiKey:
        """The key that was shown."""
        return cast("ApiKey", self.request.auth)  # HasScope saw to it


def ok(data: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """What was asked for."""
    return Response(data, status=status, headers=dict(headers or {}))
